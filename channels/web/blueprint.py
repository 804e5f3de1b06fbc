"""The web channel's addresses. Each handler translates, calls one deed in the thread pool, answers."""

import asyncio
import html
import re
from pathlib import Path
from time import monotonic

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, json, raw

from bot.clock import now
from bot.conversations.pictures import MOST_BYTES, kind_of
from bot.hospital.load import load_hospital
from bot.settings import settings
from bot.web.errors import Refused
from bot.web.files import PageFile, add_file
from bot.web.limits import Limit, address
from bot.web.threads import in_thread
from channels.web import service, store
from channels.web.messages import (
    BAD_PICTURE,
    read_client_id,
    read_count,
    read_message,
    read_seen,
    read_seq,
    refusal_for,
)
from channels.web.sessions import Session, bearer
from channels.web.socket import serve_socket
from channels.web.welcome import hours_text, welcome

WIDGET = Path(__file__).parent / "widget"
LONGEST_WAIT = 25  # seconds of a long poll
PAGE = 200  # lines that `latest` and `before` may ask for
PER_ADDRESS = 100  # times what one session may send
SESSIONS_PER_ADDRESS = 600  # new sessions a minute
PICTURES = 10, 600.0  # of one session, in so many seconds
PICTURES_AT_ONCE = 2  # made anew at the same moment: each takes up to 150 MB


def blueprint() -> Blueprint:
    """Give the chat: page, widget, session, lines, messages, pictures, socket."""
    chat = Blueprint("chat")
    by_session = Limit(settings().rate_per_minute, 60)
    by_address = Limit(settings().rate_per_minute * PER_ADDRESS, 60)
    new_sessions = Limit(SESSIONS_PER_ADDRESS, 60)
    by_picture = Limit(*PICTURES)
    at_once = asyncio.Semaphore(PICTURES_AT_ONCE)
    add_file(chat, "/", PageFile(WIDGET / "index.html", change=_with_facts))
    add_file(chat, "/chat/page.css", PageFile(WIDGET / "page.css"))
    add_file(chat, "/chat/icon.svg", PageFile(WIDGET / "icon.svg"))
    add_file(chat, "/chat/daoyi-chat.js", PageFile(WIDGET / "daoyi-chat.js"))
    # Browsers without constructed style sheets fetch the same styles from here; a page's CSP may forbid inline ones.
    add_file(chat, "/chat/daoyi-chat.css", PageFile(WIDGET / "daoyi-chat.js", change=_styles, suffix=".css"))

    @chat.listener("before_server_start")
    async def warm_up(_app, _loop) -> None:
        await in_thread(service.warm_up)

    @chat.get("/chat/config")
    async def config(request: Request) -> HTTPResponse:
        return _json(await in_thread(lambda: welcome(now())))

    @chat.post("/chat/session")
    async def session(request: Request) -> HTTPResponse:
        _require(new_sessions, address(request))
        return _json(_session_view(await in_thread(service.open_session, _token(request))), 201)

    @chat.get("/chat/lines")
    async def lines(request: Request) -> HTTPResponse:
        conversation_id = await in_thread(service.conversation_for, _token(request))
        latest, before = (
            read_count(request.args.get(name), PAGE if name == "latest" else 10**9) for name in ("latest", "before")
        )
        if before:
            return _json({"lines": await in_thread(store.lines_before, conversation_id, before, latest or 50)})
        if latest:
            return _json({"lines": await in_thread(store.latest_lines, conversation_id, latest)})
        since = read_count(request.args.get("since"), 10**9)
        wait = read_count(request.args.get("wait"), LONGEST_WAIT)
        return _json(await _wait_for_lines(request.app.ctx.live, conversation_id, since, wait))

    @chat.post("/chat/messages")
    async def messages(request: Request) -> HTTPResponse:
        conversation_id = await in_thread(service.conversation_for, _token(request))
        try:
            message = read_message(request.json)
            by_session.require(conversation_id)
            _require(by_address, address(request))
            accepted = await in_thread(service.accept, conversation_id, message)
        except Exception as error:
            raise refusal_for(error) or error from None
        return _json({"seq": accepted.seq, "duplicate": accepted.duplicate})

    @chat.post("/chat/pictures", stream=True)
    async def pictures(request: Request) -> HTTPResponse:
        conversation_id = await in_thread(service.conversation_for, _token(request))
        try:
            client_id = read_client_id(request.args.get("client_id"))
            by_picture.require(conversation_id)
            by_session.require(conversation_id)
            _require(by_address, address(request))
            content = await _file(request, MOST_BYTES)
            async with at_once:
                accepted = await in_thread(service.accept_picture, conversation_id, client_id, content)
        except Exception as error:
            raise refusal_for(error) or error from None
        return _json({"seq": accepted.seq, "duplicate": accepted.duplicate})

    @chat.post("/chat/seen")
    async def seen(request: Request) -> HTTPResponse:
        conversation_id = await in_thread(service.conversation_for, _token(request))
        await in_thread(service.note_seen, conversation_id, read_seen(request.json))
        request.app.ctx.live.hint(conversation_id, lists=False)
        return _json({"seen": True})

    @chat.post("/chat/unhelpful")
    async def unhelpful(request: Request) -> HTTPResponse:
        conversation_id = await in_thread(service.conversation_for, _token(request))
        by_session.require(conversation_id)
        await in_thread(service.note_unhelpful, conversation_id, read_seq(request.json))
        return _json({"noted": True})

    @chat.get("/chat/images/<token:str>")
    async def image(request: Request, token: str) -> HTTPResponse:
        conversation_id = await in_thread(service.conversation_for, _token(request))
        content = await in_thread(store.image_of, conversation_id, token)
        if content is None:
            raise Refused(404)
        return raw(content, content_type=kind_of(content))

    @chat.websocket("/chat/socket")
    async def socket(request: Request, ws) -> None:
        await serve_socket(request, ws, by_session, by_address)

    return chat


