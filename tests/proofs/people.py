"""Patients and agents of test_messages.py, each with a bad network: sockets are cut, what was not acknowledged is sent again.

A page keeps what it has seen in `seen`, line by line, and asks for what came after it ("since n"), as the widget and the
desk do.
"""

import asyncio
import json
import math
import random
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import websockets
from websockets.exceptions import WebSocketException

IN_FLIGHT = 3  # messages that a patient sends before the first is acknowledged
CUT = 0.04  # of the moments at which a socket may be cut
TWICE = 0.15  # of the messages that are sent again although nothing went wrong
BEAT = 20  # seconds between two signs of life of a desk
PATIENCE = 0.2  # seconds before another attempt
ABSENT = (OSError, WebSocketException, aiohttp.ClientError, asyncio.TimeoutError)


@dataclass
class Page:
    """What somebody's page shows of a talk, and what went wrong on the way."""

    chat: str
    seen: list[tuple[int, str, str]] = field(default_factory=list)  # seq, sender, text
    happened: Counter = field(default_factory=Counter)  # cut, again, absent

    @property
    def since(self) -> int:
        """Give the seq of the last line on the page."""
        return self.seen[-1][0] if self.seen else 0

    def show(self, line: dict) -> None:
        """Put a line at the end."""
        self.seen.append((line["seq"], line["sender"], line["text"]))


class Patient(Page):
    """Writes `texts` in this order over the chat's socket and waits until each has been answered."""

    def __init__(self, chat: str, url: str, token: str, texts: list[str]) -> None:
        super().__init__(chat)
        self.texts = texts
        self._address = f"{url.replace('http', 'ws', 1)}/chat/socket?token={token}"
        self._unsent = deque((f"m{place}", text) for place, text in enumerate(texts))
        self._acked: set[str] = set()
        self.open = set(texts)  # what nobody has answered yet

    async def live(self) -> None:
        """Write and read until everything has been said and answered."""
        while self._unsent or self.open:
            try:
                async with websockets.connect(f"{self._address}&since={self.since}") as ws:
                    await self._use(ws)
            except ABSENT:
                self.happened["absent"] += 1
                await asyncio.sleep(PATIENCE)

    async def catch_up(self) -> None:
        """Read once more what came after the last line."""
        async with websockets.connect(f"{self._address}&since={self.since}") as ws:
            while True:
                frame = json.loads(await asyncio.wait_for(ws.recv(), 10))
                if frame["type"] == "typing":  # comes after the first page of lines
                    return
                self.show(frame["line"])

    async def _use(self, ws) -> None:
        sent = set()
        while True:
            for client_id, text in list(self._unsent)[:IN_FLIGHT]:
                if client_id not in sent:
                    sent.add(client_id)
                    message = json.dumps({"type": "message", "client_id": client_id, "text": text})
                    await ws.send(message)
                    if random.random() < TWICE:
                        self.happened["again"] += 1
                        await ws.send(message)
            if random.random() < CUT:
                self.happened["cut"] += 1
                ws.transport.abort()
                return
            self._hear(json.loads(await asyncio.wait_for(ws.recv(), 20)))
            if not self._unsent and not self.open:
                return

    def _hear(self, frame: dict) -> None:
        if frame["type"] == "line":
            self.show(frame["line"])
            if frame["line"]["sender"] in ("bot", "agent"):
                self.open = {text for text in self.open if text not in frame["line"]["text"]}
        elif frame["type"] == "ack":
            self._acked.add(frame["client_id"])
            while self._unsent and self._unsent[0][0] in self._acked:
                self._unsent.popleft()
        elif frame["type"] == "error" and frame.get("status", 503) < 500:
            raise AssertionError(f"the chat refused: {frame}")


class Agent(Page):
    """Answers each line of one talk over the desk's API and reads the talk by its wire."""

    def __init__(self, chat: str, url: str, cookie: str, csrf: str) -> None:
        super().__init__(chat)
        self._api = f"{url}/desk/api"
        self._headers = {"cookie": cookie, "x-csrf-token": csrf}
        self._answered = 0
        self._beaten = -math.inf

    async def live(self, http: aiohttp.ClientSession) -> None:
        """Serve until cancelled."""
        wire = f"{self._api.replace('http', 'ws', 1)}/wire?chat={self.chat}"
        while True:
            try:
                async with websockets.connect(f"{wire}&since={self.since}", extra_headers=self._headers) as ws:
                    await self._use(ws, http)
            except ABSENT:
                self.happened["absent"] += 1
                await asyncio.sleep(PATIENCE)

    async def _use(self, ws, http: aiohttp.ClientSession) -> None:
        while True:
            await self._beat(http)
            if random.random() < CUT:
                self.happened["cut"] += 1
                ws.transport.abort()
                return
            self._hear(json.loads(await asyncio.wait_for(ws.recv(), 2 * BEAT)))
            for seq, sender, text in self.seen[self._answered :]:
                if sender == "patient":
                    await self._answer(http, seq, text)
                self._answered += 1

    def _hear(self, found: dict) -> None:
        assert found.get("type") != "error", found
        for line in (found["chat"] or {"lines": ()})["lines"]:
            self.show(line)

    async def look(self, http: aiohttp.ClientSession) -> None:
        """Read once more what came after the last line."""
        query = {"chat": self.chat, "since": str(self.since)}
        async with http.get(f"{self._api}/news", params=query, headers=self._headers) as answer:
            self._hear(await answer.json())

    async def _beat(self, http: aiohttp.ClientSession) -> None:
        """Say that the desk is open, as its page does; else the talk returns to the queue."""
        if time.monotonic() - self._beaten < BEAT:
            return
        with suppress(*ABSENT):
            async with http.post(f"{self._api}/heartbeat", json={"active": True}, headers=self._headers):
                self._beaten = time.monotonic()

    async def _answer(self, http: aiohttp.ClientSession, seq: int, text: str) -> None:
        places = set()
        again = random.random() < TWICE
        self.happened["again"] += again
        while len(places) != 1:
            tries = [self._say(http, f"r{seq}", f"答复：{text}") for _ in range(1 + again)]
            places = {place for place in await asyncio.gather(*tries) if place}
            assert len(places) < 2, f"one reply has two places: {places}"

    async def _say(self, http: aiohttp.ClientSession, client_id: str, text: str) -> int | None:
        """Send a reply and give its place; None when nobody knows whether it has arrived."""
        body = {"text": text, "client_id": client_id, "despite": True}
        try:
            async with http.post(f"{self._api}/chats/{self.chat}/say", json=body, headers=self._headers) as answer:
                said = await answer.json()
        except ABSENT:
            self.happened["absent"] += 1
            await asyncio.sleep(PATIENCE)
            return None
        assert answer.status == 200, said
        return said["seq"]
