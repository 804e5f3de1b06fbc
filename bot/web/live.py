"""Tells sockets that a conversation has news. The database is the truth: at each change one look for all who wait.

A watcher is only woken; it then asks the transcript for what came after the seq it has. A wake too many is harmless,
and a lost one cannot be: subscribe first, read next, wait last.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import now
from bot.conversations.marks import TYPING
from bot.conversations.tables import conversations, lines, marks
from bot.storage.engine import changes, engine, reading
from bot.web.threads import in_thread

log = logging.getLogger("daoyi.web")

LONGEST_PAUSE = 1.0  # seconds between two looks when nothing seems to change
AFTER_FAILURE = 1.0
LOOK_BACK = 200  # PostgreSQL gives ids in order but may commit them out of order: look again at this many

_HIGHEST = select(func.max(lines.c.id))
_LINES = select(lines.c.id, lines.c.conversation_id).where(lines.c.id > bindparam("after")).order_by(lines.c.id)
_TYPING = select(marks.c.conversation_id).where(
    marks.c.agent_typing_at > bindparam("since", type_=marks.c.agent_typing_at.type)
)
_AWAITED = select(conversations.c.id).where(
    conversations.c.waiting_since.is_not(None), conversations.c.holder != "agent"
)


class Watch:
    """What one watcher sees. `typing`: a turn waits or is being thought about."""

    def __init__(self) -> None:
        self.typing = False
        self.names: set[str | None] = set()  # the conversations watched; None: all, for the desk
        self._heard: set[str | None] = set()
        self._news = asyncio.Event()

    def wake(self, name: str | None = None) -> None:
        """Say that there may be news of `name`."""
        self._heard.add(name)
        self._news.set()

    def woken(self) -> set[str | None]:
        """Give what there has been news of since the last time, without waiting."""
        heard, self._heard = self._heard, set()
        self._news.clear()
        return heard

    async def changed(self, seconds: float | None = None) -> bool:
        """Wait for news, at most `seconds`. False: nothing came."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        self._news.clear()
        return True


class Live:
    """The tail of the transcript for one process."""

    def __init__(self) -> None:
        self._watches: dict[str | None, set[Watch]] = {}
        self._seen: set[int] = set()
        self._high: int | None = None
        self._typing: set[str] = set()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task | None = None

    def start(self) -> None:
        """Begin to look; called once, in the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End and wake everybody."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for name in list(self._watches):
            self._wake(name)

    @contextmanager
    def subscribe(self, conversation_id: str | None) -> Iterator[Watch]:
        """Give a Watch on one conversation, or on all (None, for the desk)."""
        watch = Watch()
        watch.typing = conversation_id in self._typing
        self.add(watch, conversation_id)
        try:
            yield watch
        finally:
            for name in list(watch.names):
                self.drop(watch, name)

    def add(self, watch: Watch, name: str | None) -> None:
        """Let it hear of one more conversation."""
        watch.names.add(name)
        self._watches.setdefault(name, set()).add(watch)
        self._wanted.set()

    def drop(self, watch: Watch, name: str | None) -> None:
        """Let it hear no more of a conversation."""
        watch.names.discard(name)
        others = self._watches[name]
        others.discard(watch)
        if not others:
            del self._watches[name]

    def hint(self, conversation_id: str | None = None, lists: bool = True) -> None:
        """Wake at once who watches a conversation that this process has just written to; `lists`: the desks, too."""
        if conversation_id is not None:
            self._wake(conversation_id)
        if lists:
            self._wake(None)

    def _wake(self, name: str | None) -> None:
        for watch in self._watches.get(name, ()):
            watch.wake(name)

    async def _run(self) -> None:
        news = changes()
        try:
            while True:
                if not self._watches:
                    self._high, self._typing = None, set()
                    self._wanted.clear()
                    await self._wanted.wait()
                news.catch_up()
                try:
                    self._tell(*await in_thread(_look, self._high))
                except SQLAlchemyError as error:
                    log.warning("the tail could not read: %s", type(error).__name__)
                    await asyncio.sleep(AFTER_FAILURE)
                await news.wait(LONGEST_PAUSE)
        finally:
            news.close()

    def _tell(self, high: int, found: dict[int, str], typing: set[str]) -> None:
        if self._high is None:  # the first look: everybody reads for himself once
            self._seen = set(found)
            for name in list(self._watches):
                self._wake(name)
        else:
            news = {found[line] for line in found.keys() - self._seen}
            for name in news:
                self._wake(name)
            if news:
                self._wake(None)
            self._seen = set(found)
        self._high = high
        for name in typing ^ self._typing:
            for watch in self._watches.get(name, ()):
                watch.typing = name in typing
                watch.wake(name)
        self._typing = typing


def _look(high: int | None) -> tuple[int, dict[int, str], set[str]]:
    """Give the newest line's id, the lines of the look-back window (id → conversation), and where an answer is written."""
    back = 0 if engine().dialect.name == "sqlite" else LOOK_BACK
    with reading() as conn:
        if high is None:
            high = conn.execute(_HIGHEST).scalar() or 0
        found = {row.id: row.conversation_id for row in conn.execute(_LINES, {"after": high - back})}
        typing = conn.execute(_TYPING, {"since": now() - TYPING}).scalars()
        return max([high, *found]), found, {*conn.execute(_AWAITED).scalars(), *typing}
