import pytest
import pytest_asyncio

from bot.settings import secret_key, settings
from bot.storage.engine import engine
from tests.channels.wechat.house import running_house
from tests.channels.wechat.inside import Inside, inside


@pytest.fixture(scope="module")
def house(migrated, tmp_path_factory):
    with running_house(tmp_path_factory.mktemp("wechat"), migrated("sqlite")) as running:
        yield running


@pytest_asyncio.fixture
async def within(monkeypatch, migrated, tmp_path):
    """Give a function that starts the channel in this loop: await within(verified=False)."""
    made = []

    async def start(kind: str = "sqlite", **changes) -> Inside:
        secret_key.cache_clear()
        played, server = await inside(monkeypatch, migrated(kind), tmp_path, **changes)
        made.append((played, server))
        return played

    yield start
    for played, server in made:
        await played.channel.stop()
        await server.close()
    engine().dispose()
    monkeypatch.undo()
    settings.cache_clear()
    secret_key.cache_clear()
