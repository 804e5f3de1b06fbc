"""The desk's addresses. Each handler reads its input, calls one deed in the thread pool, answers."""

import asyncio
import re
from pathlib import Path
from time import monotonic

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, json

from bot.desk import service
from bot.desk.door import EVERYONE, SUPERVISOR, guard, hand_cookie, token_of
from bot.staff.service import Staff
from bot.web.errors import Refused
from bot.web.files import PageFile, add_file
from bot.web.headers import security_headers
from bot.web.limits import Limit, address
from bot.web.threads import in_thread

PAGE = Path(__file__).parent / "page"
LONGEST_WAIT = 25  # seconds of a long poll
LOOK_AGAIN = 3.0  # seconds after which the lists are read without a wake: an alert seen writes no line
GATHER = 0.1  # seconds in which several wakes become one answer
SIGN_INS_PER_ADDRESS = 60  # a minute; a whole shift may share one address

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def blueprint() -> Blueprint:
    """Give the agents' desk: the page at /desk and its API below /desk/api."""
    desk = Blueprint("desk")
    page = PageFile(PAGE / "index.html")
    sign_ins = Limit(SIGN_INS_PER_ADDRESS, 60)
    for path in sorted(PAGE.iterdir()):
        if path.suffix in (".js", ".css", ".svg"):
            add_file(desk, f"/desk/{path.name}", PageFile(path))

    @desk.get("/desk")
    async def show(request: Request) -> HTTPResponse:
        response = page.respond(request)
        # Nobody may frame the desk, not even a page that may embed the chat.
        policy = security_headers(request)["content-security-policy"].partition("frame-ancestors")[0]
        response.headers["content-security-policy"] = policy + "frame-ancestors 'none'"
        return response

    @desk.post("/desk/api/sign-in")
    async def sign_in(request: Request) -> HTTPResponse:
        if caller := address(request):
            sign_ins.require(caller)
        body = _body(request)
        number, password = _text(body, "number", 20).strip(), _text(body, "password", 200)
        token = await in_thread(service.sign_in, number, password)
        return hand_cookie(_json({"signed_in": True}), token)

    @desk.post("/desk/api/sign-out")
    @guard(*EVERYONE)
    async def sign_out(request: Request, who: Staff) -> HTTPResponse:
        await in_thread(service.sign_out, who, token_of(request))
        return hand_cookie(_json({"signed_in": False}), "")

    @desk.get("/desk/api/me")
    @guard(*EVERYONE)
    async def me(request: Request, who: Staff) -> HTTPResponse:
        return _json(await in_thread(service.me, who))

    @desk.post("/desk/api/heartbeat")
    @guard(*EVERYONE)
    async def heartbeat(request: Request, who: Staff) -> HTTPResponse:
        await in_thread(service.beat, who, token_of(request), _body(request).get("active") is True)
        return _json({"open": True})

    @desk.get("/desk/api/news")
    @guard(*EVERYONE)
    async def news(request: Request, who: Staff) -> HTTPResponse:
        chat = request.args.get("chat")
        asked = (who, _id(chat) if chat else None, _count(request, "since"), request.args.get("version") or "")
        return _json(await _wait_for_news(request.app.ctx.live, asked, min(_count(request, "wait"), LONGEST_WAIT)))

    @desk.get("/desk/api/chats")
    @guard(*SUPERVISOR)
    async def chats(request: Request, who: Staff) -> HTTPResponse:
        return _json(await in_thread(service.all_chats, who))

    @desk.get("/desk/api/chats/<chat:str>")
    @guard(*EVERYONE)
    async def open_chat(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return _json(await in_thread(service.open_chat, who, _id(chat)))

    @desk.get("/desk/api/chats/<chat:str>/lines")
    @guard(*EVERYONE)
    async def lines(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return _json(await in_thread(service.earlier_lines, who, _id(chat), _count(request, "before")))

    @desk.get("/desk/api/chats/<chat:str>/panel")
    @guard(*EVERYONE)
    async def panel(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return _json(await in_thread(service.panel, who, _id(chat)))

    @desk.post("/desk/api/chats/<chat:str>/take")
    @guard(*EVERYONE)
    async def take(request: Request, who: Staff, chat: str) -> HTTPResponse:
        await in_thread(service.take, who, _id(chat))
        request.app.ctx.live.hint(chat)
        return _json({"chat": chat})

    @desk.post("/desk/api/chats/<chat:str>/take-over")
    @guard(*SUPERVISOR)
    async def take_over(request: Request, who: Staff, chat: str) -> HTTPResponse:
        await in_thread(service.take, who, _id(chat), over=True)
        request.app.ctx.live.hint(chat)
        return _json({"chat": chat})

    @desk.post("/desk/api/take-next")
    @guard(*EVERYONE)
    async def take_next(request: Request, who: Staff) -> HTTPResponse:
        chat = await in_thread(service.take_next, who)
        request.app.ctx.live.hint(chat)
        return _json({"chat": chat})

    @desk.post("/desk/api/chats/<chat:str>/say")
    @guard(*EVERYONE)
    async def say(request: Request, who: Staff, chat: str) -> HTTPResponse:
        body = _body(request)
        client_id = body.get("client_id")
        if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
            raise Refused(400)
        text = _text(body, "text", 64 * 1024)
        said = await in_thread(service.say, who, _id(chat), text, client_id, body.get("despite") is True)
        request.app.ctx.live.hint(chat)
        return _json(said)

    @desk.post("/desk/api/chats/<chat:str>/give-back")
    @guard(*EVERYONE)
    async def give_back(request: Request, who: Staff, chat: str) -> HTTPResponse:
        await in_thread(service.give_back, who, _id(chat), _text(_body(request), "outcome", 20))
        request.app.ctx.live.hint(chat)
        return _json({"chat": chat})

    @desk.post("/desk/api/alerts/<alert:int>/seen")
    @guard(*EVERYONE)
    async def seen(request: Request, who: Staff, alert: int) -> HTTPResponse:
        await in_thread(service.see_alert, who, alert)
        return _json({"alert": alert})

    return desk


async def _wait_for_news(live, asked: tuple, wait: int) -> dict:
    """Give what is new; when nothing is, wait for it (subscribe first, read next, wait last)."""
    until = monotonic() + wait
    with live.subscribe(None) as watch:
        while True:
            found = await in_thread(service.news, *asked)
            left = until - monotonic()
            if found["changed"] or left <= 0 or (found["chat"] and found["chat"]["gone"]):
                return found
            if await watch.changed(min(left, LOOK_AGAIN)):
                await asyncio.sleep(GATHER)


def _json(body: dict) -> HTTPResponse:
    return json(body, ensure_ascii=False)


def _body(request: Request) -> dict:
    body = request.json
    if not isinstance(body, dict):
        raise Refused(400)
    return body


def _text(body: dict, name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(400)
    return value


def _id(chat: str) -> str:
    if not _ID.fullmatch(chat):
        raise Refused(404, "unknown_chat", service.UNKNOWN_CHAT)
    return chat


def _count(request: Request, name: str) -> int:
    value = request.args.get(name) or "0"
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise Refused(400)
    return int(value)
