"""Callbacks are stored before they are acknowledged and worked on after it.

Storing is one insert for all that come at the same moment: two hundred patients at once wait for a few commits, not for
two hundred. Everything else that the process does for the channel lets acknowledgements go first (`Rush`).
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.clock import now
from bot.conversations.transcript import record_incident
from bot.storage.engine import reading, writing
from bot.storage.types import Encrypted, UtcDateTime
from bot.web.threads import in_thread
from channels.wechat import service
from channels.wechat.account import Account
from channels.wechat.errors import ApiError, Deed
from channels.wechat.messages import Incoming
from channels.wechat.tables import intake

log = logging.getLogger("daoyi.wechat")

LANES = 4  # workers; each patient keeps to one, so that his messages stay in order
MOST = 200  # callbacks in one insert
CALM = 0.02  # seconds without a callback that end a rush
ROOM = 1.0  # seconds for which work may be kept waiting by a rush
LEFT_BEHIND = timedelta(seconds=15)  # after which a row counts as left by a process that died …
AT_START = timedelta(seconds=1)  # … and at a start, where most often it was oneself; to work twice does no harm
LOOK_EVERY = 5.0
MOST_ATTEMPTS = 5
LATER = 4  # times the age at which it was taken up before: the last one after an hour
PICTURE_SECONDS = 2.0  # a patient's answer waits for his picture so long; then the picture comes later
KEPT = timedelta(days=2)  # WeChat repeats within seconds


# Built once: building a statement costs more than running it.
_LEAVE = (
    update(intake)
    .where(intake.c.key == bindparam("of"))
    .values(content=bindparam("rest", type_=Encrypted), done_at=bindparam("now", type_=UtcDateTime))
)


class Rush:
    """Callbacks that wait to be stored and acknowledged. A thread that works beside the loop takes the interpreter from it
    again and again: with two hundred patients at once that is most of what an acknowledgement waits for."""

    def __init__(self) -> None:
        self._count = 0
        self._last = -CALM

    def __enter__(self) -> None:
        self._count += 1

    def __exit__(self, *_) -> None:
        self._count -= 1
        self._last = monotonic()

    async def over(self, since: float) -> None:
        """Wait until no callback waits, yet not beyond ROOM seconds `since` (monotonic)."""
        while (self._count or monotonic() - self._last < CALM) and monotonic() - since < ROOM:
            await asyncio.sleep(0.01)


class Intake:
    """The intake of one process; `worked(conversation)` is called after each piece of work.

    `fetch(media id)` gives a patient's picture, None where there is none to be shown; it raises ApiError.
    """

    def __init__(self, account: Account, worked, fetch: Callable[[str], Awaitable[bytes | None]] | None) -> None:
        self._account = account
        self._worked = worked
        self._fetch = fetch
        self.rush = Rush()
        self._waiting: list[tuple[Incoming, datetime, asyncio.Future]] = []
        self._wake = asyncio.Event()
        self._lanes: list[asyncio.Queue] = [asyncio.Queue() for _ in range(LANES)]
        self._tasks: list[asyncio.Task] = []

    def start(self) -> None:
        """Begin; called once, in the running loop."""
        loop = asyncio.get_running_loop()
        ways = [self._store(), self._recover(), *(self._lane(queue) for queue in self._lanes)]
        self._tasks = [loop.create_task(way) for way in ways]

    async def stop(self) -> None:
        """End; what has been stored and not worked on waits for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def put(self, message: Incoming, answered: bool) -> None:
        """Store a callback; back when it is on disk. One that had been stored before is not worked on again."""
        done = asyncio.get_running_loop().create_future()
        moment = now()
        self._waiting.append((message, moment, done))
        self._wake.set()
        with self.rush:
            new = await done
        if new:
            self._hand_over(message, moment, answered)

    def _hand_over(self, message: Incoming, received_at: datetime, answered: bool) -> None:
        self._lanes[hash(message.openid) % LANES].put_nowait((message, received_at, answered, monotonic()))

    async def _store(self) -> None:
        while True:
            await self._wake.wait()
            taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            if not self._waiting:
                self._wake.clear()
            try:
                new = await in_thread(keep, [(message, moment) for message, moment, _ in taken])
            except Exception as error:
                log.error("callbacks could not be stored: %s", type(error).__name__)
                for _, _, done in taken:
                    if not done.done():
                        done.set_exception(NotStored())
                continue
            for message, _, done in taken:
                if not done.done():
                    done.set_result(message.key in new)
                new.discard(message.key)

    async def _lane(self, queue: asyncio.Queue) -> None:
        while True:
            message, received_at, answered, since = await queue.get()
            await self.rush.over(since)
            try:
                picture, missing = await self._picture(message)
                conversation_id = await in_thread(self._work, message, received_at, answered, picture, missing)
            except Exception as error:  # it stays in the table and is tried again
                log.error("%s could not be worked on: %s", message.kind, type(error).__name__)
                continue
            if conversation_id is not None:
                self._worked(conversation_id, message)

    async def _picture(self, message: Incoming) -> tuple[bytes | None, bool]:
        """Give the picture that belongs to a callback, and whether it has to be fetched later; WeChat keeps it 3 days."""
        media = message.fields.get("MediaId") if message.kind in ("image", service.LATE) else None
        if not media or self._fetch is None:
            return None, False
        try:
            return await asyncio.wait_for(
                self._fetch(media), PICTURE_SECONDS if message.kind == "image" else None
            ), False
        except asyncio.TimeoutError:
            return None, True
        except ApiError as error:
            log.warning("a picture could not be fetched: %s", error)
            return None, error.deed is not Deed.DROP

    def _work(
        self, message: Incoming, received_at: datetime, answered: bool, picture: bytes | None, missing: bool
    ) -> str | None:
        if message.kind == service.LATE:
            conversation_id, rest = None, message
            if not missing:
                service.late_picture(message, picture, now())
        else:
            conversation_id = service.work(self._account, message, received_at, answered, now(), picture, missing)
            rest = service.late(message, conversation_id or "")
        with writing() as conn:
            left = {"rest": _written(rest), "now": None} if missing else {"rest": None, "now": now()}
            conn.execute(_LEAVE, {"of": message.key, **left})
        return conversation_id

    async def _recover(self) -> None:
        """Take up what a process that died had stored; nobody knows whether its fixed text was read, so it is sent."""
        age = AT_START
        while True:
            try:
                for message, received_at in await in_thread(left_behind, now(), age):
                    self._hand_over(message, received_at, False)
                age = LEFT_BEHIND
                await in_thread(clear, now())
            except Exception as error:
                log.error("the intake could not be looked through: %s", type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)


