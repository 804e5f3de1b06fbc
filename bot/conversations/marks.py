"""What each side has seen and who is typing. A mark only moves forward; typing is forgotten after some seconds."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.conversations.tables import conversations, marks

TYPING = timedelta(seconds=6)
SEQS = ("agent_read", "patient_got", "patient_read")
_OF = select(marks).where(marks.c.conversation_id == bindparam("conversation"))


def of(conn: Connection, conversation_id: str, now: datetime) -> dict:
    """Give {patient_got, patient_read, agent_read, patient_typing}; zeros before the first mark."""
    row = conn.execute(_OF, {"conversation": conversation_id}).first()
    seen = {name: getattr(row, name) if row else 0 for name in SEQS}
    typing = bool(row and row.patient_typing_at and row.patient_typing_at > now - TYPING)
    return {**seen, "patient_typing": typing}


def move(conn: Connection, conversation_id: str, **seqs: int) -> None:
    """Move marks forward, never behind what was seen before nor beyond the last line."""
    last = conn.execute(select(conversations.c.last_seq).where(conversations.c.id == conversation_id)).scalar_one()
    values = {}
    for name, seq in seqs.items():
        column, seq = marks.c[name], min(seq, last)
        values[name] = case((column < seq, seq), else_=column)
    _write(conn, conversation_id, values, {name: min(seq, last) for name, seq in seqs.items()})


def typing(conn: Connection, conversation_id: str, side: str, now: datetime | None) -> None:
    """Say that the `agent` or the `patient` types now, or has stopped (None)."""
    values = {f"{side}_typing_at": now}
    _write(conn, conversation_id, values, values)


def _write(conn: Connection, conversation_id: str, values: dict, first: dict) -> None:
    known = update(marks).where(marks.c.conversation_id == conversation_id).values(**values)
    if conn.execute(known).rowcount:
        return
    try:
        with conn.begin_nested():
            conn.execute(insert(marks).values(conversation_id=conversation_id, **first))
    except IntegrityError:  # the other side made the row at the same moment
        conn.execute(known)
