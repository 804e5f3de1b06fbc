"""Booking: what a patient or a person at the desk does with openings. Each function works inside the caller's transaction."""

from datetime import date, datetime, timedelta

from sqlalchemy import and_, case, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from bot.appointments.model import (
    SHANGHAI,
    SPAN_DAYS,
    Booking,
    Clinic,
    Duplicate,
    Rules,
    Taken,
    TooLate,
    check_limits,
    last_cancel,
    nth_number,
)
from bot.appointments.tables import bookings, openings, sessions, waitlist
from bot.hospital.load import load_hospital
from bot.patients.tables import patients
from bot.storage import due

KEPT_BACK = "waitlist"  # holder of an opening that waits for the sweeper to ask who is next
KEPT_BACK_FOR = timedelta(minutes=5)  # without a sweeper it is free for all again
REMIND_AT = 17  # hour of the evening before a visit at which its patient is reminded


def rules() -> Rules:
    """Give the hospital's rules."""
    return Rules.of(load_hospital().info.booking)


# ---- looking


def _free(now: datetime):
    return or_(openings.c.state == "free", and_(openings.c.state == "held", openings.c.held_until <= now))


def clinics(
    conn: Connection,
    now: datetime,
    *,
    department: str | None = None,
    doctor: str | None = None,
    first: date | None = None,
    last: date | None = None,
    period: str | None = None,
    slot_class: str | None = None,
    session: int | None = None,
) -> list[Clinic]:
    """Give sessions that lie ahead, with free openings counted, by day, half-day and class."""
    today = now.astimezone(SHANGHAI).date()
    wanted = [sessions.c.day >= max(first or today, today)]
    for column, value in (
        (sessions.c.department, department),
        (sessions.c.doctor, doctor),
        (sessions.c.period, period),
        (sessions.c.slot_class, slot_class),
        (sessions.c.id, session),
    ):
        if value:
            wanted.append(column == value)
    if last:
        wanted.append(sessions.c.day <= last)
    far = openings.c.starts_at > now + timedelta(minutes=rules().lead_minutes)
    free, late = and_(_free(now), far), and_(_free(now), openings.c.starts_at > now, ~far)
    rows = conn.execute(
        select(
            sessions,
            func.count(case((free, openings.c.id))).label("free"),
            func.count(case((late, openings.c.id))).label("late"),
            func.min(case((free, openings.c.starts_at))).label("next_at"),
            func.max(openings.c.starts_at).label("last_at"),
        )
        .select_from(sessions.outerjoin(openings, openings.c.session_id == sessions.c.id))
        .where(*wanted)
        .group_by(sessions.c.id)
    ).all()
    order = {"am": 0, "pm": 1, "evening": 2}
    end = {"am": 12, "pm": 18, "evening": 21}
    local = now.astimezone(SHANGHAI)
    offers_end = now + timedelta(hours=rules().offer_hours_before)
    found = [
        Clinic(
            r.id,
            r.day,
            r.period,
            r.doctor,
            r.department,
            r.slot_class,
            r.room,
            r.fee_item,
            r.stopped,
            r.stop_reason,
            0 if r.stopped else r.free,
            None if r.stopped else r.next_at,
            0 if r.stopped else r.late,
            not r.stopped and r.last_at is not None and r.last_at > offers_end,
        )
        for r in rows
        if r.day > today or local.hour < end[r.period]
    ]
    return sorted(found, key=lambda c: (c.day, order[c.period], c.slot_class != "expert", c.slot_class, c.doctor))


def free_openings(conn: Connection, session_id: int, now: datetime, limit: int = 100) -> list:
    """Give the openings of a session that may be booked: id and starts_at, earliest first; none of a stopped one."""
    soonest = now + timedelta(minutes=rules().lead_minutes)
    return conn.execute(
        select(openings.c.id, openings.c.starts_at)
        .select_from(openings.join(sessions, openings.c.session_id == sessions.c.id))
        .where(openings.c.session_id == session_id, _free(now), openings.c.starts_at > soonest)
        .where(sessions.c.stopped.is_(False))
        .order_by(openings.c.starts_at)
        .limit(limit)
    ).all()


