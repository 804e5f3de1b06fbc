"""One row a hand-over, from the queue to its end: what the reports count and the expected wait comes from."""

from datetime import datetime
from math import ceil
from statistics import median

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from bot.conversations.tables import episodes

USUAL_MINUTES = 6.0  # a talk with a person, before this hospital has figures of its own
COUNTED = 50
_LAST_ENDED = (
    select(episodes.c.accepted_at, episodes.c.ended_at)
    .where(episodes.c.accepted_at.is_not(None), episodes.c.ended_at.is_not(None))
    .order_by(episodes.c.id.desc())
    .limit(COUNTED)
)


def open_one(conn: Connection, conversation_id: str):
    """Give the hand-over under way of a conversation, None when there is none."""
    return conn.execute(
        select(episodes)
        .where(episodes.c.conversation_id == conversation_id, episodes.c.ended_at.is_(None))
        .order_by(episodes.c.id.desc())
    ).first()


def begin(conn: Connection, conversation_id: str, reason: str, priority: int, skill: str | None, now: datetime) -> None:
    """Write that a conversation waits; one that is under way already goes on."""
    if open_one(conn, conversation_id) is None:
        conn.execute(
            insert(episodes).values(
                conversation_id=conversation_id,
                reason=reason[:80],
                priority=priority,
                skill=skill,
                queued_at=now,
            )
        )


def accepted(conn: Connection, conversation_id: str, agent_id: int, reason: str, now: datetime) -> None:
    """Write who has come; the first moment stands. A talk taken without a queue begins here."""
    begin(conn, conversation_id, reason, 0, None, now)
    row = open_one(conn, conversation_id)
    changed = row.agent_id is not None and row.agent_id != agent_id
    conn.execute(
        update(episodes)
        .where(episodes.c.id == row.id)
        .values(agent_id=agent_id, accepted_at=row.accepted_at or now, transfers=episodes.c.transfers + int(changed))
    )


def replied(conn: Connection, conversation_id: str, now: datetime) -> None:
    """Write when a person first answered."""
    conn.execute(
        update(episodes)
        .where(
            episodes.c.conversation_id == conversation_id,
            episodes.c.ended_at.is_(None),
            episodes.c.first_reply_at.is_(None),
        )
        .values(first_reply_at=now)
    )


def end(conn: Connection, conversation_id: str, outcome: str, now: datetime, summary: str | None = None) -> int | None:
    """End the hand-over under way and give its id; None when there was none."""
    row = open_one(conn, conversation_id)
    if row is None:
        return None
    conn.execute(update(episodes).where(episodes.c.id == row.id).values(ended_at=now, outcome=outcome, summary=summary))
    return row.id


def expected_minutes(conn: Connection, place: int, on_duty: int) -> int:
    """Give the wait in whole minutes for a place in the queue: the usual length of a talk, shared by who is here."""
    return share_of_wait(usual_minutes(conn), place, on_duty)


def usual_minutes(conn: Connection) -> float:
    """Give the usual length of a talk with a person: the median of the last COUNTED."""
    rows = conn.execute(_LAST_ENDED).all()
    lengths = [(row.ended_at - row.accepted_at).total_seconds() / 60 for row in rows]
    return median(lengths) if lengths else USUAL_MINUTES


def share_of_wait(usual: float, place: int, on_duty: int) -> int:
    """Give the wait in whole minutes when a talk takes `usual` minutes."""
    return max(1, ceil(place * usual / max(1, on_duty)))
