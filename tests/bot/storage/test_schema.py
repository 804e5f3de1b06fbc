"""The migrations and the tables say the same, on both databases."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.storage.engine import engine
from bot.storage.migrate import migrate
from bot.storage.tables import metadata


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
