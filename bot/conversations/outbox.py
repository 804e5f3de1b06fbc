"""The way out to patients whom only a push channel can call: one row a line, written in the commit that writes the line.

A batch is what is sent together. Its parcels are fixed when it is claimed and counted off as they arrive, so that a sender
that is killed leaves at most the one parcel in flight in doubt: it is sent again, and `resent` counts it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from bot.conversations.tables import lines, outbox, reach
from bot.storage.engine import reading, writing
from bot.storage.types import Json, UtcDateTime

LEASE = timedelta(seconds=60)
# A danger text or a greeting leaves as the answer to the callback; should that answer be lost, the outbox takes over.
PASSIVE_WAIT = timedelta(seconds=10)
TURN_WAIT = timedelta(milliseconds=1500)  # a receipt written in the middle of a turn waits for the turn's answer
MOST_LINES = 30
NAMED = 20  # bytes that say who speaks
LONGEST = 2000  # bytes of UTF-8 in one message; WeChat cuts at 2,048, measured by others and nowhere documented

# Statements are built once: building one costs more than running it.
_REACH = reach.c.conversation_id == bindparam("conversation")
_HERE = outbox.c.conversation_id == bindparam("conversation")
_REACHED = select(reach.c.conversation_id).where(_REACH)
_MEET = insert(reach)
_QUEUE = insert(outbox)
_ALLOW = {
    kind: update(reach)
    .where(_REACH)
    .values({f"{kind}_left": bindparam("sends"), f"{kind}_until": bindparam("ends", type_=UtcDateTime)})
    for kind in ("message", "event")
}
_SPEND = [
    update(reach)
    .where(_REACH, reach.c[f"{kind}_left"] > 0, reach.c[f"{kind}_until"] > bindparam("now"))
    .values({f"{kind}_left": reach.c[f"{kind}_left"] - 1})
    for kind in ("event", "message")  # the shorter one first
]
_LET_GO = (
    update(outbox)
    .where(_HERE, outbox.c.state == "held")
    .values(state="waiting", not_before=bindparam("now"), owner=None)
)


@dataclass(frozen=True)
class Allowance:
    """How many sends a patient's act allows, and for how long."""

    sends: int
    lasts: timedelta


@dataclass(frozen=True)
class Quota:
    """What may still be sent: sends and their end, the soonest first; how many are on their way; lines that are held."""

    windows: tuple[tuple[int, datetime], ...]
    under_way: int
    held: int  # until the patient writes again

    @property
    def left(self) -> int:
        """Give how many messages may still be begun."""
        return max(sum(sends for sends, _ in self.windows) - self.under_way, 0)


@dataclass(frozen=True)
class Batch:
    """Lines of one conversation that are being sent. `parcels[done:]` are still to go."""

    id: int
    conversation_id: str
    address: str
    parcels: list[dict]
    done: int
    attempts: int
    lines: tuple


def queue(conn: Connection, conversation_id: str, first_seq: int, new: list, now: datetime) -> None:
    """Note lines for delivery, in the transaction that writes them. Nothing happens where the patient is not on push."""
    own = [(first_seq + place, line) for place, line in enumerate(new) if line.sender != "patient"]
    if not own or conn.execute(_REACHED, {"conversation": conversation_id}).first() is None:
        return
    conn.execute(_QUEUE, [_row(conversation_id, seq, line, now) for seq, line in own])


def _row(conversation_id: str, seq: int, line, now: datetime) -> dict:
    meta = line.meta or {}
    passive = line.sender == "system" and bool(meta.get("danger") or meta.get("passive"))
    later = PASSIVE_WAIT if passive else TURN_WAIT if line.sender == "system" and meta.get("turn") else timedelta(0)
    return {
        "conversation_id": conversation_id,
        "seq": seq,
        "state": "passive" if passive else "waiting",
        "not_before": now + later,
        "created_at": now,
    }


# ---- whom we reach, and how often


def meet(conn: Connection, conversation_id: str, address: str) -> None:
    """Keep where a new patient of a push channel is reached."""
    if conn.execute(_REACHED, {"conversation": conversation_id}).first() is None:
        conn.execute(_MEET, {"conversation_id": conversation_id, "address": address})


def heard(conn: Connection, conversation_id: str, allowance: Allowance, message: bool, now: datetime) -> None:
    """The patient wrote (message) or tapped: his allowance begins anew, and what was held may leave."""
    this = {"conversation": conversation_id}
    conn.execute(
        _ALLOW["message" if message else "event"], {**this, "sends": allowance.sends, "ends": now + allowance.lasts}
    )
    conn.execute(_LET_GO, {**this, "now": now})


