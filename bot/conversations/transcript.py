"""What was said, in order. `seq` counts from 1 in each conversation and has no gaps."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from bot.conversations.tables import conversations, incidents, lines


@dataclass(frozen=True)
class Line:
    """One line to be written."""

    sender: str
    text: str
    data: dict | None = None
    meta: dict | None = None
    client_id: str | None = None


def append(conn: Connection, conversation_id: str, new: list[Line], now: datetime) -> int:
    """Write lines at the end and give the seq of the last one."""
    if not new:
        return conn.execute(select(conversations.c.last_seq).where(conversations.c.id == conversation_id)).scalar_one()
    # The update locks the conversation's row first, so seq stays without gaps under concurrency.
    conn.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(last_seq=conversations.c.last_seq + len(new), updated_at=now)
    )
    last = conn.execute(select(conversations.c.last_seq).where(conversations.c.id == conversation_id)).scalar_one()
    write_at(conn, conversation_id, last - len(new) + 1, new, now)
    return last


def write_at(conn: Connection, conversation_id: str, first_seq: int, new: list[Line], now: datetime) -> None:
    """Write lines at seqs that the caller has already reserved."""
    conn.execute(
        insert(lines),
        [
            {
                "conversation_id": conversation_id,
                "seq": first_seq + index,
                "sender": line.sender,
                "text": line.text,
                "data": line.data,
                "meta": line.meta,
                "client_id": line.client_id,
                "at": now,
            }
            for index, line in enumerate(new)
        ],
    )


def since(conn: Connection, conversation_id: str, seq: int, limit: int = 500) -> list:
    """Give the lines after `seq`, oldest first."""
    return conn.execute(
        select(lines)
        .where(lines.c.conversation_id == conversation_id, lines.c.seq > seq)
        .order_by(lines.c.seq)
        .limit(limit)
    ).all()


def latest(conn: Connection, conversation_id: str, limit: int = 50) -> list:
    """Give the last lines, oldest first."""
    rows = conn.execute(
        select(lines).where(lines.c.conversation_id == conversation_id).order_by(lines.c.seq.desc()).limit(limit)
    ).all()
    return rows[::-1]


def record_incident(conn: Connection, conversation_id: str | None, kind: str, detail: str, now: datetime) -> None:
    """Note a failure for the technical department (R81). `detail` must hold no words of a patient."""
    conn.execute(insert(incidents).values(conversation_id=conversation_id, kind=kind, detail=detail[:2000], at=now))


def patient_view(row) -> dict:
    """Give a line as the patient's own page shows it."""
    return {
        "seq": row.seq,
        "sender": row.sender,
        "text": row.text,
        "at": row.at.isoformat(),
        "client_id": row.client_id,
        **(row.data or {}),
    }
