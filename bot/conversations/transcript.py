"""What was said, in order. `seq` counts from 1 in each conversation and has no gaps."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from bot.conversations import outbox
from bot.conversations.tables import conversations, incidents, lines

# Statements are built once: building one costs more than running it.
_THIS = conversations.c.id == bindparam("conversation")
_LAST_SEQ = select(conversations.c.last_seq).where(_THIS)
_GROW = (
    update(conversations)
    .where(_THIS)
    .values(last_seq=conversations.c.last_seq + bindparam("count"), updated_at=bindparam("now"))
)
_WRITE = insert(lines)
_SINCE = (
    select(lines)
    .where(lines.c.conversation_id == bindparam("conversation"), lines.c.seq > bindparam("seq"))
    .order_by(lines.c.seq)
    .limit(bindparam("count"))
)
_BEFORE = (
    select(lines)
    .where(lines.c.conversation_id == bindparam("conversation"), lines.c.seq < bindparam("seq"))
    .order_by(lines.c.seq.desc())
    .limit(bindparam("count"))
)
_LINE = select(lines).where(lines.c.conversation_id == bindparam("conversation"), lines.c.seq == bindparam("seq"))
NEWEST = 2**31 - 1  # above every seq
# Nobody is asked whether a greeting helped, and nobody in danger.
UNRATED = {"emergency", "report_death", "greet", "goodbye", "thanks", "apologize", "request_human", "abuse", "stop"}


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
    this = {"conversation": conversation_id}
    if new:
        # The update locks the conversation's row first, so seq stays without gaps under concurrency.
        conn.execute(_GROW, {**this, "count": len(new), "now": now})
    last = conn.execute(_LAST_SEQ, this).scalar_one()
    if new:
        write_at(conn, conversation_id, last - len(new) + 1, new, now)
    return last


def write_at(conn: Connection, conversation_id: str, first_seq: int, new: list[Line], now: datetime) -> None:
    """Write lines at seqs that the caller has already reserved."""
    conn.execute(
        _WRITE,
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
    outbox.queue(conn, conversation_id, first_seq, new, now)


def since(conn: Connection, conversation_id: str, seq: int, limit: int = 500) -> list:
    """Give the lines after `seq`, oldest first."""
    return conn.execute(_SINCE, {"conversation": conversation_id, "seq": seq, "count": limit}).all()


def before(conn: Connection, conversation_id: str, seq: int, limit: int) -> list:
    """Give the last `limit` lines before `seq`, oldest first."""
    return conn.execute(_BEFORE, {"conversation": conversation_id, "seq": seq, "count": limit}).all()[::-1]


def latest(conn: Connection, conversation_id: str, limit: int = 50) -> list:
    """Give the last lines, oldest first."""
    return before(conn, conversation_id, NEWEST, limit)


def record_incident(conn: Connection, conversation_id: str | None, kind: str, detail: str, now: datetime) -> None:
    """Note a failure for the technical department (R81). `detail` must hold no words of a patient."""
    conn.execute(insert(incidents).values(conversation_id=conversation_id, kind=kind, detail=detail[:2000], at=now))


def may_rate(row) -> bool:
    """Tell whether a patient may say of a line that it did not help: an answer of the bot to what it understood."""
    intent = (row.meta or {}).get("intent")
    return row.sender == "bot" and bool(intent) and intent not in UNRATED


def note_unhelpful(conn: Connection, conversation_id: str, seq: int, now: datetime) -> bool:
    """Keep with an answer that it did not help the patient; False when there is no such answer."""
    row = conn.execute(_LINE, {"conversation": conversation_id, "seq": seq}).first()
    if row is None or not may_rate(row):
        return False
    meta = {"unhelpful": now.isoformat(), **row.meta}  # the first tap counts
    conn.execute(update(lines).where(lines.c.id == row.id).values(meta=meta))
    return True


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
