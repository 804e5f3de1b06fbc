"""The desk's wire: what is new for one page, as frames of a WebSocket or as the answer to one long poll.

A page is told the lists (board.py) whose marks it does not have and the lines of its open talk after the seq it has, so a
wire that was cut goes on where it ended. Every look asks anew who is signed in: the wire ends with the sign-in.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from sanic import Blueprint, Request
from sanic.response import HTTPResponse
from sanic.server.websockets.impl import WebsocketImplProtocol

from bot.clock import now
from bot.desk import service
from bot.desk.board import Board, Boards, lists_of, part, ticket_counts
from bot.desk.door import SIGNED_OUT, guard, token_of
from bot.desk.reading import answer, chat_id, count_of, number_of
from bot.staff.service import Staff, key_of
from bot.web.errors import Refused, refusal
from bot.web.live import Live, Watch
from bot.web.sockets import both_ways, parse, refuse, send
from bot.web.threads import Together, in_thread

GATHER = 0.05  # seconds between two looks at the lists, which all desks share
LOOK_AGAIN = 3.0  # seconds after which a wire looks without a wake: an alert seen, a sign-in ended write no line
QUIET = 20.0  # seconds after which a frame says that there is nothing new, so that the page knows the wire stands
LONGEST_WAIT = 25  # seconds of a long poll


def add(desk: Blueprint) -> None:
    """Mount the addresses."""
    boards = Together(Boards(), GATHER)

    @desk.websocket("/desk/api/wire")
    async def wire(request: Request, ws: WebsocketImplProtocol) -> None:
        try:
            with _wire(request, boards) as one:
                error = await both_ways(ws, one.push(ws), one.take(ws))
        except Refused as refused:  # a query that nobody's page asks
            error = refused
        if isinstance(error, Refused):
            await refuse(ws, error)
        elif error is not None:
            refusal(error)  # logged; the page comes back by itself

    wire.right = "sign_in"

    @desk.get("/desk/api/news")
    @guard("sign_in")
    async def news(request: Request, who: Staff) -> HTTPResponse:
        with _wire(request, boards) as one:
            return answer(await one.next(min(count_of(request, "wait"), LONGEST_WAIT)))


@contextmanager
def _wire(request: Request, boards: Together[Board]) -> Iterator["Wire"]:
    chat, live = request.args.get("chat"), request.app.ctx.live
    asked = chat_id(chat) if chat else None, count_of(request, "since"), request.args.get("version") or ""
    with live.subscribe(None) as watch:
        yield Wire(live, watch, boards, token_of(request), *asked)


class Wire:
    """What one page has been told, and what is new since then."""

    def __init__(
        self,
        live: Live,
        watch: Watch,
        boards: Together[Board],
        token: str | None,
        chat: str | None,
        since: int,
        version: str,
    ) -> None:
        self._live, self._watch, self._boards = live, watch, boards
        self._key = key_of(token or "")
        self._known = dict(pair.split("-", 1) for pair in version.split(".") if "-" in pair)  # list → its mark
        self._chat: str | None = None
        self._since, self._asked = 0, False
        self._tickets, self._counted = part({}), -math.inf
        self.turn(chat, since)

    def turn(self, chat: str | None, since: int) -> None:
        """Follow another talk, or the same anew, after `since`; look at once, also for tickets."""
        if self._chat != chat:
            self._live.drop(self._watch, self._chat) if self._chat else None
            self._live.add(self._watch, chat) if chat else None
        self._chat, self._since, self._counted = chat, since, -math.inf
        self._watch.wake(chat)

    async def next(self, seconds: float) -> dict:
        """Give what is new; that there is nothing after so long, or when the page has asked. Raises Refused (401)."""
        until = monotonic() + seconds
        while True:
            asked, self._asked = self._asked, False
            found = await self._look(self._watch.woken())
            left = until - monotonic()
            if found["changed"] or asked or left <= 0:
                return found
            await self._watch.changed(min(left, LOOK_AGAIN))

    async def _look(self, heard: set) -> dict:
        board = await self._boards()
        who = board.signed_in.get(self._key)
        if who is None:
            raise Refused(401, "signed_out", SIGNED_OUT)
        if (begun := monotonic()) - self._counted >= LOOK_AGAIN:  # others' tickets may wait a moment
            self._counted, self._tickets = begun, await in_thread(ticket_counts, who)
        lists = lists_of(board, who, self._tickets)
        desk = {name: one.value for name, one in lists.items() if self._known.get(name) != one.mark}
        self._known.update((name, one.mark) for name, one in lists.items())
        chat = await self._news_of_chat(who) if self._chat and (not heard or self._chat in heard) else None
        version = ".".join(f"{name}-{mark}" for name, mark in self._known.items())
        return {
            "now": now().isoformat(),
            "version": version,
            "changed": bool(desk or chat),
            "desk": desk or None,
            "chat": chat,
        }

    async def _news_of_chat(self, who: Staff) -> dict | None:
        chat, since = self._chat, self._since
        found = await in_thread(service.news_of_chat, who, chat, since)
        if (chat, since) != (self._chat, self._since):  # the page has turned meanwhile, and a wake has been left
            return None
        mark = part({name: value for name, value in found.items() if name != "lines"}).mark
        if found["lines"]:
            self._since = found["lines"][-1]["seq"]
            self._watch.wake(chat)  # there may be more than one answer holds
        elif self._known.get("chat") == mark:
            return None
        self._known["chat"] = mark
        return found

    async def push(self, ws: WebsocketImplProtocol) -> None:
        """Send what comes until the socket or the sign-in ends; the first frame says that the wire stands."""
        self._asked = True
        while True:
            await send(ws, await self.next(QUIET))

    async def take(self, ws: WebsocketImplProtocol) -> None:
        """Read which talk the page has open. Raises Refused (400, 404)."""
        while True:
            raw = await ws.recv()
            if raw is None:
                continue
            asked = parse(raw)
            chat = asked.get("chat")
            if chat is not None and not isinstance(chat, str):
                raise Refused(400)
            self._asked = True
            self.turn(chat_id(chat) if chat else None, number_of(asked, "since") or 0)
