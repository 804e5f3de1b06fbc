"""The desk's door: cookie, role, CSRF token. No address below /desk/api answers without passing here (R9, R10)."""

import hmac
import logging
from collections.abc import Callable
from functools import wraps

from sanic import Request
from sanic.response import HTTPResponse

from bot.clock import now
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
EVERYONE = tuple(staff.ROLES)
SUPERVISOR = ("supervisor",)

SIGNED_OUT = "您尚未登录，或已超过一小时没有操作。请重新登录。"
STALE_PAGE = "页面已经过期，请刷新页面后再试一次。"
NEEDS_SUPERVISOR = "这项操作需要主管权限，您可以请主管协助处理。"


def guard(*roles: str) -> Callable:
    """Let only a signed-in member of one of `roles` reach the handler, which gets him as `who`.

    Raises Refused: 401 without a sign-in, 403 without the role (audited) or, for a write, without the CSRF token.
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
            if who.role not in roles:
                await in_thread(audit, who, "desk_refused", {"address": request.path[:120]})
                raise Refused(403, "needs_supervisor", NEEDS_SUPERVISOR)
            return await handler(request, who=who, **place)

        guarded.roles = roles
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
