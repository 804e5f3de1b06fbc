"""A turn: lease a conversation, take what waits, commit tracker, replies and "done" together or not at all."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import and_, func, insert, or_, select, update

from bot.conversations import transcript
from bot.conversations.tables import buttons, conversations, images, inbox
from bot.conversations.transcript import Line
from bot.storage.engine import reading, writing

LEASE = timedelta(seconds=30)
LONGEST_MERGE = timedelta(seconds=2)


@dataclass(frozen=True)
class Turn:
    """What a worker holds while it thinks. `key` is the same when the turn is replayed."""

    conversation_id: str
    key: str
    rows: tuple  # inbox rows, oldest first
    tracker: dict | None
    epoch: int
    token: int
    step: int
    holder: str
    suspended_by: str | None
    attempts: int

    @property
    def received_at(self) -> datetime:
        """Give the moment that 明天 is counted from."""
        return self.rows[-1].received_at


@dataclass
class Outcome:
    """What a turn leaves behind."""

    tracker: dict
    lines: list[Line]
    code_expected: bool = False
    clear_suspension: bool = False
    buttons: list[dict] = field(default_factory=list)  # token, title, payload
    images: list[dict] = field(default_factory=list)  # token, content
    incident: str | None = None  # what the technical department should know; no words of a patient


def claim(owner: str, now: datetime, quiet: timedelta) -> Turn | None:
    """Lease one conversation whose patient waits and has paused for `quiet`; None when there is none."""
    free = or_(conversations.c.lease_until.is_(None), conversations.c.lease_until < now)
    ready = and_(
        conversations.c.waiting_since.is_not(None),
        conversations.c.holder != "agent",
        or_(conversations.c.newest_at <= now - quiet, conversations.c.waiting_since <= now - LONGEST_MERGE),
        free,
    )
    with reading() as conn:
        candidates = (
            conn.execute(select(conversations.c.id).where(ready).order_by(conversations.c.waiting_since).limit(8))
            .scalars()
            .all()
        )
    for conversation_id in candidates:
        turn = _lease(conversation_id, owner, now, ready)
        if turn is not None:
            return turn
    return None


def _lease(conversation_id: str, owner: str, now: datetime, ready) -> Turn | None:
    with writing() as conn:
        taken = conn.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id, ready)
            .values(lease_owner=owner, lease_until=now + LEASE, lease_token=conversations.c.lease_token + 1)
        )
        if taken.rowcount == 0:
            return None
        row = conn.execute(select(conversations).where(conversations.c.id == conversation_id)).one()
        waiting = conn.execute(
            select(inbox)
            .where(inbox.c.conversation_id == conversation_id, inbox.c.state == "waiting")
            .order_by(inbox.c.id)
            .limit(20)
        ).all()
        if not waiting:
            _free(conn, conversation_id, row.lease_token, waiting_since=None)
            return None
        first = waiting[0]
        if first.kind == "button" and first.button["step"] != row.step:
            # A message before the tap has changed the question it belonged to: 改成十点, then 确认 of the old time.
            this = inbox.c.id == first.id
            conn.execute(update(inbox).where(this).values(kind="stale", button=None))
            waiting[0] = conn.execute(select(inbox).where(this)).one()
        rows = _one_turn(waiting)
        key = rows[0].turn or f"{conversation_id}:{rows[0].id}"
        conn.execute(
            update(inbox).where(inbox.c.id.in_([r.id for r in rows])).values(attempts=inbox.c.attempts + 1, turn=key)
        )
        return Turn(
            conversation_id=conversation_id,
            key=key,
            rows=tuple(rows),
            tracker=row.tracker,
            epoch=row.epoch,
            token=row.lease_token,
            step=row.step,
            holder=row.holder,
            suspended_by=row.suspended_by,
            attempts=rows[0].attempts + 1,
        )


def _one_turn(waiting: list) -> list:
    """Texts that wait together are one turn; a tap stands alone. A turn begun before covers the rows it had then."""
    first = waiting[0]
    if first.kind != "text":
        return [first]
    if first.turn:
        return [row for row in waiting if row.turn == first.turn]
    return list(takewhile(lambda row: row.kind == "text" and not row.turn, waiting))


def commit(turn: Turn, outcome: Outcome, now: datetime) -> bool:
    """Write everything the turn produced, if lease and epoch still hold. False: nothing was written, the lease is free."""
    with writing() as conn:
        count = len(outcome.lines)
        values = dict(
            tracker=outcome.tracker,
            last_seq=conversations.c.last_seq + count,
            step=conversations.c.step + 1,
            lease_owner=None,
            lease_until=None,
            code_expected=outcome.code_expected,
            updated_at=now,
        )
        if outcome.clear_suspension:
            values["suspended_by"] = None
        held = conn.execute(
            update(conversations)
            .where(
                conversations.c.id == turn.conversation_id,
                conversations.c.epoch == turn.epoch,
                conversations.c.lease_token == turn.token,
                conversations.c.holder != "agent",
            )
            .values(**values)
        )
        if held.rowcount == 0:
            # Overtaken by a danger sign or a person: what the patient writes now must not wait for the lease to end.
            _free(conn, turn.conversation_id, turn.token)
            return False
        row = conn.execute(select(conversations).where(conversations.c.id == turn.conversation_id)).one()
        if count:
            transcript.write_at(conn, turn.conversation_id, row.last_seq - count + 1, outcome.lines, now)
        if outcome.buttons:
            conn.execute(
                insert(buttons),
                [{**b, "conversation_id": turn.conversation_id, "step": row.step} for b in outcome.buttons],
            )
        if outcome.images:
            conn.execute(
                insert(images), [{**i, "conversation_id": turn.conversation_id, "at": now} for i in outcome.images]
            )
        if outcome.incident:
            transcript.record_incident(conn, turn.conversation_id, "turn_failed", outcome.incident, now)
        conn.execute(update(inbox).where(inbox.c.id.in_([r.id for r in turn.rows])).values(state="done"))
        oldest = conn.execute(
            select(func.min(inbox.c.received_at)).where(
                inbox.c.conversation_id == turn.conversation_id, inbox.c.state == "waiting"
            )
        ).scalar()
        conn.execute(
            update(conversations).where(conversations.c.id == turn.conversation_id).values(waiting_since=oldest)
        )
        return True


def release(turn: Turn) -> None:
    """Give the lease back without a result; the rows wait for the next attempt."""
    with writing() as conn:
        _free(conn, turn.conversation_id, turn.token)


def void_leases(owner: str) -> None:
    """At start a worker frees what its earlier life held."""
    with writing() as conn:
        conn.execute(
            update(conversations).where(conversations.c.lease_owner == owner).values(lease_owner=None, lease_until=None)
        )


def _free(conn, conversation_id: str, token: int, **values) -> None:
    conn.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.lease_token == token)
        .values(lease_owner=None, lease_until=None, **values)
    )
