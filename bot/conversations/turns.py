"""A turn: lease a conversation, take what waits, commit tracker, replies and "done" together or not at all."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import and_, bindparam, func, insert, or_, select, update

from bot.conversations import transcript
from bot.conversations.notices import lasts
from bot.conversations.tables import buttons, conversations, images, inbox
from bot.conversations.transcript import Line
from bot.storage.engine import reading, writing

LEASE = timedelta(seconds=30)
LONGEST_MERGE = timedelta(seconds=2)

# Statements are built once: building one costs more than running it.
_THIS = conversations.c.id == bindparam("conversation")
_OURS = and_(_THIS, conversations.c.lease_token == bindparam("token"))
_WAITS = and_(
    conversations.c.waiting_since.is_not(None),
    conversations.c.holder != "agent",
    or_(conversations.c.lease_until.is_(None), conversations.c.lease_until < bindparam("now")),
)
_READY = and_(
    _WAITS,
    or_(
        conversations.c.newest_at.is_(None),
        conversations.c.newest_at <= bindparam("quiet_since"),
        conversations.c.waiting_since <= bindparam("long_since"),
    ),
)
_CANDIDATES = select(conversations.c.id).where(_READY).order_by(conversations.c.waiting_since).limit(8)
_NEXT = select(func.min(conversations.c.newest_at)).where(_WAITS)
_TAKE = (
    update(conversations)
    .where(_THIS, _READY)
    .values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        lease_token=conversations.c.lease_token + 1,
    )
)
_ROW = select(conversations).where(_THIS)
_PLACE = select(conversations.c.last_seq, conversations.c.step).where(_THIS)
_WAITING = (
    select(inbox)
    .where(inbox.c.conversation_id == bindparam("conversation"), inbox.c.state == "waiting")
    .order_by(inbox.c.id)
    .limit(20)
)
_ROWS = inbox.c.id.in_(bindparam("rows", expanding=True))
_BEGIN = update(inbox).where(_ROWS).values(attempts=inbox.c.attempts + 1, turn=bindparam("key"))
_END = update(inbox).where(_ROWS).values(state="done")
_COMMIT = (
    update(conversations)
    .where(_OURS, conversations.c.epoch == bindparam("held_epoch"), conversations.c.holder != "agent")
    .values(
        tracker=bindparam("state"),
        last_seq=conversations.c.last_seq + bindparam("count"),
        step=conversations.c.step + 1,
        lease_owner=None,
        lease_until=None,
        code_expected=bindparam("code"),
        suspended_by=bindparam("suspension"),
        updated_at=bindparam("now"),
    )
)
_WAIT_AGAIN = (
    update(conversations)
    .where(_THIS)
    .values(
        waiting_since=select(func.min(inbox.c.received_at))
        .where(inbox.c.conversation_id == bindparam("conversation"), inbox.c.state == "waiting")
        .scalar_subquery()
    )
)
_FREE = update(conversations).where(_OURS).values(lease_owner=None, lease_until=None)
_FREE_IDLE = _FREE.values(waiting_since=None)


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
    moments = {"now": now, "quiet_since": now - quiet, "long_since": now - LONGEST_MERGE}
    with reading() as conn:
        candidates = conn.execute(_CANDIDATES, moments).scalars().all()
    for conversation_id in candidates:
        turn = _lease(conversation_id, owner, moments)
        if turn is not None:
            return turn
    return None


def ripe_in(now: datetime, quiet: timedelta) -> timedelta | None:
    """Give how long it takes until the next turn may be claimed if nobody writes; None when nobody waits."""
    with reading() as conn:
        newest = conn.execute(_NEXT, {"now": now}).scalar()
    return None if newest is None else max(newest + quiet - now, timedelta(0))


def _lease(conversation_id: str, owner: str, moments: dict[str, datetime]) -> Turn | None:
    this = {"conversation": conversation_id}
    with writing() as conn:
        taken = conn.execute(_TAKE, {**this, **moments, "owner": owner, "until": moments["now"] + LEASE})
        if taken.rowcount == 0:
            return None
        row = conn.execute(_ROW, this).one()
        waiting = conn.execute(_WAITING, this).all()
        if not waiting:
            conn.execute(_FREE_IDLE, {**this, "token": row.lease_token})
            return None
        first = waiting[0]
        if first.kind == "button" and first.button["step"] != row.step and not lasts(first.button["step"]):
            # A message before the tap has changed the question it belonged to: 改成十点, then 确认 of the old time.
            this = inbox.c.id == first.id
            conn.execute(update(inbox).where(this).values(kind="stale", button=None))
            waiting[0] = conn.execute(select(inbox).where(this)).one()
        rows = _one_turn(waiting)
        key = rows[0].turn or f"{conversation_id}:{rows[0].id}"
        conn.execute(_BEGIN, {"rows": [r.id for r in rows], "key": key})
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
        this = {"conversation": turn.conversation_id}
        held = conn.execute(
            _COMMIT,
            {
                **this,
                "token": turn.token,
                "held_epoch": turn.epoch,
                "state": outcome.tracker,
                "count": count,
                "code": outcome.code_expected,
                "suspension": None if outcome.clear_suspension else turn.suspended_by,
                "now": now,
            },
        )
        if held.rowcount == 0:
            # Overtaken by a danger sign or a person: what the patient writes now must not wait for the lease to end.
            conn.execute(_FREE, {**this, "token": turn.token})
            return False
        row = conn.execute(_PLACE, this).one()
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
        conn.execute(_END, {"rows": [r.id for r in turn.rows]})
        conn.execute(_WAIT_AGAIN, this)
        return True


def release(turn: Turn) -> None:
    """Give the lease back without a result; the rows wait for the next attempt."""
    with writing() as conn:
        conn.execute(_FREE, {"conversation": turn.conversation_id, "token": turn.token})


def void_leases(owner: str) -> None:
    """At start a worker frees what its earlier life held."""
    with writing() as conn:
        conn.execute(
            update(conversations).where(conversations.c.lease_owner == owner).values(lease_owner=None, lease_until=None)
        )
