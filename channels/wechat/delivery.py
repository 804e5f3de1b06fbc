"""From the outbox to WeChat: a batch at a time for each patient, every error with its deed (errors.py)."""

import asyncio
import base64
import binascii
import logging
import os
import socket
import time
from datetime import datetime, timedelta

from sqlalchemy import insert, select

from bot.clock import now
from bot.conversations import outbox
from bot.conversations.outbox import Batch
from bot.conversations.tables import conversations, images
from bot.conversations.transcript import record_incident
from bot.storage.engine import reading, writing
from bot.web.threads import in_thread
from channels.wechat import replies
from channels.wechat.account import Account
from channels.wechat.client import Client
from channels.wechat.errors import ApiError, Deed
from channels.wechat.intake import Rush
from channels.wechat.tables import notices

log = logging.getLogger("daoyi.wechat")

SEND = "/cgi-bin/message/custom/send"
NOTICE = {"template": "/cgi-bin/message/template/send", "subscribe": "/cgi-bin/message/subscribe/bizsend"}
AT_ONCE = 16
MOST_ASIDE = 20
EVERY = 0.15  # seconds between two looks at the outbox
AFTER_FAILURE = 1.0
TYPING_AFTER = 1.5  # seconds of silence (R24)
MOST_ATTEMPTS = 30
REPORT_EVERY = 3600.0