async def _wait_for_lines(live, conversation_id: str, since: int, wait: int) -> dict:
    """Give the lines after `since`; when there are none, wait for news (a long poll)."""
    until = monotonic() + wait
    with live.subscribe(conversation_id) as watch:
        while True:
            found = await in_thread(store.lines_since, conversation_id, since)
            left = until - monotonic()
            if found or left <= 0:
                return {"lines": found, "typing": watch.typing, "more": len(found) == store.PAGE}
            await watch.changed(left)


async def _file(request: Request, most: int) -> bytes:
    """Read a raw body. Raises Refused (413) as soon as it is longer than `most`."""
    content = b""
    async for part in request.stream:
        content += part
        if len(content) > most:
            raise Refused(413, "too_large", BAD_PICTURE)
    return content


def _session_view(session: Session) -> dict:
    return {"token": session.token, "expires_at": session.expires_at.isoformat()}


def _token(request: Request) -> str | None:
    return bearer(request.headers.get("authorization"))


def _require(limit: Limit, caller: str | None) -> None:
    if caller:
        limit.require(caller)


def _json(body: dict, status: int = 200) -> HTTPResponse:
    return json(body, status=status, ensure_ascii=False)


def _with_facts(page: str) -> str:
    """Fill the hospital's facts into the page, so that its phones stand there without any script."""
    info = load_hospital().info
    facts = {
        "name": info.name,
        "full_name": info.full_name,
        "service": info.service_name,
        "address": info.address,
        "transit": info.transit,
        "agents": hours_text("agents"),
        "demo": "这是演示：医院、医生、价格和电话均为虚构。" if settings().demo else "",
        **{f"phone_{name}": number for name, number in info.phones.items()},
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: html.escape(str(facts[found[1]])), page)


def _styles(script: str) -> str:
    """Take the style sheet out of the widget's file."""
    return re.search(r"const STYLE = `(.*?)`;", script, re.DOTALL)[1]
