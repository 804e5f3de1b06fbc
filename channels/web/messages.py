"""Translates between the browser's JSON and our data. Pure: no SQL, no network, no clock."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.conversations import transcript
from bot.conversations.inbound import MAX_CHARACTERS, Empty, TooLong
from bot.conversations.pictures import BadPicture
from bot.web.errors import Refused

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

PASTE_LIMIT = 64_000  # beyond this the text is not even looked at

EMPTY = "还没有看到您的内容，请输入文字后再发送。"
TOO_LONG = f"您写的内容超过{MAX_CHARACTERS}字了，请分成几段发送，我会接着为您看。"

BAD_PICTURE = "这张图片没有读出来，请您换一张手机照片或截图（不超过5兆），再试一次好吗？"


@dataclass(frozen=True)
class Message:
    """What a patient sends: a text, or the token of a button."""

    client_id: str
    text: str | None
    button: str | None


def read_message(payload: object) -> Message:
    """Read {client_id, text} or {client_id, button}. Raises Refused (400), TooLong or Empty."""
    if not isinstance(payload, dict):
        raise Refused(400)
    client_id, text, button = (payload.get(name) for name in ("client_id", "text", "button"))
    client_id = read_client_id(client_id)
    if (text is None) == (button is None):
        raise Refused(400)
    if button is not None:
        if not isinstance(button, str) or not _TOKEN.fullmatch(button):
            raise Refused(400, "bad_button")
        return Message(client_id, None, button)
    if not isinstance(text, str):
        raise Refused(400)
    if not text:
        raise Empty("the message is empty")
    if len(text) > PASTE_LIMIT:
        raise TooLong(f"a message may have {MAX_CHARACTERS} characters")
    return Message(client_id, text, None)


def read_client_id(value: object) -> str:
    """Read the name that makes a sending one, however often it comes. Raises Refused (400)."""
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        raise Refused(400, "bad_client_id")
    return value


def read_seen(payload: object) -> dict:
    """Read {got, read, typing}: the last seq that came, the last that was on the screen. Raises Refused (400)."""
    if not isinstance(payload, dict):
        raise Refused(400)
    found: dict = {"typing": payload.get("typing") is True}
    for name in ("got", "read"):
        seq = payload.get(name) or 0
        if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq < 2**31:
            raise Refused(400)
        found[name] = seq
    return found


def read_seq(payload: object) -> int:
    """Read {seq}. Raises Refused (400)."""
    seq = payload.get("seq") if isinstance(payload, dict) else None
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 < seq < 2**31:
        raise Refused(400)
    return seq


def refusal_for(error: Exception) -> Refused | None:
    """Give the kind words for what is wrong with a message; None when `error` is about something else."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, TooLong):
        return Refused(413, "too_long", TOO_LONG)
    if isinstance(error, Empty):
        return Refused(400, "empty", EMPTY)
    if isinstance(error, BadPicture):
        return Refused(400, "bad_picture", BAD_PICTURE)
    return None


def read_count(value: str | None, highest: int) -> int:
    """Read a count from an address: 0 to `highest`; absent is 0. Raises Refused (400)."""
    if value is None:
        return 0
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise Refused(400)
    return min(int(value), highest)


def staff_id(row) -> int | None:
    """Give who of the staff wrote a line, None when nobody did."""
    return (row.meta or {}).get("staff") if row.sender == "agent" else None


def line_view(row, names: Mapping[int, str]) -> dict:
    """Give a line as the widget shows it. `kind` tells a receipt or a warning apart, `unhelpful` stands with an answer that
    may be rated and tells whether it was; `meta` itself stays with us."""
    view = transcript.patient_view(row)
    if transcript.may_rate(row):
        view["unhelpful"] = "unhelpful" in row.meta
    if row.sender == "agent":
        view["name"] = names.get(staff_id(row), "人工客服")
    if row.sender == "system":
        meta = row.meta or {}
        if meta.get("danger"):
            view["kind"] = "danger" if meta.get("definite", True) else "caution"
        else:
            view["kind"] = "receipt" if meta.get("turn") else "notice"
    return view
