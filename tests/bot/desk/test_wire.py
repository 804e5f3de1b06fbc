"""The desk's wire: what is new comes by itself, a cut loses and doubles nothing, and it ends with the sign-in."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from sqlalchemy import update

from bot.desk.door import SIGNED_OUT
from bot.staff import service as staff
from bot.staff.tables import signins
from bot.storage.engine import writing
from tests.bot.desk.house import ACCOUNTS, MORNING, PASSWORDS

SOON = 10  # seconds; the machine may be busy


class Wire:
    """One open socket of a page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.version = ""

    async def frame(self) -> dict:
        """Give the next frame."""
        found = json.loads((await self.socket.receive(SOON)).data)
        self.version = found.get("version", self.version)
        return found

    async def until(self, wanted) -> dict:
        """Give the first frame that is wanted."""
        while True:
            if wanted(found := await self.frame()):
                return found

    async def lines(self, count: int) -> list[str]:
        """Give the texts of the next lines of the open talk."""
        texts: list[str] = []
        while len(texts) < count:
            texts += [line["text"] for line in ((await self.frame())["chat"] or {"lines": ()})["lines"]]
        return texts

    async def close_code(self) -> int:
        """Give the code that the server closes with; frames before it are passed over."""
        while (await self.socket.receive(SOON)).type is aiohttp.WSMsgType.TEXT:
            pass
        return self.socket.close_code


@asynccontextmanager
async def wire(house, client=None, origin: str = "", **query):
    """Open a wire in the name of a client who has signed in."""
    headers = {"cookie": f"daoyi_desk={client.http.cookies['daoyi_desk']}"} if client else {}
    if origin:
        headers["origin"] = origin
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.ws_connect(f"{house.address}/desk/api/wire", params=query) as socket:
            yield Wire(socket)


def held(house, agent, *texts: str) -> str:
    """Give a talk that the agent holds."""
    chat = house.waits(*texts)
    assert agent.post(f"chats/{chat}/take").status_code == 200
    return chat


def last_of(agent, chat: str) -> int:
    return agent.get(f"chats/{chat}").json()["last_seq"]


@pytest.fixture
def agent(house):
    return house.staff("1001")


@pytest.mark.asyncio
async def test_a_line_comes_by_itself_and_so_does_the_list_it_moves(house, agent):
    chat = held(house, agent)
    async with wire(house, agent, chat=chat, since=last_of(agent, chat)) as one:
        first = await one.frame()
        assert set(first["desk"]) == {"alerts", "alerts_more", "queue", "mine", "tickets"}
        assert first["chat"]["lines"] == []
        seq = house.writes(chat, "还要等多久？")
        found = await one.until(lambda found: found["chat"] and found["chat"]["lines"])
        assert [line["text"] for line in found["chat"]["lines"]] == ["还要等多久？"]
        if not (found["desk"] or {}).get("mine"):
            found = await one.until(lambda found: (found["desk"] or {}).get("mine"))
        assert "queue" not in found["desk"]  # nobody waits more or less than before
        assert next(item for item in found["desk"]["mine"] if item["id"] == chat)["unanswered"] == [seq]


@pytest.mark.asyncio
async def test_a_wire_cut_at_every_line_loses_and_doubles_none(house, agent):
    chat = held(house, agent)
    since, seen, version = last_of(agent, chat), [], ""
    for number in range(12):
        async with wire(house, agent, chat=chat, since=since, version=version) as one:
            house.writes(chat, f"第{number}句")
            if number % 3 == 2:  # cut before anything was read
                continue
            while not seen or seen[-1] != f"第{number}句":
                found = await one.frame()
                for line in (found["chat"] or {"lines": ()})["lines"]:
                    seen.append(line["text"])
                    since = line["seq"]
            version = one.version
            one.socket._response.connection.transport.abort()  # as a cable that is pulled: no goodbye
    async with wire(house, agent, chat=chat, since=since, version=version) as one:
        seen += await one.lines(12 - len(seen))
    assert seen == [f"第{number}句" for number in range(12)]


@pytest.mark.asyncio
async def test_who_comes_back_with_what_he_has_is_told_that_nothing_is_new(house, agent):
    chat = held(house, agent)
    since = last_of(agent, chat)
    async with wire(house, agent, chat=chat, since=since) as one:
        await one.frame()
        version = one.version
    async with wire(house, agent, chat=chat, since=since, version=version) as one:
        found = await one.frame()
        assert (found["changed"], found["desk"], found["chat"]) == (False, None, None)


