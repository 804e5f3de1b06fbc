"""Alembic's environment: one connection, SQLite in batch mode."""

from alembic import context

from bot.storage import tables  # noqa: F401  (every table of the house)
from bot.storage.engine import engine_for, metadata

engine = engine_for(context.config.attributes["url"])
with engine.connect() as connection:
    connection = connection.execution_options(writes=True)
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
