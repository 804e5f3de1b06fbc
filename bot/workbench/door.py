"""The workbench's door: cookie, right, CSRF token. No address below /workbench/api answers without passing here (R9, R10)."""

import hmac
from collections.abc import Callable
from functools import wraps

from sanic import Request
from sanic.response import HTTPResponse

from bot.clock import now
from bot.patients.access import record
from bot.settings import settings
from bot.staff import service as staff
from bot.staff.service import SignInRefused, Staff
from bot.storage.engine import reading, writing
from bot.web.errors import Refused
from bot.web.threads import in_thread

COOKIE = "daoyi_workbench"
CSRF = "x-csrf-token"
PATH = "/workbench"
RIGHT = "train"

SIGNED_OUT = "您尚未登录，或已超过一小时没有操作。请重新登录。"
STALE_PAGE = "页面已经过期，请刷新页面后再试一次。"
NEEDS_TRAINER = "训练工作台由训练师使用，需要开通请联系管理员。"
WRONG = "工号或密码有误，请核对后再试。"
LOCKED = "密码多次输错，账号已锁定15分钟，请稍后再试。"


def guard(handler: Callable) -> Callable:
    """Let only a signed-in trainer reach the handler, which gets him as `who`.

    Raises Refused: 401 without a sign-in, 403 without the right (audited) or, for a write, without the CSRF token.
    """

    @wraps(handler)
    async def guarded(request: Request, **place) -> HTTPResponse:
        token = request.cookies.get(COOKIE)
        who = await in_thread(_who, token)
        if who is None:
            raise Refused(401, "signed_out", SIGNED_OUT)
        given = request.headers.get(CSRF) or ""
        if request.method != "GET":
            if not hmac.compare_digest(given.encode(), who.csrf.encode()):
                raise Refused(403, "stale_page", STALE_PAGE)
            await in_thread(_touch, who, token)
        if not who.may(RIGHT):
            await in_thread(audit, who, "workbench_refused", {"address": request.path[:120]})
            raise Refused(403, "needs_trainer", NEEDS_TRAINER)
        return await handler(request, who=who, **place)

    guarded.guarded = True
    return guarded


def sign_in(number: str, password: str) -> str:
    """Give a new sign-in. Raises Refused: 401 wrong, 423 locked, 403 for somebody who is no trainer."""
    try:
        with writing() as conn:
            token = staff.sign_in(conn, number, password, now())
            who = staff.signed_in(conn, token, now()) if token else None
            if who is not None and not who.may(RIGHT):
                staff.sign_out(conn, token, now())
    except SignInRefused:
        raise Refused(423, "locked", LOCKED) from None
    if who is None:
        raise Refused(401, "wrong", WRONG)
    if not who.may(RIGHT):
        raise Refused(403, "needs_trainer", NEEDS_TRAINER)
    return token


def sign_out(token: str) -> None:
    """End a sign-in."""
    with writing() as conn:
        staff.sign_out(conn, token, now())


def _who(token: str | None) -> Staff | None:
    if not token:
        return None
    with reading() as conn:
        return staff.signed_in(conn, token, now())


def _touch(who: Staff, token: str) -> None:
    with writing() as conn:
        staff.touch(conn, token, who.id, now())


def audit(who: Staff, action: str, detail: dict) -> None:
    """Write what a trainer did or was refused."""
    with writing() as conn:
        record(conn, f"staff:{who.number}", action, now(), detail=detail)


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
