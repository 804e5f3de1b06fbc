"""What each side has seen and who is typing. A mark only moves forward; typing is forgotten after some seconds."""

from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import bindparam, case, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.conversations.tables import conversations, marks

TYPING = timedelta(seconds=6)
SEQS = ("agent_read", "patient_got", "patient_read")
_LAST = select(conversations.c.last_seq).where(conversations.c.id == bindparam("conversation"))
_OF = select(marks).where(marks.c.conversation_id == bindparam("conversation"))


def of(conn: Connection, conversation_id: str, now: datetime) -> dict:
    """Give {patient_got, patient_read, agent_read, patient_typing}; zeros before the first mark."""
    row = conn.execute(_OF, {"conversation": conversation_id}).first()
    seen = {name: getattr(row, name) if row else 0 for name in SEQS}
    typing = bool(row and row.patient_typing_at and row.patient_typing_at > now - TYPING)
    return {**seen, "patient_typing": typing}


def move(conn: Connection, conversation_id: str, typing: dict[str, datetime | None] | None = None, **seqs: int) -> None:
    """Move marks forward, never behind what was seen before nor beyond the last line; `typing` as `typing` below."""
    last = conn.execute(_LAST, {"conversation": conversation_id}).scalar_one()
    _write(conn, conversation_id, {name: min(seq, last) for name, seq in seqs.items()}, typing or {})


def typing(conn: Connection, conversation_id: str, side: str, now: datetime | None) -> None:
    """Say that the `agent` or the `patient` types now, or has stopped (None)."""
    _write(conn, conversation_id, {}, {side: now})


def _write(conn: Connection, conversation_id: str, seqs: dict[str, int], sides: dict[str, datetime | None]) -> None:
    values = {**seqs, **{f"{side}_typing_at": moment for side, moment in sides.items()}}
    known = _update(tuple(values))
    given = {"conversation": conversation_id, **{f"new_{name}": value for name, value in values.items()}}
    if conn.execute(known, given).rowcount:
        return
    try:
        with conn.begin_nested():
            conn.execute(insert(marks).values(conversation_id=conversation_id, **values))
    except IntegrityError:  # the other side made the row at the same moment
        conn.execute(known, given)


@lru_cache(maxsize=16)  # three pages know how to say it: each statement is built once
def _update(names: tuple[str, ...]):
    values = {}
    for name in names:
        column, new = marks.c[name], bindparam(f"new_{name}", type_=marks.c[name].type)
        values[name] = case((column < new, new), else_=column) if name in SEQS else new
    return update(marks).where(marks.c.conversation_id == bindparam("conversation")).values(**values)
