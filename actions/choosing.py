"""Choosing a session and an opening for a booking; what is said of one that is full, stopped, too near or gone (R75, R76)."""

from dataclasses import replace
from datetime import date

from actions import identity
from actions.phrasing import (
    booking_text,
    clinic_text,
    clinic_title,
    day_text,
    department_text,
    doctor_text,
    span_text,
    week_ahead,
)
from actions.talk import Talk
from actions.waitlist import join_if_wished
from actions.wishes import SHOWN, days_of, period_of, search, today_of
from bot.appointments import service
from bot.appointments.model import Booking, Clinic, Duplicate, LimitReached
from bot.clock import local
from bot.storage.engine import reading


def choose_session(talk: Talk, department, replacing: Booking | None = None) -> Clinic:
    """Give the session the patient chooses; one that fits alone is chosen without a question."""
    today = today_of(talk)
    if talk.fact("session"):
        with reading() as conn:
            chosen = service.clinics(conn, talk.now, department=department.code, session=talk.fact("session"))
        if chosen and chosen[0].free:
            talk.facts["doctor"] = talk.facts["chosen_doctor"] = chosen[0].doctor  # another time means this doctor's
            return chosen[0]
        if chosen:
            return _full(talk, department, chosen[0], today, replacing)
        talk.forget("session")
    if days_of(talk) is None:
        options = _day_options(talk, today)
        if not options:
            window = week_ahead(today, service.rules().window_days)
            return _other_days(talk, window, today, full=search(talk, window))
        talk.need("date", "utter_ask_date", options, department=department.name)
    span = days_of(talk)
    if span[0] == span[1]:
        _refuse_early(talk, department.code, span[0], replacing)
    every = search(talk, span)
    found = [c for c in every if not c.stopped]
    free = [c for c in found if c.free]
    if not free and talk.fact("doctor") == talk.fact("chosen_doctor") is not None:
        talk.facts.pop("doctor")  # chosen from a list for another time: that day the department's others will do
        return choose_session(talk, department, replacing)
    if not free:
        if found and len({c.id for c in found}) == 1:
            talk.set("session", found[0].id)
            return _full(talk, department, found[0], today, replacing)
        late = any(c.late for c in found)
        if late:
            _say_too_near(talk)
        elif every and not found:
            talk.say("utter_session_stopped", clinic=clinic_text(every[0], today), reason=every[0].stop_reason or "")
        return _other_days(talk, span, today, full=found, late=late)
    free = _from_time(talk, free)
    if len(free) == 1:
        return _only(talk, free[0], today)
    one_day = span[0] == span[1]
    options = [{"title": clinic_title(c, today, not one_day), "value": c.id} for c in _spread(free)]
    options += [
        {"title": clinic_title(c, today, not one_day) + "（可候补）", "value": c.id}
        for c in found
        if not c.free and c.waitable
    ][:2]
    talk.need("session", "utter_ask_session", options, department=department.name, days=span_text(*span, today))
    return choose_session(talk, department, replacing)


def _from_time(talk: Talk, free: list[Clinic]) -> list[Clinic]:
    """Show each clinic by the first time the patient can come (十点以后); those that have none stay away where others have."""
    from_time = period_of(talk)[1]
    if not from_time:
        return free
    with reading() as conn:
        left = {c.id: service.free_openings(conn, c.id, talk.now) for c in free}
    fits = {
        c.id: next((o.starts_at for o in left[c.id] if f"{local(o.starts_at):%H:%M}" >= from_time), None) for c in free
    }
    return [replace(c, next_at=fits[c.id]) for c in free if fits[c.id]] or free


