"""What WeChat's error codes mean for a send (全局返回码): each code leads to one of a few deeds."""

from datetime import timedelta
from enum import Enum

from bot.errors import DaoyiError

UNREACHED = -2  # our own: no connection, no answer in time, HTTP 5xx, or no JSON


class Deed(Enum):
    """What is done about an error."""

    TOKEN = "fetch a new token once, send once more"
    AGAIN = "send again, a few times"
    HOLD = "keep it until the patient writes again"
    MENU = "send the choices as a numbered list"
    SHORTER = "send it in two halves"
    GONE = "this patient cannot be reached: give up"
    ALARM = "the account or this machine is refused: tell the technical department, try later"
    DROP = "give up and tell the technical department"


DEEDS = {
    Deed.TOKEN: (40001, 40014, 42001),
    Deed.AGAIN: (-1, UNREACHED, 45009, 45011),
    Deed.HOLD: (45015, 45047),
    Deed.MENU: (40200, 40008),
    Deed.SHORTER: (45002,),
    Deed.GONE: (40003, 40032, 43004, 43019, 43101, 48002),
    Deed.ALARM: (40013, 40125, 40164, 40243, 41004, 48001, 48004, 50002, 61004, 89503, 89506, 89507),
}
_BY_CODE = {code: deed for deed, codes in DEEDS.items() for code in codes}
ADVICE = {
    40001: "AppSecret 不对，或 access token 失效",
    40013: "AppID 不对",
    40125: "AppSecret 不对",
    40164: "本机出口 IP 不在公众平台的 IP 白名单里",
    40243: "AppSecret 已被冻结",
    45009: "当天接口调用次数用完",
    45011: "接口调用太频繁",
    48001: "账号没有客服消息接口权限，未认证账号请把 DAOYI_WECHAT_VERIFIED 设为 false",
    48004: "接口被封禁，请登录公众平台查看",
    50002: "账号被冻结，请登录公众平台查看",
    61004: "本机出口 IP 不在白名单里",
    89503: "本机 IP 的调用需要管理员确认",
}
WAITS = {45009: timedelta(hours=1), 45011: timedelta(seconds=60)}
USUAL_WAIT = timedelta(seconds=30)
ALARM_WAIT = timedelta(minutes=5)


class ApiError(DaoyiError):
    """WeChat refused. `code` is its errcode; the text holds no address and no token."""

    def __init__(self, code: int, rid: str = "") -> None:
        super().__init__(f"WeChat answered {code} {ADVICE.get(code, '')} {rid}".strip())
        self.code = code

    @property
    def deed(self) -> Deed:
        """Give what is to be done."""
        deed = _BY_CODE.get(self.code, Deed.DROP)
        return Deed.ALARM if deed is Deed.TOKEN else deed  # it has been fetched anew already

    @property
    def wait(self) -> timedelta:
        """Give how long to leave it."""
        return WAITS.get(self.code, ALARM_WAIT if self.deed is Deed.ALARM else USUAL_WAIT)


def needs_token(code: int) -> bool:
    """Tell whether the token is to blame."""
    return code in DEEDS[Deed.TOKEN]


def worth_repeating(code: int) -> bool:
    """Tell whether the same call may succeed in a moment."""
    return code in (-1, UNREACHED)