class Delivery:
    """The sender of one process."""

    def __init__(self, account: Account, client: Client, rush: Rush) -> None:
        self._account = account
        self._client = client
        self._rush = rush
        self._owner = f"{os.environ.get('DAOYI_WORKER') or f'{socket.gethostname()}:{os.getpid()}'}/wechat"[-80:]
        self._menus = True  # until WeChat says that the account may not (40200)
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task | None = None
        self._under_way: set[asyncio.Task] = set()
        self._aside: set[asyncio.Task] = set()  # typing: it never holds up a batch
        self._reported: dict[int, float] = {}
        self.answering: set[str] = set()  # conversations whose answer may still leave within the acknowledgement

    def start(self) -> None:
        """Begin; called once, in the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End after what is under way."""
        # Not by cancel(): wait_for of Python 3.10 loses a cancellation that meets a wake.
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        for task in self._aside:
            task.cancel()
        if waiting := self._under_way | self._aside:
            await asyncio.wait(waiting, timeout=5)

    def hint(self) -> None:
        """Say that there may be something to send."""
        self._wake.set()

    async def _run(self) -> None:
        await in_thread(outbox.void_leases, self._owner, now())
        while not self._stopping:
            await self._rush.over(time.monotonic())
            free = AT_ONCE - len(self._under_way)
            pause = EVERY
            if free > 0:
                try:
                    for batch in await in_thread(self._claim, free):
                        self._keep(self._send(batch))
                except Exception as error:
                    log.error("the outbox could not be read: %s", type(error).__name__)
                    pause = AFTER_FAILURE
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
                self._wake.clear()
            except asyncio.TimeoutError:
                pass

    def _keep(self, way) -> None:
        task = asyncio.get_running_loop().create_task(way)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda _: self._wake.set())

    def _keep_aside(self, way) -> None:
        task = asyncio.get_running_loop().create_task(way)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    def _claim(self, most: int) -> list[Batch]:
        return outbox.claim(self._owner, now(), self._compose, most, frozenset(self.answering))

    def _compose(self, lines: list) -> list[dict]:
        return replies.compose(lines, self._menus)

    async def _send(self, batch: Batch) -> None:
        done = batch.done
        try:
            if not batch.parcels[done:]:
                await in_thread(_write, outbox.arrived, batch, done, now())
            for parcel in batch.parcels[done:]:
                await self._rush.over(time.monotonic())
                if not await in_thread(_write, outbox.spend, batch.conversation_id, now()):
                    await self._nothing_left(batch)
                    return
                await self._one(batch, parcel)
                done += 1
                await in_thread(_write, outbox.arrived, batch, done, now())
        except ApiError as error:
            await self._failed(batch, error)
        except Exception as error:
            log.error("batch %s: %s", batch.id, type(error).__name__)
            await in_thread(_write, outbox.put_off, batch, type(error).__name__, now() + timedelta(seconds=30))

    async def _one(self, batch: Batch, parcel: dict) -> None:
        media = ""
        if parcel["type"] == "image":
            content = await in_thread(_picture, batch.conversation_id, parcel["token"])
            if content is None:
                return  # erased meanwhile
            media = await self._client.upload_image(content)
        if parcel["type"] == "menu" and not self._menus:
            parcel = replies.numbered(parcel)
        try:
            await self._client.call(SEND, replies.body(parcel, batch.address, media))
        except ApiError as error:
            if error.deed is Deed.MENU and parcel["type"] == "menu":
                log.warning("the account may not send menu messages: choices are numbered from now on")
                self._menus = False
                await self._client.call(SEND, replies.body(replies.numbered(parcel), batch.address))
            elif error.deed is Deed.SHORTER and parcel["type"] == "text":
                for piece in replies.divide(parcel["text"], replies.size(parcel["text"]) // 2 + 8):
                    await self._client.call(SEND, replies.body({**parcel, "text": piece}, batch.address))
            else:
                raise

    async def _failed(self, batch: Batch, error: ApiError) -> None:
        deed = error.deed
        log.warning("batch %s: %s", batch.id, error)
        if deed is Deed.HOLD:
            await in_thread(_write, outbox.exhausted, batch.conversation_id)
            await self._nothing_left(batch, str(error.code))
            return
        if deed in (Deed.ALARM, Deed.DROP) and time.monotonic() >= self._reported.get(error.code, 0.0):
            self._reported[error.code] = time.monotonic() + REPORT_EVERY
            await in_thread(_report, batch.conversation_id, error)
        if deed in (Deed.GONE, Deed.DROP, Deed.SHORTER, Deed.MENU) or batch.attempts >= MOST_ATTEMPTS:
            await in_thread(_write, outbox.drop, batch, str(error.code))
            return
        await in_thread(_write, outbox.put_off, batch, str(error.code), now() + error.wait)

    async def _nothing_left(self, batch: Batch, error: str = "quota") -> None:
        """The patient must write first: keep it, unless it is something that a notice may tell him."""
        for line in batch.lines:
            wanted = (line.meta or {}).get("notice")
            notice = self._account.notices.get(wanted["kind"]) if wanted else None
            if notice is not None:
                result, message_id = "sent", None
                try:
                    body = notice.body(batch.address, wanted.get("facts") or {})
                    answer = await self._client.call(NOTICE[notice.way], body)
                    message_id = str(answer.get("msgid") or "") or None
                except ApiError as refused:
                    result = str(refused.code)
                except KeyError as missing:
                    result = f"fact {missing} is missing"
                await in_thread(_write, _note, batch.conversation_id, notice.kind, result, message_id, now())
        await in_thread(_write, outbox.put_off, batch, error, None)

    def typing_soon(self, conversation_id: str, openid: str) -> None:
        """Show 正在输入 when the answer takes a while; in a rush answers matter more."""
        if len(self._aside) < MOST_ASIDE:
            self._keep_aside(self._typing(conversation_id, openid))

    async def _typing(self, conversation_id: str, openid: str) -> None:
        await asyncio.sleep(TYPING_AFTER)
        if await in_thread(_still_waits, conversation_id):
            await self._client.typing(openid)


def _write(deed, *args):
    with writing() as conn:
        return deed(conn, *args)


def _note(conn, conversation_id: str, kind: str, result: str, message_id: str | None, at: datetime) -> None:
    values = dict(conversation_id=conversation_id, kind=kind, result=result[:40], message_id=message_id, at=at)
    conn.execute(insert(notices).values(**values))


def _report(conversation_id: str, error: ApiError) -> None:
    with writing() as conn:
        record_incident(conn, conversation_id, "wechat_refused", str(error), now())


def _picture(conversation_id: str, token: str) -> bytes | None:
    with reading() as conn:
        content = conn.execute(
            select(images.c.content).where(images.c.token == token, images.c.conversation_id == conversation_id)
        ).scalar()
    try:
        return None if content is None else base64.b64decode(content, validate=True)
    except binascii.Error:
        return None


def _still_waits(conversation_id: str) -> bool:
    with reading() as conn:
        row = conn.execute(select(conversations).where(conversations.c.id == conversation_id)).first()
    return row is not None and row.waiting_since is not None and row.holder != "agent"
