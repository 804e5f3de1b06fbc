"""The chat's WebSocket, as the widget uses it."""

import asyncio
import json
import time
from types import SimpleNamespace

import pytest
import websockets
from websockets.connection import CLOSED, OPEN
from websockets.exceptions import ConnectionClosed, InvalidStatusCode

from bot.conversations.transcript import Line
from bot.web.live import Live
from channels.web import socket
from channels.web.socket import Talk
from tests.channels.web.house import running_house


def address(house, token: str, since: int = 0) -> str:
    return f"ws://127.0.0.1:{house.port}/chat/socket?token={token}&since={since}"


async def heard(ws, kind: str, seconds: float = 5) -> dict:
    until = time.monotonic() + seconds
    while True:
        message = json.loads(await asyncio.wait_for(ws.recv(), until - time.monotonic()))
        if message["type"] == kind:
            return message


async def write(ws, **message) -> None:
    await ws.send(json.dumps({"type": "message", **message}, ensure_ascii=False))


async def test_a_message_is_acknowledged_and_comes_back_as_a_line(house):
    token = house.session()
    async with websockets.connect(address(house, token)) as ws:
        await write(ws, client_id="c1", text="  2*3 <37.3℃ 𠮷")
        first, second = [await heard_any(ws, ("ack", "line")) for _ in range(2)]
        by_kind = {first["type"]: first, second["type"]: second}
        assert by_kind["ack"] == {"type": "ack", "client_id": "c1", "seq": 1, "duplicate": False}
        assert by_kind["line"]["line"]["text"] == "  2*3 <37.3℃ 𠮷"
        await write(ws, client_id="c1", text="  2*3 <37.3℃ 𠮷")
        assert (await heard(ws, "ack"))["duplicate"] is True
    assert len(house.lines(token)) == 1


async def heard_any(ws, kinds: tuple[str, ...]) -> dict:
    while True:
        message = json.loads(await asyncio.wait_for(ws.recv(), 5))
        if message["type"] in kinds:
            return message


async def test_a_line_of_another_process_arrives_within_a_quarter_second(house):
    token = house.session()
    await asyncio.to_thread(house.send, token, "您好")
    async with websockets.connect(address(house, token, since=1)) as ws:
        await heard(ws, "typing")
        slowest = 0.0
        for number in range(5):
            started = time.monotonic()
            await asyncio.to_thread(house.say, token, Line("bot", f"第{number}句"))
            assert (await heard(ws, "line"))["line"]["text"] == f"第{number}句"
            slowest = max(slowest, time.monotonic() - started)
        assert slowest < 0.25


async def test_typing_is_on_while_a_turn_waits_and_off_after_the_answer(house):
    token = house.session()
    async with websockets.connect(address(house, token)) as ws:
        assert (await heard(ws, "typing"))["on"] is False
        await write(ws, client_id="c1", text="您好")
        assert (await heard(ws, "typing"))["on"] is True
        await asyncio.to_thread(house.answer, token, "您好，请讲")
        assert (await heard(ws, "line"))["line"]["sender"] in ("patient", "bot")
        assert (await heard(ws, "typing"))["on"] is False


async def test_a_socket_begins_after_the_seq_it_names(house):
    token = house.session()
    await asyncio.to_thread(house.send, token, "您好")
    await asyncio.to_thread(house.say, token, *[Line("bot", f"第{n}句") for n in range(2, 12)])
    async with websockets.connect(address(house, token, since=9)) as ws:
        assert [(await heard(ws, "line"))["line"]["seq"] for _ in range(2)] == [10, 11]


async def test_two_sockets_of_one_session_see_the_same(house):
    token = house.session()
    async with websockets.connect(address(house, token)) as one, websockets.connect(address(house, token)) as two:
        await write(one, client_id="c1", text="您好")
        assert (await heard(one, "line"))["line"] == (await heard(two, "line"))["line"]


async def test_a_session_never_hears_another(house):
    mine, other = house.session(), house.session()
    async with websockets.connect(address(house, other)) as ws:
        await heard(ws, "typing")
        await asyncio.to_thread(house.send, mine, "我的事")
        with pytest.raises(asyncio.TimeoutError):
            await heard(ws, "line", 0.6)


@pytest.mark.parametrize("token", ["", "x.y.z"])
async def test_a_void_token_is_told_and_closed_with_4401(house, token):
    async with websockets.connect(address(house, token)) as ws:
        assert json.loads(await ws.recv())["code"] == "session_over"
        with pytest.raises(ConnectionClosed):
            await ws.recv()
        assert ws.close_code == 4401


