"""What every room's tests share: a migrated database of each kind, empty for each test."""

import os
import shutil
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck
from hypothesis import settings as examples
from sqlalchemy import insert

from bot.patients.tables import audit, audit_retention
from bot.settings import secret_key, settings
from bot.staff import service as staff
from bot.storage.engine import engine_for, writing
from bot.storage.migrate import migrate
from bot.storage.tables import metadata
from tests import postgres

KINDS = ("sqlite", "postgresql")

# How fast a busy machine draws examples is no property of the code.
examples.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("unhurried")


@pytest.fixture(scope="module", autouse=True)
def own_settings():
    """Fail a file that leaves a setting behind: the next one would run under a clock or a database not its own."""
    before = _settings()
    yield
    assert _settings() == before


def _settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("DAOYI_")}


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


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords():
    """Hash passwords with the least work: a stored hash tells how it was made, so sign-in is cheap, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def shared(migrated, tmp_path_factory):
    """Give a function from a kind to the database of it that tests share, one after another; and the file of their key."""
    made = lru_cache(migrated)
    yield made, tmp_path_factory.mktemp("key") / "secret.key"
    for kind in KINDS:
        engine_for(made(kind)).dispose()


@pytest.fixture(params=KINDS)
def database(request, shared):
    """Point this process at an empty, migrated database: every test using it runs on SQLite and on PostgreSQL.

    Gives the kind, "sqlite" or "postgresql".
    """
    made, key = shared
    url = made(request.param)
    with configured(url, key):
        with writing() as conn:
            conn.execute(insert(audit_retention).values(before=datetime.max.replace(tzinfo=timezone.utc)))
            tables = [audit, *reversed(metadata.sorted_tables)]
            if conn.dialect.name == "postgresql":
                conn.exec_driver_sql("; ".join(f"DELETE FROM {table.name}" for table in tables))
            else:
                for table in tables:
                    conn.exec_driver_sql(f"DELETE FROM {table.name}")
        yield request.param


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
