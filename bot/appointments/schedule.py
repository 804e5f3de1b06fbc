"""The rolling schedule (排班): the sessions of the coming days with their openings, and which of them are stopped (停诊)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.appointments.model import SHANGHAI, Rules, slot_times, timetable_weekday
from bot.appointments.service import let_go, rules
from bot.appointments.tables import bookings, openings, sessions, waitlist
from bot.hospital.hours import is_working_day
from bot.hospital.load import load_hospital
from bot.hospital.model import PERIODS
from bot.storage import due


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
    quotas = dict(
        conn.execute(
            select(openings.c.session_id, func.count())
            .where(openings.c.session_id.in_(select(sessions.c.id).where(sessions.c.day >= today)))
            .group_by(openings.c.session_id)
        ).all()
    )
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
                _set_stop(conn, row, stop.reason if stop else None, now)
                if quotas.get(row.id, 0) < template.quota and not template.full:
                    _add_openings(conn, row, template, limits, now)
    for row in known.values():
        if row.day <= last:
            _set_stop(conn, row, "出诊安排已调整", now)
    return made


def _released_days(now: datetime) -> int:
    """Give how many days ahead are open: the last day of the window opens at the release time (放号)."""
    local = now.astimezone(SHANGHAI)
    return rules().window_days - (f"{local:%H:%M}" < load_hospital().info.booking["release_time"])


def stop_session(conn: Connection, session_id: int, reason: str, now: datetime) -> bool:
    """Stop a session by hand (停诊); its patients are told by the sweeper. False when it is stopped for this reason already."""
    return _decide(conn, session_id, reason, now)


def resume_session(conn: Connection, session_id: int, now: datetime) -> bool:
    """Let a stopped session take place after all; its patients are told. False when it was not stopped."""
    return _decide(conn, session_id, None, now)


def sessions_of(conn: Connection, doctor: str, day: date, period: str) -> list[int]:
    """Give the ids of a doctor's sessions of a half-day (experts' and special ones are two)."""
    same = (sessions.c.doctor == doctor, sessions.c.day == day, sessions.c.period == period)
    return list(conn.execute(select(sessions.c.id).where(*same).order_by(sessions.c.id)).scalars())


@dataclass(frozen=True)
class HalfDay:
    """A doctor's sessions of one half-day, which are stopped together; how many are booked and stand in line."""

    day: date
    period: str
    doctor: str
    department: str
    stopped: bool
    reason: str | None
    booked: int
    waiting: int


def half_days(conn: Connection, first: date, last: date, now: datetime, only_stopped: bool = False) -> list[HalfDay]:
    """Give the half-days of `first` to `last` in the order of day, period, department; visits that have begun count no more."""
    wanted = select(sessions).where(sessions.c.day.between(first, last))
    rows = conn.execute(wanted.where(sessions.c.stopped.is_(True)) if only_stopped else wanted).all()
    ids = [row.id for row in rows]
    booked = dict(
        conn.execute(
            select(openings.c.session_id, func.count())
            .select_from(bookings.join(openings, bookings.c.opening_id == openings.c.id))
            .where(openings.c.session_id.in_(ids), bookings.c.state == "booked", openings.c.starts_at > now)
            .group_by(openings.c.session_id)
        ).all()
    )
    standing = waitlist.c.state.in_(("waiting", "offered"))
    counted = select(waitlist.c.session_id, func.count()).where(waitlist.c.session_id.in_(ids), standing)
    waiting = dict(conn.execute(counted.group_by(waitlist.c.session_id)).all())
    together: dict[tuple, list] = {}
    for row in sorted(
        rows, key=lambda each: (each.day, list(PERIODS).index(each.period), each.department, each.doctor)
    ):
        together.setdefault((row.day, row.period, row.doctor), []).append(row)
    return [
        HalfDay(
            *key,
            group[0].department,
            all(row.stopped for row in group),
            next((row.stop_reason for row in group if row.stopped), None),
            sum(booked.get(row.id, 0) for row in group),
            sum(waiting.get(row.id, 0) for row in group),
        )
        for key, group in together.items()
    ]


def _decide(conn: Connection, session_id: int, reason: str | None, now: datetime) -> bool:
    row = conn.execute(select(sessions).where(sessions.c.id == session_id).with_for_update()).one()
    conn.execute(update(sessions).where(sessions.c.id == session_id).values(by_hand=True))
    return _mark(conn, row, reason, now)


def _set_stop(conn: Connection, row, reason: str | None, now: datetime) -> None:
    """Do what the hospital's files say, unless a person has decided about this session."""
    if not row.by_hand:
        _mark(conn, row, reason, now)


def _mark(conn: Connection, row, reason: str | None, now: datetime) -> bool:
    stopped = reason is not None
    if (row.stopped, row.stop_reason) == (stopped, reason):
        return False
    conn.execute(update(sessions).where(sessions.c.id == row.id).values(stopped=stopped, stop_reason=reason))
    if row.stopped != stopped:
        due.schedule(conn, "clinic_changed", str(row.id), now, {"session": row.id})
    return True


def _add_openings(conn: Connection, row, template, limits: Rules, now: datetime) -> None:
    """Add what a quota that was raised has more than the session (加号); a lower quota takes nothing away."""
    have = set(conn.execute(select(openings.c.starts_at).where(openings.c.session_id == row.id)).scalars())
    for starts_at in slot_times(row.day, template.period, template.quota, limits.slot_minutes):
        if starts_at not in have:
            try:
                with conn.begin_nested():
                    conn.execute(insert(openings).values(session_id=row.id, starts_at=starts_at, state="free"))
            except IntegrityError:
                continue  # another process has just added it
    let_go(conn, and_(openings.c.session_id == row.id, openings.c.state == "free"), now)


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
