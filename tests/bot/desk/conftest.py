"""One server for the desk's tests; every test brings its own conversations."""

import pytest

from bot.settings import settings
from tests.bot.desk.house import House, build


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        build(patch, tmp_path_factory.mktemp("desk"))
        house = House()
        house.start()
        yield house
        house.close()
    settings.cache_clear()