@pytest.mark.asyncio
async def test_a_page_turns_to_another_talk_on_the_same_wire(house, agent):
    one_chat, other = held(house, agent), held(house, agent)
    async with wire(house, agent, chat=one_chat, since=last_of(agent, one_chat)) as one:
        await one.frame()
        await one.socket.send_json({"chat": other, "since": last_of(agent, other)})
        assert (await one.until(lambda found: found["chat"]))["chat"]["id"] == other
        house.writes(one_chat, "我在旧的会话里")
        house.writes(other, "我在新的会话里")
        assert await one.lines(1) == ["我在新的会话里"]


@pytest.mark.asyncio
async def test_more_lines_than_one_answer_holds_come_all_in_order(house, agent):
    chat = held(house, agent)
    since = last_of(agent, chat)
    for number in range(520):
        house.bot_says(chat, f"{number}")
    async with wire(house, agent, chat=chat, since=since) as one:
        assert await one.lines(520) == [f"{number}" for number in range(520)]


@pytest.mark.asyncio
async def test_a_colleague_who_takes_over_takes_the_words_with_him(house, agent):
    chat = held(house, agent)
    async with wire(house, agent, chat=chat, since=last_of(agent, chat)) as one:
        await one.frame()
        assert house.staff("9001").post(f"chats/{chat}/take-over").status_code == 200
        found = (await one.until(lambda found: found["chat"] and found["chat"]["gone"]))["chat"]
        assert found["lines"] == [] and "李主管" in found["holder_name"]
        house.writes(chat, "这句话只有主管能看到")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(one.until(lambda found: found["chat"] and found["chat"]["lines"]), 1)


# ---- who may


@pytest.mark.asyncio
async def test_a_stranger_gets_a_word_and_no_more(house):
    async with wire(house) as one:
        found = await one.frame()
        assert found == {"type": "error", "code": "signed_out", "message": SIGNED_OUT}
        assert await one.close_code() == 4401


@pytest.mark.asyncio
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_page_of_another_site_gets_no_socket(house, agent, origin):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with wire(house, agent, origin=origin):
            pass
    assert refused.value.status == 403


@pytest.mark.asyncio
@pytest.mark.parametrize(("number", "role"), [(number, role) for number, _, role, _ in ACCOUNTS])
async def test_each_role_sees_the_lists_of_its_rights(house, number, role):
    waiting = house.waits("转人工")
    async with wire(house, house.staff(number)) as one:
        lists = (await one.frame())["desk"]
        serves = role in ("agent", "supervisor")
        assert (waiting in [item["id"] for item in lists["queue"]]) == serves
        assert bool(lists["tickets"]) == (role not in ("trainer", "admin"))


def _sign_out(house, client) -> None:
    client.post("sign-out")


def _new_password(house, client) -> None:
    with writing() as conn:
        staff.set_password(conn, house.id_of("1002"), PASSWORDS["1002"])


def _idle_hour(house, client) -> None:
    key = staff.key_of(client.http.cookies["daoyi_desk"])
    with writing() as conn:
        long_ago = MORNING - staff.IDLE - timedelta(minutes=1)
        conn.execute(update(signins).where(signins.c.token == key).values(used_at=long_ago))


def _closed(house, client) -> None:
    house.staff("7001").post(f"staff/{house.id_of('1002')}/close")


@pytest.mark.asyncio
@pytest.mark.parametrize("end", [_sign_out, _new_password, _idle_hour, _closed])
async def test_the_wire_ends_with_the_sign_in(house, end):
    client = house.staff("1002")
    async with wire(house, client) as one:
        await one.frame()
        end(house, client)
        assert (await one.until(lambda found: found.get("type") == "error"))["code"] == "signed_out"
        assert await one.close_code() == 4401


@pytest.mark.asyncio
@pytest.mark.parametrize("asked", ["no json", "[]", '{"chat": 5}', '{"chat": "../x"}', '{"chat": null, "since": -1}'])
async def test_what_cannot_be_read_closes_the_socket(house, agent, asked):
    async with wire(house, agent) as one:
        await one.frame()
        await one.socket.send_str(asked)
        assert await one.close_code() == 4400
