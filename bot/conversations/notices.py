"""Lines that we write without being asked: a `system` line with choices that stay open whatever is said meanwhile."""

import secrets
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from bot.conversations import transcript
from bot.conversations.tables import buttons, conversations
from bot.conversations.transcript import Line
from bot.hospital.facts import proper_names
from bot.language.script import to_traditional


def post(
    conn: Connection,
    conversation_id: str,
    text: str,
    choices: list[dict],
    now: datetime,
    short: dict | None = None,
) -> int:
    """Write a notice with its choices ({"title", "payload"}) in the patient's script and give its seq.

    The choices belong to the line, not to the step of the talk: one of them works once, until it is used. `short` is what
    a push channel sends instead where the patient may no longer be written to: {"kind", "facts"}, nothing medical
    (channels/wechat/notices.py).
    """
    row = conn.execute(select(conversations).where(conversations.c.id == conversation_id).with_for_update()).one()
    memory = ((row.tracker or {}).get("slots") or {}).get("memory") or {}
    shown = [{"title": choice["title"], "token": secrets.token_urlsafe(12)} for choice in choices]
    if memory.get("script") == "hant":
        text = to_traditional(text, proper_names())
        shown = [{**one, "title": to_traditional(one["title"], proper_names())} for one in shown]
    line = Line("system", text, {"buttons": shown} if shown else None, {"notice": short} if short else None)
    seq = transcript.append(conn, conversation_id, [line], now)
    for one, choice in zip(shown, choices, strict=True):
        conn.execute(
            insert(buttons).values(
                token=one["token"],
                conversation_id=conversation_id,
                step=of_line(seq),
                title=one["title"],
                payload={"payload": choice["payload"]},
            )
        )
    return seq


def of_line(seq: int) -> int:
    """Give the step of choices that belong to a line: no talk ever stands there, so no step of the talk ends them."""
    return -seq


def lasts(step: int) -> bool:
    """Tell whether choices of this step belong to a line."""
    return step < 0
