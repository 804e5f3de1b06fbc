"""One form for every error: {"error": {"code", "message"}}. The message is for the person, the cause is for the log."""

import logging
import traceback

from sanic import Request, Sanic
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse, json
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import DaoyiError

log = logging.getLogger("daoyi.web")

FAILED = ("failed", "系统暂时没有处理成功，请稍后再试一次。如果情况紧急，请直接拨打120。")
BUSY = ("busy", "现在使用的人比较多，请稍等片刻再试一次。如果情况紧急，请直接拨打120。")
BY_STATUS = {
    400: ("bad_request", "这条请求没有读懂，请刷新页面后再试一次。"),
    401: ("session_over", "您的会话已经结束，请重新开始对话。"),
    403: ("forbidden", "这个页面暂时没有使用权限，请从医院官方页面进入。"),
    404: ("not_found", "这里没有您要找的内容，请返回首页再试。"),
    405: ("bad_method", "这条请求没有读懂，请刷新页面后再试一次。"),
    408: ("timeout", "网络有些慢，请再试一次。"),
    413: ("too_large", "内容太长了，请分成几段发送。"),
    429: ("too_fast", "您发送得有点快，请稍等一会儿再发。如果情况紧急，请直接拨打120。"),
    503: BUSY,
}


class Refused(DaoyiError):
    """A request that is answered with an error on purpose."""

    def __init__(self, status: int, code: str = "", message: str = "", retry_after: int | None = None):
        usual = BY_STATUS.get(status, FAILED)
        self.status = status
        self.code = code or usual[0]
        self.message = message or usual[1]
        self.retry_after = retry_after
        super().__init__(f"{status} {self.code}")

    def body(self) -> dict:
        """Give the error as the client reads it."""
        error = {"code": self.code, "message": self.message}
        if self.retry_after is not None:
            error["retry_after"] = self.retry_after  # seconds
        return {"error": error}


def refusal(error: BaseException) -> Refused:
    """Give what the client is told about `error`; what nobody expected is logged, without any value in it."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, SanicException):
        status = getattr(error, "status_code", None) or 500
        return Refused(status if status in BY_STATUS else 400 if status < 500 else 500)
    where = traceback.extract_tb(error.__traceback__)
    place = f"{where[-1].filename}:{where[-1].lineno}" if where else "unknown place"
    # Not the text of the error: a database driver puts the values, that is patients' words, into it.
    log.error("%s at %s", type(error).__name__, place, exc_info=error if log.isEnabledFor(logging.DEBUG) else None)
    return Refused(503 if isinstance(error, SQLAlchemyError) else 500)


def answer(request: Request, error: BaseException) -> HTTPResponse:
    """Give the response for `error`."""
    refused = refusal(error)
    headers = {"retry-after": str(refused.retry_after)} if refused.retry_after is not None else None
    return json(refused.body(), status=refused.status, headers=headers, ensure_ascii=False)


def install(app: Sanic) -> None:
    """Let every error of `app` leave in this form."""
    app.error_handler.add(Exception, answer)
    app.error_handler.log = lambda request, error: refusal(error)  # Sanic's own prints the error with its values
