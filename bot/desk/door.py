"""The desk's door: cookie, right, CSRF token, and which talk is his to read. Every address below /desk/api passes here (R9, R10)."""

import hmac
import logging
from collections.abc import Callable
from functools import wraps

from sanic import Request
from sanic.response import HTTPResponse

from bot.clock import now
from bot.desk import store
from bot.desk.reading import UNKNOWN_CHAT
from bot.patients.access import record
from bot.settings import settings
from bot.staff import service as staff
from bot.staff.service import Staff
from bot.storage.engine import reading, writing
from bot.web.errors import Refused
from bot.web.limits import address
from bot.web.threads import in_thread

log = logging.getLogger("daoyi.desk")

COOKIE = "daoyi_desk"
CSRF = "x-csrf-token"
PATH = "/desk"

SIGNED_OUT = "您尚未登录，或已超过一小时没有操作。请重新登录。"
STALE_PAGE = "页面已经过期，请刷新页面后再试一次。"
NOT_YOURS = "这个会话不在您名下，可以从排队列表接入。"
NEEDS_RIGHT = "您的账号没有这项权限，可以请主管或管理员协助处理。"


def guard(right: str) -> Callable:
    """Let only somebody signed in whose role has `right` (bot/staff/roles.py) reach the handler, which gets him as `who`.

    Raises Refused: 401 without a sign-in, 403 without the right (audited) or, for a write, without the CSRF token.
    """

    def dress(handler: Callable) -> Callable:
        @wraps(handler)
        async def guarded(request: Request, **place) -> HTTPResponse:
            who = await in_thread(_who, token_of(request))
            if who is None:
                log.warning("%s %s without a sign-in from %s", request.method, request.path, address(request) or "here")
                raise Refused(401, "signed_out", SIGNED_OUT)
            given = request.headers.get(CSRF) or ""
            if request.method != "GET" and not hmac.compare_digest(given.encode(), who.csrf.encode()):
                raise Refused(403, "stale_page", STALE_PAGE)
            if not who.may(right):
                await in_thread(audit, who, "desk_refused", {"address": request.path[:120], "right": right})
                raise Refused(403, "needs_right", NEEDS_RIGHT)
            return await handler(request, who=who, **place)

        guarded.right = right
        return guarded

    return dress


def token_of(request: Request) -> str | None:
    """Give the sign-in that the browser holds."""
    return request.cookies.get(COOKIE)


def _who(token: str | None) -> Staff | None:
    if not token:
        return None
    with reading() as conn:
        return staff.signed_in(conn, token, now())


def audit(who: Staff, action: str, detail: dict) -> None:
    """Write what a member of the staff did or was refused."""
    with writing() as conn:
        record(conn, actor(who), action, now(), detail=detail)


def actor(who: Staff) -> str:
    """Give the name that the audit knows him by."""
    return f"staff:{who.number}"


def hand_cookie(response: HTTPResponse, token: str) -> HTTPResponse:
    """Give the browser its sign-in: out of reach for scripts and for other sites; an empty token takes it back."""
    response.cookies[COOKIE] = token
    cookie = response.cookies[COOKIE]
    cookie["path"] = PATH
    cookie["httponly"] = True
    cookie["samesite"] = "Strict"
    cookie["secure"] = settings().secure_cookies
    if not token:
        cookie["max-age"] = 0
    return response


def readable(conn, who: Staff, chat: str):
    """Give a conversation's row to who may read it. Raises Refused (404, 403)."""
    row = store.conversation(conn, chat)
    if row is None:
        raise Refused(404, "unknown_chat", UNKNOWN_CHAT)
    if not store.may_read(conn, row, who):
        raise Refused(403, "not_yours", NOT_YOURS)
    return row