def spend(conn: Connection, conversation_id: str, now: datetime) -> bool:
    """Take one send from the allowance, from the shorter one first; False when none is left."""
    return any(conn.execute(each, {"conversation": conversation_id, "now": now}).rowcount for each in _SPEND)


def exhausted(conn: Connection, conversation_id: str) -> None:
    """The channel says that nothing is left."""
    conn.execute(update(reach).where(reach.c.conversation_id == conversation_id).values(message_left=0, event_left=0))


def quota(conn: Connection, conversation_id: str, now: datetime) -> Quota | None:
    """Give what may still be sent, None where the conversation is not on a push channel."""
    row = conn.execute(select(reach).where(reach.c.conversation_id == conversation_id)).first()
    if row is None:
        return None
    both = [(row.event_left, row.event_until), (row.message_left, row.message_until)]
    live = [(left, until) for left, until in both if until is not None and until > now and left > 0]
    counted = select(outbox.c.state, func.count()).where(outbox.c.conversation_id == conversation_id)
    counts = dict(conn.execute(counted.group_by(outbox.c.state)).all())
    live.sort(key=lambda each: each[1])
    return Quota(tuple(live), counts.get("waiting", 0) + counts.get("sending", 0), counts.get("held", 0))


def cost(text: str, picture: bool = False) -> int:
    """Give how many messages a line takes at most; what is too long for one is divided at the ends of sentences."""
    size = len(text.encode("utf-8", "replace"))
    pieces = 1 if size <= LONGEST - NAMED else -(-size // (LONGEST // 2))
    return pieces + picture


def unsent(conversation_id: str) -> bool:
    """Tell whether something waits to be sent."""
    with reading() as conn:
        waiting = select(outbox.c.id).where(outbox.c.conversation_id == conversation_id, outbox.c.state == "waiting")
        return conn.execute(waiting.limit(1)).first() is not None


# ---- sending

_LOCK = select(reach.c.address).where(_REACH).with_for_update()
_SENDING = select(outbox).where(_HERE, outbox.c.state == "sending").order_by(outbox.c.seq)
_READY = (
    select(outbox)
    .where(
        _HERE,
        or_(
            outbox.c.state == "waiting",
            and_(outbox.c.state == "passive", outbox.c.not_before <= bindparam("now")),
        ),
    )
    .order_by(outbox.c.seq)
    .limit(MOST_LINES)
)
_LEASE = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(
        state="sending",
        owner=bindparam("by"),
        lease_until=bindparam("ends", type_=UtcDateTime),
        batch=bindparam("whole"),
        attempts=outbox.c.attempts + 1,
    )
)
_SAID = (
    select(lines)
    .where(lines.c.conversation_id == bindparam("conversation"), lines.c.seq.in_(bindparam("seqs", expanding=True)))
    .order_by(lines.c.seq)
)
_FIX = update(outbox).where(outbox.c.id == bindparam("row")).values(parcels=bindparam("fixed", type_=Json))
_OF_BATCH = and_(outbox.c.batch == bindparam("whole"), outbox.c.state == "sending")
_OVER = (
    update(outbox)
    .where(_OF_BATCH)
    .values(state="sent", parcels=None, owner=None, lease_until=None, sent_at=bindparam("now"), error=None)
)
_LONGER = update(outbox).where(_OF_BATCH).values(lease_until=bindparam("ends", type_=UtcDateTime))
_COUNT = update(outbox).where(outbox.c.id == bindparam("whole")).values(done=bindparam("parcels_done"))
_DUE = or_(
    and_(outbox.c.state.in_(("waiting", "passive")), outbox.c.not_before <= bindparam("now")),
    and_(outbox.c.state == "sending", outbox.c.lease_until < bindparam("now")),
)
_CANDIDATES = select(outbox.c.conversation_id).where(_DUE).group_by(outbox.c.conversation_id)
_CANDIDATES = _CANDIDATES.order_by(func.min(outbox.c.id)).limit(bindparam("most"))


def claim(
    owner: str, now: datetime, compose: Callable[[list], list[dict]], most: int, but: frozenset[str] = frozenset()
) -> list[Batch]:
    """Lease what is due, a batch for each conversation `but` those; `compose` turns lines into parcels (plain data)."""
    with reading() as conn:
        candidates = conn.execute(_CANDIDATES, {"now": now, "most": most + len(but)}).scalars().all()
    found = [claim_of(each, owner, now, compose) for each in candidates if each not in but][:most]
    return [batch for batch in found if batch is not None]