async def test_a_page_of_an_unknown_site_gets_no_socket(house):
    with pytest.raises(InvalidStatusCode) as refused:
        async with websockets.connect(address(house, house.session()), origin="https://evil.example"):
            pass
    assert refused.value.status_code == 403


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "bad_request"),
        ("[]", "bad_request"),
        ('{"type":"dance"}', "bad_request"),
        ('{"type":"message","text":"x"}', "bad_client_id"),
        ('{"type":"message","client_id":"a","text":" "}', "empty"),
        (json.dumps({"type": "message", "client_id": "a", "text": "长" * 4001}), "too_long"),
        (b"\xff\xfe\x00", "bad_request"),
    ],
)
async def test_a_bad_frame_is_answered_in_kind_words_and_the_socket_lives_on(house, frame, code):
    token = house.session()
    async with websockets.connect(address(house, token)) as ws:
        await ws.send(frame)
        error = await heard(ws, "error")
        assert error["code"] == code and error["message"]
        await ws.send('{"type":"ping"}')
        assert await heard(ws, "pong")


async def test_a_frame_over_256_kb_ends_the_socket_and_nothing_is_stored(house):
    token = house.session()
    async with websockets.connect(address(house, token)) as ws:
        await heard(ws, "typing")
        with pytest.raises(ConnectionClosed):
            await ws.send("x" * 300_000)
            await heard(ws, "never")
    assert await asyncio.to_thread(house.lines, token) == []


async def test_sending_too_fast_is_told_with_the_seconds_to_wait(tmp_path):
    with running_house(tmp_path, DAOYI_RATE_PER_MINUTE="3") as strict:
        async with websockets.connect(address(strict, strict.session())) as ws:
            for number in range(4):
                await write(ws, client_id=f"c{number}", text="您好")
            error = await heard(ws, "error")
            assert (error["code"], error["client_id"], error["status"]) == ("too_fast", "c3", 429)
            assert error["retry_after"] >= 1


async def test_a_watcher_ends_after_its_socket_is_gone(house, monkeypatch):
    monkeypatch.setattr(socket, "LOOK_AGAIN", 0.05)
    gone = SimpleNamespace(connection=SimpleNamespace(state=OPEN), send=_nothing)
    live = Live()
    with live.subscribe("nobody") as watch:
        push = asyncio.create_task(Talk(gone, live, "nobody", 0).push(watch))
        await asyncio.sleep(0.3)
        assert not push.done()
        gone.connection.state = CLOSED  # without any frame, as when a telephone loses its network
        await asyncio.wait_for(push, 2)


async def _nothing(_frame: str) -> None:
    pass


async def test_sockets_that_vanish_without_a_word_do_no_harm(house):
    token = house.session()
    for _ in range(5):
        ws = await websockets.connect(address(house, token))
        await heard(ws, "typing")
        ws.transport.abort()
    async with websockets.connect(address(house, token)) as ws:
        await write(ws, client_id="c1", text="您好")
        assert (await heard(ws, "line"))["line"]["seq"] == 1
    assert "Traceback" not in house.log()


async def test_nothing_is_lost_or_doubled_when_the_process_dies_again_and_again(tmp_path):
    with running_house(tmp_path, DAOYI_RATE_PER_MINUTE="10000") as house:
        token = house.session()
        waiting = [f"第{number}条" for number in range(60)]

        async def patient() -> None:
            """Send one after another; on any failure come back and send the same again under the same id."""
            while waiting:
                try:
                    async with websockets.connect(address(house, token), open_timeout=2) as ws:
                        while waiting:
                            await write(ws, client_id=f"id-{waiting[0]}".encode().hex()[:60], text=waiting[0])
                            await heard(ws, "ack", 2)
                            waiting.pop(0)
                            await asyncio.sleep(0.03)
                except (OSError, ConnectionClosed, InvalidStatusCode, asyncio.TimeoutError):
                    await asyncio.sleep(0.1)

        async def fate() -> None:
            for _ in range(3):
                await asyncio.sleep(0.6)
                house.process.kill()
                house.process.wait()
                await asyncio.to_thread(house.start)

        await asyncio.wait_for(asyncio.gather(patient(), fate()), 120)
        lines = await asyncio.to_thread(house.lines, token)
        assert [line["text"] for line in lines] == [f"第{number}条" for number in range(60)]
        assert [line["seq"] for line in lines] == list(range(1, 61))