_BOOKING = select(
    bookings.c.id,
    bookings.c.number,
    bookings.c.patient_id,
    bookings.c.state,
    openings.c.starts_at,
    bookings.c.opening_id,
    sessions.c.id.label("session_id"),
    sessions.c.day,
    sessions.c.period,
    sessions.c.doctor,
    sessions.c.department,
    sessions.c.slot_class,
    sessions.c.room,
    sessions.c.fee_item,
    sessions.c.stopped,
).select_from(
    bookings.join(openings, bookings.c.opening_id == openings.c.id).join(
        sessions, openings.c.session_id == sessions.c.id
    )
)


def of_patient(conn: Connection, patient_id: int, now: datetime) -> list[Booking]:
    """Give a patient's bookings that lie ahead or are of today, earliest first."""
    today = now.astimezone(SHANGHAI).date()
    rows = conn.execute(
        _BOOKING.where(
            bookings.c.patient_id == patient_id, bookings.c.state == "booked", sessions.c.day >= today
        ).order_by(openings.c.starts_at)
    ).all()
    return [Booking(**r._mapping) for r in rows]


def booking(conn: Connection, booking_id: int) -> Booking:
    """Give one booking."""
    return Booking(**conn.execute(_BOOKING.where(bookings.c.id == booking_id)).one()._mapping)


# ---- doing


def hold(conn: Connection, opening_id: int, conversation_id: str, now: datetime) -> bool:
    """Keep an opening for a conversation between read-back and yes; False when it cannot be had any more.

    A conversation keeps one opening: what it held before is free again either way.
    """
    until = now + timedelta(minutes=rules().hold_minutes)
    before = and_(openings.c.held_by == conversation_id, openings.c.state == "held")
    # Both are locked in the order of their ids: two conversations may each want what the other has held.
    conn.execute(
        select(openings.c.id).where(or_(openings.c.id == opening_id, before)).order_by(openings.c.id).with_for_update()
    )
    let_go(conn, and_(before, openings.c.id != opening_id), now)
    got = conn.execute(
        update(openings)
        .where(openings.c.id == opening_id, _may_have(conversation_id, now))
        .values(state="held", held_by=conversation_id, held_until=until)
    )
    if got.rowcount:
        due.schedule(conn, "release_hold", str(opening_id), until, {"opening": opening_id})
    return bool(got.rowcount)


def let_go(conn: Connection, which, now: datetime) -> int:
    """Free the openings of a condition and give how many these were; every opening that becomes free passes here.

    Where somebody waits for the session (候补) it is kept back until the sweeper has asked who is next.
    """
    rows = conn.execute(
        select(openings.c.id, openings.c.session_id).where(which).order_by(openings.c.id).with_for_update()
    ).all()
    for row in rows:
        conn.execute(
            update(openings).where(openings.c.id == row.id).values(state="free", held_by=None, held_until=None)
        )
    for session_id in sorted({row.session_id for row in rows}):
        somebody = select(waitlist.c.id).where(waitlist.c.session_id == session_id, waitlist.c.state == "waiting")
        if conn.execute(somebody.limit(1)).first():
            mine = openings.c.id.in_([row.id for row in rows if row.session_id == session_id])
            kept = {"state": "held", "held_by": KEPT_BACK, "held_until": now + KEPT_BACK_FOR}
            conn.execute(update(openings).where(mine).values(**kept))
            due.schedule(conn, "waitlist_match", str(session_id), now, {"session": session_id})
    return len(rows)


def _may_have(holder: str, now: datetime):
    """Free and not too near, or held by this conversation and still ahead; and its session takes place."""
    far = openings.c.starts_at > now + timedelta(minutes=rules().lead_minutes)
    held = and_(openings.c.state == "held", openings.c.held_by == holder, openings.c.starts_at > now)
    runs = select(sessions.c.id).where(sessions.c.id == openings.c.session_id, sessions.c.stopped.is_(False)).exists()
    return and_(or_(and_(_free(now), far), held), runs)


def release_hold(conn: Connection, payload: dict, now: datetime) -> None:
    """Due handler: free an opening whose hold has run out."""
    lapsed = and_(openings.c.state == "held", openings.c.held_until <= now)
    let_go(conn, and_(openings.c.id == payload["opening"], lapsed), now)