def claim_of(
    conversation_id: str, owner: str, now: datetime, compose: Callable[[list], list[dict]], due: bool = True
) -> Batch | None:
    """Lease a conversation's batch; None while another is under way. `due` False: do not wait for more lines."""
    with writing() as conn:
        # The patient's row is the lock: two senders never share a conversation.
        this = {"conversation": conversation_id}
        row = conn.execute(_LOCK, this).first()
        if row is None:
            return None
        rows = conn.execute(_SENDING, this).all()
        if rows:
            if any(each.lease_until >= now for each in rows):
                return None
            return _taken_over(conn, rows, row.address, owner, now)
        rows = conn.execute(_READY, {**this, "now": now}).all()
        if not rows or (due and all(each.not_before > now for each in rows)):
            return None
        first = next((each for each in rows if each.parcels), rows[0])
        if first.parcels:  # begun before and put off: what it consists of stays
            rows = [each for each in rows if each.batch == first.batch]
            said = _lines(conn, rows)
            parcels, done = first.parcels, first.done
        else:
            said = _lines(conn, rows)
            parcels, done = compose(said), 0
        lease = {"by": owner, "ends": now + LEASE, "whole": first.id}
        conn.execute(_LEASE, [{"row": each.id, **lease} for each in rows])
        conn.execute(_FIX, {"row": first.id, "fixed": parcels})
        return Batch(first.id, conversation_id, row.address, parcels, done, first.attempts + 1, tuple(said))


def _taken_over(conn: Connection, rows: list, address: str, owner: str, now: datetime) -> Batch:
    """A sender died: which parcel had arrived is known but for the one in flight."""
    first = next(each for each in rows if each.id == each.batch)
    conn.execute(
        update(outbox)
        .where(outbox.c.batch == first.id)
        .values(owner=owner, lease_until=now + LEASE, attempts=outbox.c.attempts + 1)
    )
    conn.execute(update(outbox).where(outbox.c.id == first.id).values(resent=outbox.c.resent + 1))
    said = tuple(_lines(conn, rows))
    return Batch(first.id, first.conversation_id, address, first.parcels or [], first.done, first.attempts + 1, said)


def _lines(conn: Connection, rows: list) -> list:
    return conn.execute(_SAID, {"conversation": rows[0].conversation_id, "seqs": [each.seq for each in rows]}).all()


def arrived(conn: Connection, batch: Batch, done: int, now: datetime) -> None:
    """Note that `done` parcels have arrived; with the last one the batch is over and its words are not kept here."""
    if done >= len(batch.parcels):
        conn.execute(_OVER, {"whole": batch.id, "now": now})
    else:
        conn.execute(_LONGER, {"whole": batch.id, "ends": now + LEASE})
    conn.execute(_COUNT, {"whole": batch.id, "parcels_done": done})


def put_off(conn: Connection, batch: Batch, error: str, until: datetime | None) -> None:
    """Send the rest not before `until`; None: when the patient writes again."""
    values: dict = {"state": "held"} if until is None else {"state": "waiting", "not_before": until}
    conn.execute(
        update(outbox)
        .where(outbox.c.batch == batch.id, outbox.c.state == "sending")
        .values(error=error[:80], owner=None, lease_until=None, **values)
    )


def drop(conn: Connection, batch: Batch, error: str) -> None:
    """Give up: the patient cannot be reached. The lines stay in the transcript."""
    conn.execute(
        update(outbox)
        .where(outbox.c.batch == batch.id, outbox.c.state == "sending")
        .values(state="dropped", parcels=None, error=error[:80], owner=None, lease_until=None)
    )


def answered(conn: Connection, conversation_id: str, now: datetime) -> None:
    """The danger text has left as the answer to the patient's message: it is not sent a second time."""
    conn.execute(
        update(outbox)
        .where(outbox.c.conversation_id == conversation_id, outbox.c.state == "passive")
        .values(state="sent", sent_at=now)
    )


def void_leases(owner: str, now: datetime) -> None:
    """At start a sender frees what its earlier life held."""
    with writing() as conn:
        conn.execute(
            update(outbox)
            .where(outbox.c.owner == owner, outbox.c.state == "sending")
            .values(lease_until=now - timedelta(seconds=1))
        )


def forget(conn: Connection, conversation_ids: list[str]) -> None:
    """Remove the patients' addresses and everything that was to be sent."""
    conn.execute(delete(outbox).where(outbox.c.conversation_id.in_(conversation_ids)))
    conn.execute(delete(reach).where(reach.c.conversation_id.in_(conversation_ids)))
