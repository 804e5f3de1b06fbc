"""Tells event loops of all processes that somebody has committed: no process asks the database again and again.

PostgreSQL has NOTIFY, which arrives with the commit. SQLite has nothing like it, and its processes share one machine: each
listener keeps a named pipe in a folder beside the file, and who has committed writes a byte into every pipe (7 µs each).
A wake may come too often, and one may be lost with its connection: who waits looks for himself every `seconds`.
"""

import asyncio
import errno
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

import psycopg2
from sqlalchemy.engine import Connection, Engine

log = logging.getLogger(__name__)
CHANNEL = "daoyi"


def announce_with(connection: Connection) -> None:
    """PostgreSQL: have the commit of this connection's transaction announced."""
    connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


def announce(folder: Path) -> None:
    """SQLite: say to all who listen in `folder` that a transaction has been committed."""
    with suppress(FileNotFoundError):  # nobody has ever listened
        for name in os.listdir(folder):
            if not name.startswith("."):
                _wake(folder / name)


def _wake(pipe: Path) -> None:
    try:
        handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:  # its listener has died
            pipe.unlink(missing_ok=True)
        return
    with suppress(BlockingIOError, BrokenPipeError):  # full: it will wake anyway; or its listener dies at this moment
        os.write(handle, b".")
    os.close(handle)


def folder_of(target: Engine) -> Path:
    """Give the folder with the pipes of a SQLite database."""
    return Path(f"{target.url.database}.listeners")


class Changes:
    """What one event loop hears. Use: `catch_up()`, look at the database, `await wait(seconds)`, and again."""

    def __init__(self, target: Engine) -> None:
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._handle: int | None = None  # what the loop watches
        self._pipe: Path | None = None
        self._connection = None

    def catch_up(self) -> None:
        """Take what has been committed so far as known; what is committed from now on ends the next wait."""
        self._hear()
        self._news.clear()

    async def wait(self, seconds: float) -> None:
        """Come back at the first commit that is not known yet, at the latest after `seconds`."""
        if self._handle is None:
            await self._listen()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)

    def close(self) -> None:
        """Stop listening; a later wait begins anew."""
        if self._handle is None:
            return
        self._loop.remove_reader(self._handle)
        if self._pipe is not None:
            self._pipe.unlink(missing_ok=True)
            os.close(self._handle)
        else:
            self._connection.close()
        self._handle = self._pipe = self._connection = None

    async def _listen(self) -> None:
        try:
            if self._target.dialect.name == "sqlite":
                self._make_pipe()
            else:
                await self._loop.run_in_executor(None, self._connect)
        except (OSError, psycopg2.Error) as error:
            log.warning("no news of the database, looking now and then: %s", type(error).__name__)
            return
        self._loop.add_reader(self._handle, self._hear)
        self._news.set()  # what was committed before we listened

    def _make_pipe(self) -> None:
        folder = folder_of(self._target)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        os.mkfifo(folder / f".{name}", 0o600)
        self._handle = os.open(folder / f".{name}", os.O_RDWR | os.O_NONBLOCK)
        self._pipe = (folder / f".{name}").rename(folder / name)  # open before anybody sees it

    def _connect(self) -> None:
        given = self._target.dialect.create_connect_args(self._target.url)
        connection = psycopg2.connect(*given[0], **given[1])
        connection.autocommit = True
        connection.cursor().execute(f"LISTEN {CHANNEL}")
        self._connection, self._handle = connection, connection.fileno()

    def _hear(self) -> None:
        if self._pipe is not None:
            with suppress(BlockingIOError):
                os.read(self._handle, 65536)
                self._news.set()
        elif self._connection is not None:
            try:
                self._connection.poll()
            except psycopg2.Error as error:
                log.warning("the connection that brings news is gone: %s", type(error).__name__)
                self.close()
                return
            if self._connection.notifies:
                self._connection.notifies.clear()
                self._news.set()