class NotStored(Exception):
    """The database did not take it: it must not be acknowledged as taken."""


def keep(callbacks: list[tuple[Incoming, datetime]]) -> set[str]:
    """Store callbacks in one transaction and give the keys that are new."""
    rows = {
        message.key: {
            "key": message.key,
            "content": _written(message),
            "received_at": moment,
            "attempts": 0,
        }
        for message, moment in callbacks
    }
    with writing() as conn:
        for key in conn.execute(select(intake.c.key).where(intake.c.key.in_(list(rows)))).scalars():
            del rows[key]
        if not rows:
            return set()
        try:
            with conn.begin_nested():
                conn.execute(insert(intake), list(rows.values()))
            return set(rows)
        except IntegrityError:  # another process stored one of them at this very moment
            return {key for key, row in rows.items() if _kept_alone(conn, row)}


def _written(message: Incoming) -> str:
    return json.dumps(message.plain(), ensure_ascii=False)


def _kept_alone(conn, row: dict) -> bool:
    try:
        with conn.begin_nested():
            conn.execute(insert(intake), row)
        return True
    except IntegrityError:
        return False


def left_behind(moment: datetime, age: timedelta) -> list[tuple[Incoming, datetime]]:
    """Give callbacks that were stored `age` ago and never finished, the oldest first.

    Each a few times at most, and each time LATER: WeChat's API may be away for a while.
    """
    late = [
        and_(intake.c.attempts == number, intake.c.received_at < moment - age * LATER**number)
        for number in range(MOST_ATTEMPTS)
    ]
    old = (intake.c.done_at.is_(None), or_(*late))
    with reading() as conn:
        if conn.execute(select(intake.c.id).where(*old).limit(1)).first() is None:
            return []
    with writing() as conn:
        rows = conn.execute(select(intake).where(*old).order_by(intake.c.id).limit(MOST)).all()
        conn.execute(
            update(intake).where(intake.c.id.in_([row.id for row in rows])).values(attempts=intake.c.attempts + 1)
        )
        for row in rows:
            if row.attempts + 1 == MOST_ATTEMPTS:
                record_incident(conn, None, "wechat_intake", f"callback {row.id} could not be worked on", moment)
    return [(Incoming(**json.loads(row.content)), row.received_at) for row in rows]


def clear(moment: datetime) -> None:
    """Remove what is old, finished or given up; the keys are needed only while WeChat may repeat."""
    over = or_(intake.c.done_at.is_not(None), intake.c.attempts >= MOST_ATTEMPTS)
    old = (intake.c.received_at < moment - KEPT, over)
    with reading() as conn:
        if conn.execute(select(intake.c.id).where(*old).limit(1)).first() is None:
            return
    with writing() as conn:
        conn.execute(delete(intake).where(*old))
