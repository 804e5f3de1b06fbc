"""The database: SQLite by default, PostgreSQL by one setting.

Rules hold everywhere: a write transaction is short, starts as a writer, and never spans an await.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock, RLock

from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.pool import QueuePool

from bot.settings import settings
from bot.storage.changes import Changes, announce, announce_with, folder_of

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_making = Lock()


def _sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(dbapi, _record):
        dbapi.isolation_level = None  # we say BEGIN ourselves
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("PRAGMA synchronous=NORMAL")
        dbapi.execute("PRAGMA foreign_keys=ON")
        dbapi.execute("PRAGMA busy_timeout=20000")

    @event.listens_for(engine, "begin")
    def begin(connection):
        # A read that turns into a write fails at once in SQLite (no waiting): writers say so at the start.
        # Past SQLAlchemy, where the word BEGIN would cost as much as a statement.
        writes = connection.get_execution_options().get("writes", False)
        connection.connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")


@lru_cache(maxsize=16)
def engine_for(url: str) -> Engine:
    """Give the process's one engine for an address."""
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        if target.database:
            Path(target.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            url,
            future=True,
            hide_parameters=True,  # an error's text must not carry patients' words into the log
            poolclass=QueuePool,
            pool_size=32,
            max_overflow=0,
            connect_args={"check_same_thread": False, "timeout": 20},
        )
        _sqlite(engine)
        return engine
    # A PostgreSQL admits 100 connections unless told otherwise: nine processes of the house fit, their threads wait for
    # their turn. No overflow: connections made for one statement and closed again cost more than the statement.
    return create_engine(url, future=True, hide_parameters=True, pool_size=10, max_overflow=0, pool_pre_ping=True)


_line = RLock()


def engine() -> Engine:
    """Give the engine of the configured database."""
    with _making:  # a cache alone lets threads that come first at the same moment each make one, with its own pool
        return engine_for(settings().database)


@contextmanager
def reading() -> Iterator[Connection]:
    """Open a short read; rolled back at the end."""
    with engine().connect() as connection:
        yield connection


def changes() -> Changes:
    """Give this event loop's ear for what is committed to the configured database; close it in the end."""
    return Changes(engine())


@contextmanager
def writing() -> Iterator[Connection]:
    """Open a short write; committed at the end and announced to who listens, rolled back on an error."""
    target = engine()
    if target.dialect.name == "sqlite":
        with _in_line(target.url.database), _transaction(target) as connection:
            yield connection
        announce(folder_of(target))
    else:
        with _transaction(target) as connection:
            yield connection
            announce_with(connection)


@contextmanager
def _transaction(target: Engine) -> Iterator[Connection]:
    with target.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            yield connection


@contextmanager
def _in_line(database: str) -> Iterator[None]:
    """SQLite has one writer, and a loser sleeps up to 100 ms before it looks again: a danger text would wait for that.

    A lock wakes the next one at once: one for the threads, one for the processes. The system frees it when its holder dies.
    """
    with _line:
        handle = _lock_file(database)
        fcntl.lockf(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(handle, fcntl.LOCK_UN)


@lru_cache(maxsize=16)
def _lock_file(database: str):
    return open(f"{database}.lock", "w")
