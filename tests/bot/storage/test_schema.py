"""The migrations and the tables say the same, on both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.patients import access
from bot.patients.tables import audit
from bot.storage.engine import engine, engine_for, reading, writing
from bot.storage.migrate import migrate
from bot.storage.tables import metadata
from tests.builders import MONDAY


def _same_type(_context, _column, _declared_column, found, declared) -> bool | None:
    """Our column types are stored as what they wrap: tell Alembic a difference only when that differs."""
    plain = declared.impl if isinstance(declared, sa.types.TypeDecorator) else declared
    same_kind = isinstance(found, plain._type_affinity)
    same_length = getattr(found, "length", None) == getattr(plain, "length", None)
    return not (same_kind and same_length)


def test_the_migrated_schema_is_the_one_that_the_tables_describe(database):
    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": _same_type})
        assert compare_metadata(context, metadata) == []


def test_migrating_a_second_time_changes_nothing(database):
    before = sa.inspect(engine()).get_table_names()
    migrate()
    assert sa.inspect(engine()).get_table_names() == before


@pytest.mark.parametrize("deed", ["UPDATE audit SET actor = 'staff:1'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_or_remove_a_line_of_the_audit(database, deed):
    with writing() as conn:
        access.record(conn, "staff:1001", "read", MONDAY)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), writing() as conn:
        conn.execute(sa.text(deed))
    with reading() as conn:
        assert conn.execute(sa.select(audit.c.actor)).scalars().all() == ["staff:1001"]


def test_retention_removes_what_is_older_and_nothing_else(database):
    with writing() as conn:
        access.record(conn, "staff:1001", "read", MONDAY - timedelta(days=400))
        access.record(conn, "staff:1002", "read", MONDAY - timedelta(days=100))
        assert access.forget_old(conn, MONDAY, days=183) == 1
        assert conn.execute(sa.select(audit.c.actor)).scalars().all() == ["staff:1002"]
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), writing() as conn:
        conn.execute(sa.delete(audit))


def test_tables_made_without_migrations_guard_the_audit_too(tmp_path):
    engine = engine_for(f"sqlite:///{tmp_path}/made.db")
    metadata.create_all(engine)
    with engine.begin() as conn:
        names = conn.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
    assert sorted(names) == ["audit_kept", "audit_unchanged"]
