"""A database of its own for the flows that look at who has been verified."""

import pytest

from bot.settings import settings
from bot.storage import engine as storage
from bot.tickets import tables as ticket_tables  # noqa: F401


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Give an empty database of its own."""
    monkeypatch.setenv("DAOYI_DATABASE", f"sqlite:///{tmp_path}/d.db")
    monkeypatch.setenv("DAOYI_SECRET_FILE", str(tmp_path / "secret.key"))
    settings.cache_clear()
    storage.metadata.create_all(storage.engine())
    yield
    storage.engine().dispose()
    monkeypatch.undo()
    settings.cache_clear()
