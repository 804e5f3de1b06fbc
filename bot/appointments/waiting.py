"""The waitlist (候补): a line for each full session. What becomes free is offered to the first who may have it, for a time.

One matcher a session: whatever frees an opening (service.let_go) or puts somebody into the line sets `waitlist_match` in the
`due` table, and the sweeper offers behind a lock on the session's row. So two openings that become free at the same moment
go to two people, and nobody is offered twice. Each function works inside the caller's transaction.
"""

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.appointments import service
from bot.appointments.model import SHANGHAI, Booking, Duplicate, LimitReached, NotOffered, Waiting
from bot.appointments.tables import bookings, openings, sessions, waitlist
from bot.patients.tables import patients
from bot.storage import due

IN_LINE = ("waiting", "offered")
_ENTRY = select(
    waitlist.c.id,
    waitlist.c.session_id,
    waitlist.c.patient_id,
    waitlist.c.conversation_id,
    waitlist.c.state,
    waitlist.c.opening_id,
    waitlist.c.offered_until,
    openings.c.starts_at,
    sessions.c.day,
    sessions.c.period,
    sessions.c.doctor,
    sessions.c.department,
    sessions.c.slot_class,
    sessions.c.room,
    sessions.c.fee_item,
    sessions.c.stopped,
    sessions.c.stop_reason,
).select_from(
    waitlist.join(sessions, waitlist.c.session_id == sessions.c.id).outerjoin(
        openings, waitlist.c.opening_id == openings.c.id
    )
)


def entry(conn: Connection, entry_id: int) -> Waiting | None:
    """Give an entry in any state, None when there is none."""
    row = conn.execute(_ENTRY.where(waitlist.c.id == entry_id)).first()
    return Waiting(**row._mapping) if row else None


def place(conn: Connection, known: Waiting) -> int:
    """Give the place in line, 1 for the next; who has an offer stands before all who wait."""
    ahead = and_(waitlist.c.session_id == known.session_id, waitlist.c.state.in_(IN_LINE), waitlist.c.id <= known.id)
    return conn.execute(select(func.count()).select_from(waitlist).where(ahead)).scalar_one()


def of_patient(conn: Connection, patient_id: int, now: datetime) -> list[tuple[Waiting, int]]:
    """Give where a patient stands in line for sessions that lie ahead, with his place, earliest session first."""
    today = now.astimezone(SHANGHAI).date()
    rows = conn.execute(
        _ENTRY.where(
            waitlist.c.patient_id == patient_id, waitlist.c.state.in_(IN_LINE), sessions.c.day >= today
        ).order_by(sessions.c.day, waitlist.c.id)
    ).all()
    return [(known, place(conn, known)) for known in (Waiting(**row._mapping) for row in rows)]


def offered_in(conn: Connection, conversation_id: str, now: datetime) -> Waiting | None:
    """Give the offer that a conversation may answer now, the one that ends first; None when there is none."""
    mine = and_(waitlist.c.conversation_id == conversation_id, waitlist.c.state == "offered")
    row = conn.execute(
        _ENTRY.where(mine, waitlist.c.offered_until > now).order_by(waitlist.c.offered_until).limit(1)
    ).first()
    return Waiting(**row._mapping) if row else None


def join(conn: Connection, session_id: int, patient_id: int, conversation_id: str, now: datetime) -> int:
    """Put a patient into the line of a session, once, and give his place; who has left it before begins at the end."""
    mine = and_(waitlist.c.session_id == session_id, waitlist.c.patient_id == patient_id)
    _lock(conn, session_id)
    conn.execute(delete(waitlist).where(mine, waitlist.c.state.notin_(IN_LINE)))
    try:
        with conn.begin_nested():
            conn.execute(
                insert(waitlist).values(
                    session_id=session_id, patient_id=patient_id, conversation_id=conversation_id, created_at=now
                )
            )
    except IntegrityError:
        pass
    # An opening may have become free while this line was written: the matcher looks when both have been committed.
    due.schedule(conn, "waitlist_match", str(session_id), now, {"session": session_id})
    due.schedule(conn, "waitlist_close", str(session_id), _end(conn, session_id), {"session": session_id})
    return place(conn, Waiting(**conn.execute(_ENTRY.where(mine)).one()._mapping))


def match(conn: Connection, session_id: int, now: datetime) -> list[Waiting]:
    """Offer what is free or kept back to those who wait, in order; give the new offers. What nobody may have is free for all.

    Nobody is passed over for good: who may not have a further booking now (R80) keeps his place.
    """
    session = _lock(conn, session_id)
    kept = and_(
        openings.c.session_id == session_id, openings.c.state == "held", openings.c.held_by == service.KEPT_BACK
    )
    if session.stopped:
        conn.execute(update(openings).where(kept).values(state="free", held_by=None, held_until=None))
        return []
    soonest = now + timedelta(hours=service.rules().offer_hours_before)
    free = and_(openings.c.session_id == session_id, openings.c.state == "free")
    open_ones = conn.execute(
        select(openings.c.id, openings.c.starts_at)
        .where(kept | free, openings.c.starts_at > soonest)
        .order_by(openings.c.starts_at)
        .with_for_update(skip_locked=True)  # who is about to take one has it; giving it back comes here again
    ).all()
    gone = select(patients.c.id).where(patients.c.erased_at.is_not(None))
    conn.execute(
        update(waitlist)
        .where(waitlist.c.session_id == session_id, waitlist.c.state == "waiting", waitlist.c.patient_id.in_(gone))
        .values(state="cancelled")  # he has had his data erased
    )
    in_line = conn.execute(
        _ENTRY.where(waitlist.c.session_id == session_id, waitlist.c.state == "waiting").order_by(waitlist.c.id)
    ).all()
    made = []
    for row in in_line:
        if len(made) == len(open_ones):
            break
        known = Waiting(**row._mapping)
        try:
            service.check_patient(conn, known.patient_id, session.department, session.day, now)
        except (Duplicate, LimitReached):
            continue
        made.append(_offer(conn, known, open_ones[len(made)].id, now))
    conn.execute(update(openings).where(kept).values(state="free", held_by=None, held_until=None))
    return made


