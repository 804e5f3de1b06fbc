"""Whoever waits hears of a commit at once, of no rollback, and goes on when what brings the news has died."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import func, insert, select, text

from bot.conversations.tables import incidents
from bot.settings import ROOT
from bot.storage.changes import folder_of
from bot.storage.engine import changes, engine, writing
from tests.builders import MONDAY
from tests.conftest import configured

LONG = 20.0  # seconds nobody should have to wait


def commit() -> None:
    with writing() as conn:
        conn.execute(insert(incidents).values(kind="test", detail="", at=MONDAY))


def roll_back() -> None:
    with pytest.raises(ZeroDivisionError), writing() as conn:
        conn.execute(insert(incidents).values(kind="test", detail="", at=MONDAY))
        raise ZeroDivisionError


@pytest.fixture
def sqlite(migrated, tmp_path):
    with configured(migrated("sqlite"), tmp_path / "secret.key"):
        yield


@pytest.fixture
async def ear(database):
    """A listener that knows all that has been committed so far."""
    ear = changes()
    await ear.wait(0.01)
    ear.catch_up()
    yield ear
    ear.close()


async def waited(ear, seconds: float = LONG) -> float:
    started = time.monotonic()
    await ear.wait(seconds)
    return time.monotonic() - started


def test_a_listener_that_dies_while_it_is_told_disturbs_no_commit(sqlite, monkeypatch):
    folder = folder_of(engine())
    folder.mkdir()
    os.mkfifo(folder / "dying")
    listener, write = os.open(folder / "dying", os.O_RDONLY | os.O_NONBLOCK), os.write

    def write_to_the_dead(handle: int, content: bytes) -> int:
        os.close(listener)
        return write(handle, content)

    monkeypatch.setattr(os, "write", write_to_the_dead)
    commit()
    with engine().connect() as conn:
        assert conn.execute(select(func.count()).select_from(incidents)).scalar_one() == 1


async def test_a_commit_ends_the_wait(ear):
    wait = asyncio.create_task(waited(ear))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(commit)
    assert await wait < LONG / 2


async def test_what_is_committed_between_looking_and_waiting_is_not_missed(ear):
    await asyncio.to_thread(commit)
    assert await waited(ear) < LONG / 2


async def test_a_rollback_and_what_was_known_before_are_no_news(ear):
    await asyncio.to_thread(roll_back)
    assert await waited(ear, 0.3) >= 0.3
    await asyncio.to_thread(commit)
    await ear.wait(LONG)
    ear.catch_up()
    assert await waited(ear, 0.3) >= 0.3


async def test_every_listener_hears(ear):
    other = changes()
    await other.wait(0.01)
    other.catch_up()
    await asyncio.to_thread(commit)
    assert await waited(ear) + await waited(other) < LONG / 2
    other.close()


async def test_a_listener_comes_back_after_its_connection_was_cut(ear):
    if engine().dialect.name == "sqlite":
        os.unlink(next(folder_of(engine()).iterdir()))
        ear.close()
    else:
        with engine().connect() as conn:
            conn.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
                )
            )
    await ear.wait(0.3)
    await ear.wait(0.3)  # listens again
    ear.catch_up()
    await asyncio.to_thread(commit)
    assert await waited(ear) < LONG / 2


def test_the_pipe_of_a_listener_that_died_is_cleared_away(sqlite):
    folder = folder_of(engine())
    folder.mkdir()
    os.mkfifo(folder / "4711-dead")
    commit()
    assert list(folder.iterdir()) == []


def test_a_writer_that_is_killed_in_the_line_holds_up_nobody(sqlite):
    holds = "from bot.storage.engine import writing\nwith writing(): print('in', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", holds], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "in\n"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    started = time.monotonic()
    commit()
    assert time.monotonic() - started < LONG / 2