def _only(talk: Talk, clinic: Clinic, today: date) -> Clinic:
    """One session fits: show who it is and its times, unless the patient has named a time."""
    if not talk.fact("opening") and not period_of(talk)[1]:
        with reading() as conn:
            left = service.free_openings(conn, clinic.id, talk.now)
        options = [{"title": f"{local(o.starts_at):%H:%M}", "value": o.id} for o in left[:: max(1, len(left) // SHOWN)]]
        department = department_text(clinic.department)
        talk.need(
            "opening",
            "utter_ask_time",
            options[:SHOWN],
            department=department,
            clinic=clinic_title(clinic, today, True),
        )
    talk.facts["session"] = clinic.id
    talk.facts["doctor"] = talk.facts["chosen_doctor"] = clinic.doctor
    return clinic


def _spread(free: list[Clinic]) -> list[Clinic]:
    """Give a few choices with both experts' and normal openings among them."""
    normal = [c for c in free if c.slot_class == "normal"]
    other = [c for c in free if c.slot_class != "normal"]
    keep = other[: SHOWN - min(len(normal), 2)]
    chosen = keep + normal[: SHOWN - len(keep)]
    return [c for c in free if c in chosen]


def _day_options(talk: Talk, today: date) -> list[dict]:
    found = search(talk, week_ahead(today, service.rules().window_days))
    days: dict[date, int] = {}
    for clinic in found:
        if clinic.free:
            days[clinic.day] = days.get(clinic.day, 0) + clinic.free
    return [{"title": f"{day_text(d, today)} 余{n}个", "value": d.isoformat()} for d, n in sorted(days.items())[:SHOWN]]


def _other_days(talk: Talk, span, today: date, full: list[Clinic], late: bool = False) -> Clinic:
    """Nothing is free in the wished time: offer other times, and the waitlist of what is full."""
    window = week_ahead(today, service.rules().window_days)
    other = [c for c in search(talk, window) if c.free]
    if not other:
        other = [c for c in search(talk, window, period=None, slot_class=None) if c.free]
    who = doctor_text(talk.fact("doctor")) if talk.fact("doctor") else department_text(talk.fact("department"))
    if not other and talk.fact("doctor"):
        other = [c for c in search(talk, window, doctor=None, period=None, slot_class=None) if c.free]
    if span[0] == span[1]:
        same_day = [c for c in search(talk, span, period=None) if c.free][:2]
        other = same_day + [c for c in other if c not in same_day]
    options = [{"title": clinic_title(c, today, True), "value": c.id} for c in other[:4]]
    waitlists = [
        {"title": clinic_title(c, today, True) + "（可候补）", "value": c.id} for c in full if c.waitable and not c.free
    ][:2]
    options += waitlists
    if not options:
        talk.say("utter_no_clinic_at_all", name=who)
        talk.end()
    talk.forget("session")
    talk.ask(
        "session",
        "utter_next_times"
        if late
        else "utter_full_then"
        if waitlists
        else "utter_full_other_times"
        if full
        else "utter_none_then",
        options,
        days=span_text(*span, today),
        department=who,
    )


def _full(talk: Talk, department, clinic: Clinic, today: date, replacing: Booking | None) -> Clinic:
    """A session that cannot be booked: the waitlist (候补) of a full one, where the flow ends, or another time."""
    if clinic.stopped:
        talk.say("utter_session_stopped", clinic=clinic_text(clinic, today), reason=clinic.stop_reason or "")
    elif clinic.late:
        _say_too_near(talk)
    elif not clinic.waitable:
        talk.say("utter_waitlist_closed", clinic=clinic_text(clinic, today), hours=service.rules().offer_hours_before)
    else:
        join_if_wished(talk, clinic, today)
    talk.forget("waitlist", "session", "date", "period", "doctor", "doctor_title")
    return choose_session(talk, department, replacing)


def _say_too_near(talk: Talk) -> None:
    talk.say("utter_too_near", minutes=service.rules().lead_minutes)


def choose_opening(talk: Talk, session: Clinic) -> int:
    """Give the opening: the earliest that fits the wished time of day. The read-back shows it; 改成十点 chooses another."""
    if not talk.fact("opening"):
        with reading() as conn:
            free = service.free_openings(conn, session.id, talk.now)
        _, from_time = period_of(talk)
        fits = [o for o in free if f"{local(o.starts_at):%H:%M}" >= from_time] or free
        talk.facts["opening"] = fits[0].id
    return talk.facts["opening"]


def _refuse_early(talk: Talk, department: str, day: date, replacing: Booking | None = None) -> None:
    """Say at once, not after a time has been chosen, when one more booking on that day is too many."""
    patient_id = identity.known_patient(talk)
    if patient_id is None:
        return
    try:
        with reading() as conn:
            service.check_patient(conn, patient_id, department, day, talk.now, replacing.id if replacing else None)
    except (Duplicate, LimitReached) as error:
        refuse(talk, error)


def refuse(talk: Talk, error: Duplicate | LimitReached) -> None:
    """Say why one more booking is too many, and end."""
    if isinstance(error, Duplicate):
        shown = booking_text(error.booking, today_of(talk))
        talk.say("utter_duplicate_booking", booking=shown, number=error.booking.number)
    else:
        talk.say("utter_booking_limit", days=error.days, limit=error.limit)
    talk.end()
