"""Booking: what a patient or a person at the desk does with openings. Each function works inside the caller's transaction."""

from datetime import date, datetime, timedelta

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

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
    slot_times,
    timetable_weekday,
)
from bot.appointments.tables import bookings, openings, sessions, waitlist
from bot.hospital.hours import is_working_day
from bot.hospital.load import load_hospital
from bot.patients.tables import patients
from bot.storage import due


def rules() -> Rules:
    """Give the hospital's rules."""
    return Rules.of(load_hospital().info.booking)


# ---- the rolling schedule


def top_up(conn: Connection, now: datetime) -> int:
    """Make the sessions and openings that are missing up to the booking window; give how many sessions were made.

    Stops (停诊) are applied to all days of the window, and a session that is no longer in the schedule is stopped, too;
    what a clerk takes back opens again. Two processes may do this at once.
    """
    hospital = load_hospital()
    limits = rules()
    today = now.astimezone(SHANGHAI).date()
    known = {
        (r.day, r.period, r.doctor, r.slot_class): r
        for r in conn.execute(select(sessions).where(sessions.c.day >= today)).all()
    }
    made = 0
    last = today + timedelta(days=_released_days(now))
    for ahead in range((last - today).days + 1):
        day = today + timedelta(days=ahead)
        weekday = timetable_weekday(day, is_working_day(day))
        for template in hospital.sessions:
            if template.weekday != weekday:
                continue
            stop = next(
                (s for s in hospital.stops if s.doctor == template.doctor and s.covers(day, template.period, today)),
                None,
            )
            row = known.pop((day, template.period, template.doctor, template.slot_class), None)
            if row is None:
                made += _make(conn, day, template, stop, limits)
            else:
                _set_stop(conn, row, stop.reason if stop else None)
    for row in known.values():
        if row.day <= last:
            _set_stop(conn, row, "出诊安排已调整")
    return made


def _released_days(now: datetime) -> int:
    """Give how many days ahead are open: the last day of the window opens at the release time (放号)."""
    local = now.astimezone(SHANGHAI)
    return rules().window_days - (f"{local:%H:%M}" < load_hospital().info.booking["release_time"])


def _set_stop(conn: Connection, row, reason: str | None) -> None:
    if (row.stopped, row.stop_reason) != (reason is not None, reason):
        conn.execute(
            update(sessions).where(sessions.c.id == row.id).values(stopped=reason is not None, stop_reason=reason)
        )


def _make(conn: Connection, day: date, template, stop, limits: Rules) -> bool:
    """Make a session with its openings; False when another process has just made it."""
    try:
        with conn.begin_nested():
            session_id = conn.execute(
                insert(sessions).values(
                    day=day,
                    period=template.period,
                    doctor=template.doctor,
                    department=template.department,
                    slot_class=template.slot_class,
                    room=template.room,
                    fee_item=template.fee_item,
                    stopped=bool(stop),
                    stop_reason=stop.reason if stop else None,
                )
            ).inserted_primary_key[0]
    except IntegrityError:
        return False
    times = slot_times(day, template.period, template.quota, limits.slot_minutes)
    state = "taken" if template.full else "free"
    conn.execute(insert(openings), [{"session_id": session_id, "starts_at": t, "state": state} for t in times])
    return True


def top_up_daily(conn: Connection, _payload: dict, now: datetime) -> datetime:
    """Due handler: fill the window and come back tomorrow at the release time (放号)."""
    top_up(conn, now)
    hour, minute = map(int, load_hospital().info.booking["release_time"].split(":"))
    local = now.astimezone(SHANGHAI)
    at = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at > local else at + timedelta(days=1)


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
) -> list[Clinic]:
    """Give sessions that lie ahead, with free openings counted, by day, half-day and class."""
    today = now.astimezone(SHANGHAI).date()
    wanted = [sessions.c.day >= max(first or today, today)]
    for column, value in (
        (sessions.c.department, department),
        (sessions.c.doctor, doctor),
        (sessions.c.period, period),
        (sessions.c.slot_class, slot_class),
    ):
        if value:
            wanted.append(column == value)
    if last:
        wanted.append(sessions.c.day <= last)
    ahead = and_(openings.c.session_id == sessions.c.id, _free(now), openings.c.starts_at > now)
    rows = conn.execute(
        select(sessions, func.count(openings.c.id).label("free"), func.min(openings.c.starts_at).label("next_at"))
        .select_from(sessions.outerjoin(openings, ahead))
        .where(*wanted)
        .group_by(sessions.c.id)
        .order_by(sessions.c.day, sessions.c.period, sessions.c.slot_class, sessions.c.doctor)
    ).all()
    order = {"am": 0, "pm": 1, "evening": 2}
    end = {"am": 12, "pm": 18, "evening": 21}
    local = now.astimezone(SHANGHAI)
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
        )
        for r in rows
        if r.day > today or local.hour < end[r.period]
    ]
    return sorted(found, key=lambda c: (c.day, order[c.period], c.slot_class != "expert", c.doctor))


