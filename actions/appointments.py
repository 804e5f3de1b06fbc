"""Booking (挂号): from a wish to a receipt (R75-R80)."""

from actions import identity
from actions.choosing import choose_opening, choose_session, refuse
from actions.phrasing import (
    booking_text,
    department_text,
    doctor_text,
    fee_text,
    moment_text,
    receipt_text,
)
from actions.schedule import choose_from_query
from actions.talk import FLOWS, Talk, flow
from actions.wishes import department_of, doctor_of, today_of
from bot.appointments import service
from bot.appointments.model import Booking, Clinic, Duplicate, LimitReached, Taken, TooLate
from bot.hospital.load import load_hospital
from bot.hospital.model import SLOT_CLASSES
from bot.storage.engine import reading, writing


@flow("book_appointment", "预约挂号")
def book_appointment(talk: Talk) -> None:
    """From a wish to a receipt: department, day, session, time, identity, read-back, yes.

    The buttons under an offer to the waitlist come in here as well: their answer is a flow of its own.
    """
    if "offer" in talk.facts:
        _to_offer(talk)
        return
    choose_from_query(talk)
    department = bookable_department(talk)
    session = choose_session(talk, department)
    opening = choose_opening(talk, session)
    if not {"session", "opening"} & set(talk.task["order"]) and "found" not in talk.facts:
        talk.facts["found"] = True  # nothing was chosen from a list: say what fits before asking who it is for
        talk.say("utter_found_opening", clinic=_clinic_at(talk, session, opening))
    patient = identity.verified(talk, "预约挂号")
    _check_fits(talk, patient, department)
    booking = confirm(talk, session, opening, patient)
    if booking:
        talk.say("utter_booked", pay="请到院取号时缴费，线上不收取费用", before=collect_minutes())


def _clinic_at(talk: Talk, session: Clinic, opening: int) -> str:
    return f"{_starts_at(session, opening, talk)} {department_text(session.department)} {doctor_text(session.doctor)}，{fee_text(session.fee_item)}"


def _to_offer(talk: Talk) -> None:
    """Let the answer to an offer be a flow of its own, and keep a booking that was under way for afterwards."""
    answer = {name: talk.facts.pop(name) for name in ("offer", "accept")}
    if talk.task.get("asked"):
        talk.suspended.append(dict(talk.task))  # a copy: the flow that runs now is over when this function ends
    talk.task = {
        "name": "waitlist_offer",
        "facts": answer,
        "asked": None,
        "options": [],
        "asks": 0,
        "order": [],
        "misses": 0,
    }
    talk.run()


def collect_minutes() -> str:
    """Give how many minutes before the visit a patient should collect his number (取号)."""
    return str(load_hospital().info.booking["collect_minutes_before"])


def bookable_department(talk: Talk):
    """Give the department of the wish; ends where it is not booked online."""
    if not doctor_of(talk):
        department_of(talk)
    department = load_hospital().departments[talk.fact("department")]
    if not department.online:
        talk.say("utter_department_offline", department=department.name, place=department.place)
        talk.end()
    return department


def _check_fits(talk: Talk, patient, department) -> None:
    age = patient.age(today_of(talk))
    if not department.sees(age=age, sex=patient.sex):
        talk.say("utter_department_does_not_fit", department=department.name)
        talk.end()


def confirm(talk: Talk, session: Clinic, opening_id: int, patient, replacing: Booking | None = None) -> Booking | None:
    """Hold, read back, book at yes, write the receipt. None when the patient says no."""
    today = today_of(talk)
    if talk.fact("read_back") != opening_id:
        talk.facts.pop("confirmed", None)  # 不对，改成下午: what was said of another opening holds no more
        talk.facts["read_back"] = opening_id
    try:
        with writing() as conn:
            replaced = replacing.id if replacing else None
            service.check_patient(conn, patient.id, session.department, session.day, talk.now, replaced)
            held = service.hold(conn, opening_id, talk.id, talk.now) if "confirmed" not in talk.facts else True
    except (Duplicate, LimitReached) as error:
        # A replay after the booking was committed meets its own booking: it goes on to the receipt it has.
        if not (isinstance(error, Duplicate) and error.booking.opening_id == opening_id and talk.fact("confirmed")):
            refuse(talk, error)
        held = True
    if not held:
        return _taken(talk, session)
    starts = _starts_at(session, opening_id, talk)
    agreed = talk.agree(
        "confirmed",
        "utter_confirm_reschedule" if replacing else "utter_confirm_booking",
        yes="确认",
        no="需要修改",
        patient=patient.shown_name,
        department=department_text(session.department),
        doctor=doctor_text(session.doctor),
        slot_class=SLOT_CLASSES[session.slot_class],
        time=starts,
        fee=fee_text(session.fee_item),
        room=session.room,
        minutes=service.rules().hold_minutes,
        old=booking_text(replacing, today) if replacing else "",
    )
    if not agreed:
        _change(talk)
        return None
    try:
        with writing() as conn:
            booking, _ = service.book(
                conn,
                opening_id,
                patient.id,
                talk.id,
                f"{talk.turn}:book",
                talk.now,
                replacing.id if replacing else None,
            )
            if _:
                talk.receipt(conn, receipt_text(booking, patient.shown_name, today, talk.now))
    except Taken:
        return _taken(talk, session)
    except TooLate as error:
        human = [{"title": "转人工", "payload": "/request_human"}]
        talk.say("utter_cancel_too_late", human, number=str(error))
        return None
    return booking


CHANGES = [
    {"title": "换日期", "value": "date"},
    {"title": "换时间或医生", "value": "session"},
    {"title": "换科室", "value": "department"},
    {"title": "这次先不约", "value": "none"},
]


def _change(talk: Talk) -> None:
    """No to the read-back: what should be different?"""
    part = talk.need("change", "utter_ask_change", CHANGES)
    talk.forget("change", "confirmed")
    if part == "none":
        talk.say("utter_booking_not_made")
        return
    talk.forget(
        "session",
        "opening",
        *{"date": ("date", "period"), "session": ("doctor", "period"), "department": ("department", "doctor")}[part],
    )
    FLOWS[talk.task["name"]].run(talk)


def _starts_at(session: Clinic, opening_id: int, talk: Talk) -> str:
    from sqlalchemy import select

    from bot.appointments.tables import openings

    with reading() as conn:
        at = conn.execute(select(openings.c.starts_at).where(openings.c.id == opening_id)).scalar_one()
    return moment_text(at, today_of(talk))


def _taken(talk: Talk, session: Clinic) -> None:
    talk.forget("opening")
    talk.say("utter_opening_taken")
    with reading() as conn:
        left = service.free_openings(conn, session.id, talk.now)
    if not left:
        talk.forget("session")
    FLOWS[talk.task["name"]].run(talk)
