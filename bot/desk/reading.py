"""Reads what the page sends: bodies, counts, ids. Raises Refused (400, 404) with words for the person."""

import re
from collections.abc import Callable
from datetime import date

from sanic import Request
from sanic.response import HTTPResponse, json

from bot.web.errors import Refused

FILE_LIMIT = 240 * 1024
MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "application/pdf": b"%PDF-"}
UNKNOWN_CHAT = "没有找到这个会话，列表已为您更新。"
BAD_FILE = "请选择PNG、JPEG图片或PDF文件，大小在240KB以内。"

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def answer(body: dict) -> HTTPResponse:
    """Give JSON with Chinese kept readable."""
    return json(body, ensure_ascii=False)


def body_of(request: Request) -> dict:
    """Give the JSON object of a request."""
    body = request.json
    if not isinstance(body, dict):
        raise Refused(400)
    return body


def text_of(body: dict, name: str, longest: int, default: str | None = None) -> str:
    """Give a text; `default` where it is absent and may be."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(400)
    return value


def number_of(body: dict, name: str) -> int | None:
    """Give a whole number, None where it is absent or null."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise Refused(400)
    return value


def words_of(body: dict, name: str, most: int, longest: int) -> list[str]:
    """Give a list of short texts without blanks around them and without repeats; [] where it is absent."""
    given = body.get(name) or []
    if not isinstance(given, list) or len(given) > most:
        raise Refused(400)
    if not all(isinstance(each, str) and 0 < len(each.strip()) <= longest for each in given):
        raise Refused(400)
    return list(dict.fromkeys(each.strip() for each in given))


def client_id_of(value: object) -> str:
    """Give the name that makes a sending one, however often it comes."""
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        raise Refused(400)
    return value


def chat_id(chat: str) -> str:
    """Give the id of a conversation."""
    if not _ID.fullmatch(chat):
        raise Refused(404, "unknown_chat", UNKNOWN_CHAT)
    return chat


def count_of(request: Request, name: str) -> int:
    """Give a count of the address; absent is 0."""
    value = request.args.get(name) or "0"
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise Refused(400)
    return int(value)


def word_of(request: Request, name: str, longest: int = 50) -> str:
    """Give a short text of the address; absent is empty."""
    value = (request.args.get(name) or "").strip()
    if len(value) > longest:
        raise Refused(400)
    return value


def day_of(request: Request, name: str, otherwise: date) -> date:
    """Give a day (2026-11-23) of the address."""
    return _date(request.args.get(name) or otherwise.isoformat(), lambda text: date.fromisoformat(text))


def month_of(request: Request, otherwise: date) -> date:
    """Give the first day of a month (2026-11) of the address."""
    return _date(request.args.get("month") or f"{otherwise:%Y-%m}", lambda text: date.fromisoformat(f"{text}-01"))


def _date(text: str, read: Callable[[str], date]) -> date:
    try:
        return read(text)
    except ValueError as error:
        raise Refused(400, "bad_date", "请选择正确的日期。") from error


def file_of(request: Request, *kinds: str) -> tuple[str, bytes]:
    """Give (content type, bytes) of a raw body whose first bytes are what its type says. Raises Refused (400, 413)."""
    kind = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    content = request.body or b""
    if len(content) > FILE_LIMIT:
        raise Refused(413, "too_large", BAD_FILE)
    if kind not in kinds or not content.startswith(MAGIC[kind]):
        raise Refused(400, "bad_file", BAD_FILE)
    return kind, content
