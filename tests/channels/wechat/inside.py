"""The channel inside the test's own loop, with the played WeChat in the same loop: for what needs no second process."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from aiohttp.test_utils import TestServer
from sqlalchemy import select

from bot.clock import now
from bot.conversations import inbound, outbox, transcript, turns
from bot.conversations.transcript import Line
from bot.conversations.turns import Outcome
from bot.settings import settings
from bot.storage.engine import reading, writing
from bot.storage.types import fingerprint
from channels.wechat import service
from channels.wechat.account import CHANNEL, MESSAGE, account
from channels.wechat.blueprint import Channel
from channels.wechat.messages import Incoming, incoming, read_xml
from channels.wechat.tables import intake
from tests.channels.wechat import simulator


class Inside:
    """A channel, the played WeChat, and a hand that plays the bot."""

    def __init__(self, channel: Channel, wechat: simulator.WeChat) -> None:
        self.channel = channel
        self.wechat = wechat

    async def hears(self, fields: dict) -> str | None:
        """Push a callback past the door; gives the fixed or passive reply."""
        self.wechat.allow(fields)
        return await self.channel.answer(read(fields))

    async def settled(self) -> None:
        """Wait until everything stored has been worked on."""
        await until(lambda: not service_open())

    def known(self, who: str) -> str:
        """Give the conversation of a new patient who has just written."""
        chat = service.conversation_of(who)
        if chat is None:
            chat = inbound.open_conversation(CHANNEL, fingerprint(who), now())
            with writing() as conn:
                outbox.meet(conn, chat, who)
                outbox.heard(conn, chat, MESSAGE, True, now())
        return chat

    def say(self, who: str, *said: str | Line) -> str:
        """Let the bot say lines; gives the conversation."""
        chat = self.known(who)
        self.wechat.allow({"MsgType": "text", "FromUserName": who})
        with writing() as conn:
            lines = [one if isinstance(one, Line) else Line("bot", one) for one in said]
            transcript.append(conn, chat, lines, now())
        return chat

    def sent(self, who: str) -> list[dict]:
        return [one for one in self.wechat.sends if one["touser"] == who]

    async def sends(self, who: str, count: int = 1) -> list[dict]:
        await until(lambda: len(self.sent(who)) >= count)
        return self.sent(who)

    async def answer(self, who: str, text: str) -> None:
        """Take the turn that waits and answer it."""
        taken = []
        await until(lambda: taken.append(turns.claim("test", now(), timedelta(0))) or taken[-1] is not None)
        assert taken[-1].conversation_id == service.conversation_of(who)
        assert turns.commit(taken[-1], Outcome({}, [Line("bot", text)]), now())


def service_open() -> bool:
    with reading() as conn:
        return conn.execute(select(intake.c.id).where(intake.c.done_at.is_(None))).first() is not None


def read(fields: dict) -> Incoming:
    return incoming(read_xml(simulator.to_xml(fields).encode()))


async def until(found, seconds: float = 10.0):
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not found():
        assert loop.time() < end, "it did not come"
        await asyncio.sleep(0.02)


async def inside(monkeypatch, database: str, folder, **changes) -> tuple[Inside, TestServer]:
    """Give the channel, started, over `database`; `changes` are fields of Account."""
    made = simulator.app()
    server = TestServer(made)
    await server.start_server()
    given = {
        "DATABASE": database,
        "SECRET_FILE": str(folder / "secret.key"),
        "WECHAT_APP_ID": simulator.APP_ID,
        "WECHAT_ORIGINAL_ID": simulator.ORIGINAL,
        "WECHAT_TOKEN": simulator.TOKEN,
        "WECHAT_AES_KEY": simulator.KEY,
        "WECHAT_SECRET": simulator.SECRET,
        "WECHAT_API": str(server.make_url("")),
    }
    for name, value in given.items():
        monkeypatch.setenv(f"DAOYI_{name}", value)
    settings.cache_clear()
    channel = Channel(replace(account(), **changes))
    await channel.start()
    return Inside(channel, made[simulator.PLAYED]), server
