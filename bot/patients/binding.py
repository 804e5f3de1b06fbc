"""A patient bound to a channel's account: the check of identity is kept for a year instead of hours, until he unbinds.

Several relatives may be bound to one account. Binding needs a check that still holds; it is asked for, never assumed
(PIPL art. 29), and every step is audited.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from bot.patients import access
from bot.patients.tables import links

BOUND = timedelta(days=365)
LONGER_THAN_A_CHECK = timedelta(days=7)  # a link that lasts longer than any check of identity is a binding


@dataclass(frozen=True)
class Bound:
    """One patient of an account. `name` is masked."""

    patient_id: int
    relation: str  # "" is the writer himself
    name: str
    lasting: bool


def bound(conn: Connection, conversation_id: str, now: datetime) -> list[Bound]:
    """Give the patients whom a conversation may speak for, in the order they were verified."""
    rows = conn.execute(
        select(links)
        .where(links.c.conversation_id == conversation_id, links.c.expires_at > now)
        .order_by(links.c.verified_at, links.c.id)
    ).all()
    return [
        Bound(
            row.patient_id,
            row.relation,
            access.load(conn, row.patient_id).shown_name,
            row.expires_at - row.verified_at > LONGER_THAN_A_CHECK,
        )
        for row in rows
    ]


def bind(conn: Connection, conversation_id: str, now: datetime) -> list[Bound]:
    """Keep every check that holds now; gives whom it binds, none when nobody is verified."""
    current = bound(conn, conversation_id, now)
    for one in current:
        conn.execute(
            update(links)
            .where(links.c.conversation_id == conversation_id, links.c.patient_id == one.patient_id)
            .values(expires_at=now + BOUND)
        )
        if not one.lasting:
            access.record(conn, f"conversation:{conversation_id}", "bound", now, one.patient_id)
    return current


def unbind(conn: Connection, conversation_id: str, patient_id: int, now: datetime) -> bool:
    """Take a patient off an account; False when he was not on it."""
    gone = conn.execute(
        delete(links).where(links.c.conversation_id == conversation_id, links.c.patient_id == patient_id)
    )
    if gone.rowcount:
        access.record(conn, f"conversation:{conversation_id}", "unbound", now, patient_id)
    return bool(gone.rowcount)


def same_person(conn: Connection, conversation_id: str, now: datetime) -> list[str]:
    """Give the conversations, on any channel, of the person who writes in this one; itself comes first.

    Only checks of the writer himself count: a daughter who speaks for her father does not make his talk hers.
    """
    him = select(links.c.patient_id).where(
        links.c.conversation_id == conversation_id, links.c.relation == "", links.c.expires_at > now
    )
    others = conn.execute(
        select(links.c.conversation_id)
        .where(links.c.patient_id.in_(him), links.c.relation == "", links.c.expires_at > now)
        .where(links.c.conversation_id != conversation_id)
        .order_by(links.c.verified_at)
    ).scalars()
    return [conversation_id, *others]