def check_patient(
    conn: Connection, patient_id: int, department: str, day: date, now: datetime, replacing: int | None = None
) -> None:
    """Raise Duplicate or LimitReached when the patient may not have a further booking there on that day.

    Visits of the last three months count as well. A booking whose session was stopped counts for nothing, so that the
    patient can choose another doctor at once.
    """
    since = now.astimezone(SHANGHAI).date() - timedelta(days=SPAN_DAYS)
    rows = conn.execute(
        _BOOKING.where(
            bookings.c.patient_id == patient_id,
            bookings.c.state == "booked",
            sessions.c.day >= since,
            sessions.c.stopped.is_(False),
        ).order_by(openings.c.starts_at)
    ).all()
    mine = [Booking(**r._mapping) for r in rows if r.id != replacing]
    same = [b for b in mine if b.day == day and b.department == department]
    if len(same) >= rules().per_day_same_department:
        raise Duplicate(same[0])
    check_limits([b.day for b in mine], day, rules())


def book(
    conn: Connection,
    opening_id: int,
    patient_id: int,
    conversation_id: str,
    key: str,
    now: datetime,
    replacing: int | None = None,
    holder: str | None = None,
) -> tuple[Booking, bool]:
    """Book an opening once per key; give the booking and whether this call made it.

    `holder` is for whom it is held, where that is not the conversation. `replacing` is a booking of his that is given back
    in the same step (改约). Raises Taken, Duplicate or LimitReached, and TooLate when `replacing` may not be given back
    any more.
    """
    # One booking of a patient at a time; the key is looked for behind the lock, where an earlier life has committed it.
    conn.execute(select(patients.c.id).where(patients.c.id == patient_id).with_for_update())
    earlier = conn.execute(select(bookings.c.id).where(bookings.c.key == key)).scalar()
    if earlier:
        return booking(conn, earlier), False
    opening = conn.execute(select(openings).where(openings.c.id == opening_id)).first()
    if opening is None:
        raise Taken(opening_id)
    session = conn.execute(select(sessions).where(sessions.c.id == opening.session_id)).one()
    if replacing is not None:
        old = booking(conn, replacing)
        if old.patient_id != patient_id or old.state != "booked":
            replacing = None  # there is nothing of his to give back
        else:
            _require_in_time(old, now)
    check_patient(conn, patient_id, session.department, session.day, now, replacing)
    got = conn.execute(
        update(openings)
        .where(openings.c.id == opening_id, _may_have(holder or conversation_id, now))
        .values(state="booked", held_by=None, held_until=None)
    )
    if got.rowcount == 0:
        raise Taken(opening_id)
    day = opening.starts_at.astimezone(SHANGHAI).strftime("%Y%m%d")
    # The opening is locked by us, so nobody else counts its earlier bookings at the same time.
    again = conn.execute(select(func.count()).where(bookings.c.opening_id == opening_id)).scalar_one()
    made = conn.execute(
        insert(bookings).values(
            number=nth_number(day, opening_id, again),
            opening_id=opening_id,
            patient_id=patient_id,
            conversation_id=conversation_id,
            key=key,
            created_at=now,
        )
    ).inserted_primary_key[0]
    due.settle(conn, "release_hold", str(opening_id))
    if (evening := _evening_before(opening.starts_at)) > now:
        due.schedule(conn, "visit_reminder", str(made), evening, {"booking": made, "conversation": conversation_id})
    if replacing is not None:
        _give_back(conn, replacing, now)
    return booking(conn, made), True


def cancel(conn: Connection, booking_id: int, now: datetime) -> bool:
    """Give a booking back (退号); False when it was given back before. Raises TooLate."""
    known = booking(conn, booking_id)
    if known.state != "booked":
        return False
    _require_in_time(known, now)
    return _give_back(conn, booking_id, now)


def _require_in_time(known: Booking, now: datetime) -> None:
    """Raise TooLate after the deadline; what the hospital has stopped may be given back at any time."""
    if not known.stopped and now > last_cancel(known.starts_at, known.slot_class, rules()):
        raise TooLate(known.number)


def _evening_before(starts_at: datetime) -> datetime:
    day = starts_at.astimezone(SHANGHAI) - timedelta(days=1)
    return day.replace(hour=REMIND_AT, minute=0, second=0, microsecond=0)


def _give_back(conn: Connection, booking_id: int, now: datetime) -> bool:
    gone = conn.execute(
        update(bookings)
        .where(bookings.c.id == booking_id, bookings.c.state == "booked")
        .values(state="cancelled", cancelled_at=now)
    )
    if gone.rowcount:
        due.settle(conn, "visit_reminder", str(booking_id))
        opening_id = conn.execute(select(bookings.c.opening_id).where(bookings.c.id == booking_id)).scalar_one()
        let_go(conn, openings.c.id == opening_id, now)
    return bool(gone.rowcount)