def free_openings(conn: Connection, session_id: int, now: datetime, limit: int = 100) -> list:
    """Give the free openings of a session that lie ahead: id and starts_at, earliest first; none of a stopped one."""
    return conn.execute(
        select(openings.c.id, openings.c.starts_at)
        .select_from(openings.join(sessions, openings.c.session_id == sessions.c.id))
        .where(openings.c.session_id == session_id, _free(now), openings.c.starts_at > now)
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
    conn.execute(
        update(openings).where(before, openings.c.id != opening_id).values(state="free", held_by=None, held_until=None)
    )
    got = conn.execute(
        update(openings)
        .where(openings.c.id == opening_id, _may_have(conversation_id, now))
        .values(state="held", held_by=conversation_id, held_until=until)
    )
    if got.rowcount:
        due.schedule(conn, "release_hold", str(opening_id), until, {"opening": opening_id})
    return bool(got.rowcount)


def _may_have(conversation_id: str, now: datetime):
    """Free or held by this conversation, still ahead, and its session takes place."""
    mine = or_(_free(now), and_(openings.c.state == "held", openings.c.held_by == conversation_id))
    runs = select(sessions.c.id).where(sessions.c.id == openings.c.session_id, sessions.c.stopped.is_(False)).exists()
    return and_(mine, openings.c.starts_at > now, runs)


def release_hold(conn: Connection, payload: dict, now: datetime) -> None:
    """Due handler: free an opening whose hold has run out."""
    conn.execute(
        update(openings)
        .where(openings.c.id == payload["opening"], openings.c.state == "held", openings.c.held_until <= now)
        .values(state="free", held_by=None, held_until=None)
    )


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
) -> tuple[Booking, bool]:
    """Book an opening once per key; give the booking and whether this call made it.

    Raises Taken, Duplicate or LimitReached. `replacing` is a booking of his that is given back in the same step (改约);
    that raises TooLate after the moment until which it may be given back.
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
        .where(openings.c.id == opening_id, _may_have(conversation_id, now))
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


def _give_back(conn: Connection, booking_id: int, now: datetime) -> bool:
    gone = conn.execute(
        update(bookings)
        .where(bookings.c.id == booking_id, bookings.c.state == "booked")
        .values(state="cancelled", cancelled_at=now)
    )
    if gone.rowcount:
        opening_id = conn.execute(select(bookings.c.opening_id).where(bookings.c.id == booking_id)).scalar_one()
        conn.execute(update(openings).where(openings.c.id == opening_id).values(state="free"))
    return bool(gone.rowcount)


def waiting_of(conn: Connection, patient_id: int, now: datetime) -> list[tuple[Clinic, int]]:
    """Give the full sessions ahead for which a patient waits, with his place."""
    mine = conn.execute(
        select(waitlist).where(waitlist.c.patient_id == patient_id, waitlist.c.state == "waiting")
    ).all()
    ahead = {c.id: c for c in clinics(conn, now)} if mine else {}
    found = []
    for row in mine:
        if row.session_id in ahead:
            place = conn.execute(
                select(func.count()).where(
                    waitlist.c.session_id == row.session_id, waitlist.c.state == "waiting", waitlist.c.id <= row.id
                )
            ).scalar_one()
            found.append((ahead[row.session_id], place))
    return found


def join_waitlist(conn: Connection, session_id: int, patient_id: int, conversation_id: str, now: datetime) -> int:
    """Put a patient on the waitlist of a full session, once, and give his place."""
    try:
        with conn.begin_nested():
            conn.execute(
                insert(waitlist).values(
                    session_id=session_id, patient_id=patient_id, conversation_id=conversation_id, created_at=now
                )
            )
    except IntegrityError:
        pass
    mine = conn.execute(
        select(waitlist.c.id).where(waitlist.c.session_id == session_id, waitlist.c.patient_id == patient_id)
    ).scalar_one()
    return conn.execute(
        select(func.count()).where(
            waitlist.c.session_id == session_id, waitlist.c.state == "waiting", waitlist.c.id <= mine
        )
    ).scalar_one()
