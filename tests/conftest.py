"""What every room's tests share: a migrated database of each kind, empty for each test."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.settings import secret_key, settings
from bot.storage.engine import engine_for, writing
from bot.storage.migrate import migrate
from bot.storage.tables import metadata
from tests import postgres

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """Give a function that makes a database of a kind, copied from one that Alembic has brought to its newest form."""
    folder = tmp_path_factory.mktemp("databases")
    templates: dict[str, str] = {}
    made = []

    def template(kind: str) -> str:
        if kind not in templates:
            if kind == "sqlite":
                templates[kind] = f"sqlite:///{folder}/template.db"
            else:
                new = postgres.new_database(postgres.server())
                made.append(new)
                templates[kind] = new.render_as_string(hide_password=False)
            with configured(templates[kind], folder / "secret.key"):
                migrate()
                engine_for(templates[kind]).dispose()
        return templates[kind]

    def make(kind: str) -> str:
        start = template(kind)
        if kind == "sqlite":
            copy = folder / f"{os.urandom(6).hex()}.db"
            shutil.copy(start.removeprefix("sqlite:///"), copy)
            return f"sqlite:///{copy}"
        server = postgres.server()
        new = postgres.new_database(server, template=server.set(database=start.rpartition("/")[2]))
        made.append(new)
        return new.render_as_string(hide_password=False)

    yield make
    for each in made:
        postgres.drop_database(postgres.server(), each)


@pytest.fixture(scope="module", params=KINDS)
def database_of_module(request, migrated, tmp_path_factory):
    """Give (address, file of the key) of a database that the tests of one module share, one after another."""
    url = migrated(request.param)
    yield url, tmp_path_factory.mktemp("key") / "secret.key"
    engine_for(url).dispose()


@pytest.fixture
def database(database_of_module):
    """Point this process at an empty, migrated database: every test using it runs on SQLite and on PostgreSQL.

    Gives the kind, "sqlite" or "postgresql".
    """
    url, key = database_of_module
    with configured(url, key):
        with writing() as conn:
            for table in reversed(metadata.sorted_tables):
                conn.execute(delete(table))
        yield url.partition("+")[0].partition(":")[0]


class configured:
    """Point the settings of this process at a database for a while."""

    def __init__(self, url: str, key: Path) -> None:
        self.patch = pytest.MonkeyPatch()
        self.given = {"DAOYI_DATABASE": url, "DAOYI_SECRET_FILE": str(key)}

    def __enter__(self) -> None:
        for name, value in self.given.items():
            self.patch.setenv(name, value)
        settings.cache_clear()
        secret_key.cache_clear()

    def __exit__(self, *_) -> None:
        self.patch.undo()
        settings.cache_clear()
        secret_key.cache_clear()
