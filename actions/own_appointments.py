"""Own bookings and examinations: 我的预约, 退号, 改约 (R75, R82)."""

import re
from datetime import date

from actions import identity
from actions.appointments import bookable_department, collect_minutes, confirm
from actions.choosing import choose_opening, choose_session
from actions.phrasing import booking_text, day_text, span_of
from actions.talk import FLOWS, Talk, flow
from actions.waitlist import in_line, leave, waiting_text
from actions.wishes import days_of, search, today_of
from bot.appointments import service
from bot.appointments.model import Booking, TooLate, last_cancel
from bot.hospital.load import load_hospital
from bot.storage.engine import reading, writing


def _own(talk: Talk) -> list[Booking]:
    patient = identity.verified(talk, FLOWS[talk.task["name"]].title)
    with reading() as conn:
        found = service.of_patient(conn, patient.id, talk.now)
    return found


@flow("query_my_appointments", "我的预约")
def query_my_appointments(talk: Talk) -> None:
    """List bookings and arranged examinations (R82)."""
    today = today_of(talk)
    found = _own(talk)
    exams = [
        e
        for e in load_hospital().exams
        if e.patient == talk.patient.code and e.status == "booked" and e.day.on(today) >= today
    ]
    waiting = [waiting_text(known, place, today) for known, place in in_line(talk)]
    if not found and not exams and not waiting:
        talk.say("utter_no_bookings", [{"title": "预约挂号", "payload": "/book_appointment"}])
        return
    rows = [f"{i}. {_booking_row(b, today)}" for i, b in enumerate(found, 1)]
    ordered = sorted(exams, key=lambda e: e.day.on(today))
    rows += [f"{i}. {_exam_text(e, today)}" for i, e in enumerate(ordered, len(found) + 1)]
    rows += waiting
    talk.say("utter_my_appointments", rows="\n".join(rows), patient=talk.patient.shown_name)


WAITLIST = re.compile(r"候补|候補|排队|排隊")
EXAM = re.compile(r"核磁|磁共振|MRI|CT|彩超|B超|胃镜|肠镜|检查")


def _exam_text(exam, today: date) -> str:
    """Give an arranged examination in a line."""
    name = load_hospital().prices[exam.item].name
    return f"检查：{name}，{day_text(exam.day.on(today), today)}{exam.start}，{exam.place}。检查前准备：{exam.prepare}"


def _booking_row(booking: Booking, today: date) -> str:
    shown = f"{booking_text(booking, today)}，预约号{booking.number}，{booking.room}"
    return f"{shown}（已停诊，请改约或退号）" if booking.stopped else shown


def _own_or_end(talk: Talk) -> list[Booking]:
    """Give the bookings; ends with what there is to say about arranged examinations, or with nothing found."""
    found = _own(talk)
    exams = [e for e in load_hospital().exams if e.patient == talk.patient.code and e.status == "booked"]
    if exams and (EXAM.search(talk.message.text) or not found):
        asked = EXAM.search(talk.message.text) or found
        talk.say(
            "utter_exam_change" if asked else "utter_only_exams",
            rows="\n".join(_exam_text(e, today_of(talk)) for e in exams),
        )
        talk.end()
    if not found:
        talk.say("utter_no_bookings", [{"title": "预约挂号", "payload": "/book_appointment"}])
        talk.end()
    return found


def _day(talk: Talk) -> tuple[date, date] | None:
    """Give the day that a booking is called by: 周四的号."""
    value = talk.fact("date")
    return span_of(value) if isinstance(value, str) else None


def _which(talk: Talk, response: str, found: list[Booking], others: list[dict] = (), day=None) -> int | str:
    """Give what is meant, a booking's id or the value of one of `others`; asks where several fit."""
    named = talk.fact("department")
    fits = [b for b in found if isinstance(named, str) and b.department == named] or found
    if day:
        fits = [b for b in fits if day[0] <= b.day <= day[1]] or fits
    options = [{"title": booking_text(b, today_of(talk)), "value": b.id} for b in fits]
    options += [] if len(fits) < len(found) else list(others)
    if len(options) == 1 and "booking" not in talk.facts:
        talk.facts["booking"] = options[0]["value"]
    chosen = talk.need("booking", response, options)
    return chosen if chosen in [o["value"] for o in options] else options[0]["value"]


@flow("cancel_appointment", "退号")
def cancel_appointment(talk: Talk) -> None:
    """Give a slot back, or leave the waitlist: read-back, yes, receipt."""
    found = _own(talk)
    today = today_of(talk)
    lines = {f"waiting:{known.id}": (known, place) for known, place in in_line(talk)}
    entries = [{"title": waiting_text(*line, today), "value": value} for value, line in lines.items()]
    if WAITLIST.search(talk.message.text):
        talk.facts["waiting"] = True
    if talk.fact("waiting") and not entries:
        talk.say("utter_not_waiting")
        talk.end()
    if talk.fact("waiting"):
        chosen = _which(talk, "utter_which_to_leave", [], entries)
    elif talk.fact("booking") in lines or (entries and not found):
        chosen = _which(talk, "utter_which_to_leave", found, entries)
    else:
        chosen = _which(talk, "utter_which_to_cancel", _own_or_end(talk), entries, _day(talk))
    if chosen in lines:
        leave(talk, *lines[chosen])
    booking = next(b for b in found if b.id == chosen)
    human = [{"title": "转人工", "payload": "/request_human"}]
    if not booking.stopped and talk.now > last_cancel(booking.starts_at, booking.slot_class, service.rules()):
        talk.say("utter_cancel_too_late", human, number=booking.number)
        return
    shown = booking_text(booking, today)
    if not talk.agree("confirmed", "utter_confirm_cancel", yes="确认退号", no="保留预约", booking=shown):
        talk.say("utter_kept")
        return
    try:
        with writing() as conn:
            if service.cancel(conn, booking.id, talk.now):
                talk.receipt(conn, f"退号成功\n预约号：{booking.number}\n{shown}\n线上未收费，无需退款。")
    except TooLate:
        talk.say("utter_cancel_too_late", human, number=booking.number)
        return
    talk.suspended = [t for t in talk.suspended if t["name"] != "reschedule_appointment"]
    talk.say("utter_cancelled_stopped" if booking.stopped else "utter_cancelled")


@flow("reschedule_appointment", "改约")
def reschedule_appointment(talk: Talk) -> None:
    """Change time or doctor of a booked slot; the old one is given back in the same step."""
    found = _own_or_end(talk)
    chosen = _which(talk, "utter_which_to_reschedule", found)
    old = next(b for b in found if b.id == chosen)
    talk.facts["booking"] = old.id
    if not talk.fact("doctor") and talk.fact("department") in (None, old.department):
        talk.facts["department"] = old.department
        if not talk.fact("any_doctor"):
            talk.facts["doctor"] = old.doctor
            if talk.fact("date") and not isinstance(talk.fact("date"), dict):
                if not [c for c in search(talk, days_of(talk)) if c.free]:
                    talk.facts.pop("doctor")  # the same doctor does not sit then: the department's others
                    talk.facts["any_doctor"] = True
    department = bookable_department(talk)
    session = choose_session(talk, department, old)
    opening = choose_opening(talk, session)
    booking = confirm(talk, session, opening, talk.patient, replacing=old)
    if booking:
        talk.say("utter_rescheduled", before=collect_minutes())
