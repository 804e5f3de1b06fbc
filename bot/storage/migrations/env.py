"""Alembic's environment: one connection, SQLite in batch mode."""

from alembic import context

from bot.storage import tables  # noqa: F401  (every table of the house)
from bot.storage.engine import engine_for, metadata


def _render(kind, item, _context):
    """Write our column types as what they are in the database."""
    if kind == "type" and type(item).__module__ == "bot.storage.types":
        return {"UtcDateTime": "sa.DateTime()", "Json": "sa.Text()", "Encrypted": "sa.LargeBinary()"}[
            type(item).__name__
        ]
    return False


engine = engine_for(context.config.attributes["url"])
with engine.connect() as connection:
    connection = connection.execution_options(writes=True)
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, render_item=_render)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