def _offer(conn: Connection, known: Waiting, opening_id: int, now: datetime) -> Waiting:
    until = now + timedelta(minutes=service.rules().offer_minutes)
    # Held a little longer than offered: at the end it passes to the next in line, not to whoever looks first.
    conn.execute(
        update(openings)
        .where(openings.c.id == opening_id)
        .values(state="held", held_by=_holder(known.id), held_until=until + service.KEPT_BACK_FOR)
    )
    conn.execute(
        update(waitlist)
        .where(waitlist.c.id == known.id)
        .values(state="offered", opening_id=opening_id, offered_until=until)
    )
    due.schedule(conn, "waitlist_lapse", str(known.id), until, {"entry": known.id})
    return entry(conn, known.id)


def accept(conn: Connection, entry_id: int, key: str, now: datetime) -> tuple[Booking, bool]:
    """Book what is offered, once per key; give the booking and whether this call made it.

    Raises NotOffered when the offer was answered before or its time has run out, and what booking raises (Taken: the
    session has been stopped).
    """
    known = entry(conn, entry_id)
    if known is None:
        raise NotOffered(str(entry_id))
    conn.execute(select(patients.c.id).where(patients.c.id == known.patient_id).with_for_update())
    _lock(conn, known.session_id)
    known = entry(conn, entry_id)
    replayed = conn.execute(select(bookings.c.id).where(bookings.c.key == key)).scalar()
    if replayed:
        return service.booking(conn, replayed), False
    if known.state != "offered" or known.offered_until <= now:
        raise NotOffered(str(entry_id))
    made = service.book(
        conn, known.opening_id, known.patient_id, known.conversation_id, key, now, holder=_holder(entry_id)
    )
    _leave(conn, entry_id, "booked")
    return made


def leave(conn: Connection, entry_id: int, state: str, now: datetime) -> bool:
    """Take somebody out of the line; what was offered to him goes to the next. False when he had left before.

    `state` is declined (no to an offer), cancelled (he waits no longer) or lapsed.
    """
    known = entry(conn, entry_id)
    if known is None:
        return False
    _lock(conn, known.session_id)
    known = entry(conn, entry_id)
    if known.state not in IN_LINE:
        return False
    _leave(conn, entry_id, state)
    if known.state == "offered":
        held = and_(openings.c.state == "held", openings.c.held_by == _holder(entry_id))
        service.let_go(conn, and_(openings.c.id == known.opening_id, held), now)
    return True


def lapse(conn: Connection, entry_id: int, now: datetime) -> Waiting | None:
    """End an offer whose time has run out and give the entry; None when it was answered or lasts longer."""
    known = entry(conn, entry_id)
    if known is None or known.state != "offered" or known.offered_until > now:
        return None
    return known if leave(conn, entry_id, "lapsed", now) else None


def close(conn: Connection, session_id: int) -> list[Waiting]:
    """End the line of a session that is too near for offers; give those who still waited. An open offer stands."""
    _lock(conn, session_id)
    ended = [known for known in _standing(conn, session_id) if known.state == "waiting"]
    for known in ended:
        _leave(conn, known.id, "closed")
    return ended


def suspend(conn: Connection, session_id: int) -> list[Waiting]:
    """A stopped session has nothing to offer: offers are taken back, everybody keeps his place. Gives who stands in line."""
    _lock(conn, session_id)
    standing = _standing(conn, session_id)
    for known in standing:
        if known.state == "offered":
            _leave(conn, known.id, "waiting")
            held = and_(openings.c.state == "held", openings.c.held_by == _holder(known.id))
            conn.execute(update(openings).where(held).values(state="free", held_by=None, held_until=None))
    return standing


def _standing(conn: Connection, session_id: int) -> list[Waiting]:
    in_line = _ENTRY.where(waitlist.c.session_id == session_id, waitlist.c.state.in_(IN_LINE)).order_by(waitlist.c.id)
    return [Waiting(**row._mapping) for row in conn.execute(in_line).all()]


def _leave(conn: Connection, entry_id: int, state: str) -> None:
    conn.execute(update(waitlist).where(waitlist.c.id == entry_id).values(state=state))
    due.settle(conn, "waitlist_lapse", str(entry_id))


def _lock(conn: Connection, session_id: int):
    """Lock the session's row: all that happens in its line happens one after another."""
    return conn.execute(select(sessions).where(sessions.c.id == session_id).with_for_update()).one()


def _end(conn: Connection, session_id: int) -> datetime:
    """Give the moment after which nothing of a session is offered any more."""
    last = conn.execute(select(func.max(openings.c.starts_at)).where(openings.c.session_id == session_id)).scalar_one()
    return last - timedelta(hours=service.rules().offer_hours_before)


def _holder(entry_id: int) -> str:
    return f"{service.KEPT_BACK}:{entry_id}"
