"""Schedules and bookings: 查号, 挂号, 我的预约, 退号, 改约, 候补 (R75-R82)."""

import json
import re
from datetime import date, datetime

from actions import identity
from actions.phrasing import (
    WEEKDAYS,
    booking_text,
    clinic_title,
    day_text,
    deadline_text,
    department_text,
    doctor_text,
    fee_text,
    moment_text,
    span_of,
    span_text,
    week_ahead,
)
from actions.talk import FLOWS, Talk, flow
from bot.appointments import service
from bot.appointments.model import Booking, Clinic, Duplicate, LimitReached, Taken, TooLate, last_cancel
from bot.clock import local
from bot.hospital.load import load_hospital
from bot.hospital.model import PERIODS, SLOT_CLASSES
from bot.hospital.names import resolve_department, resolve_doctor
from bot.storage.engine import reading, writing

SHOWN = 6  # choices in one message
TITLES_TO_CLASS = {"chief": "expert", "associate_chief": "expert", "attending": "normal", "resident": "normal"}


def today_of(talk: Talk) -> date:
    """Give the hospital's date of this turn."""
    return local(talk.now).date()


# ---- what the patient wishes


def department_of(talk: Talk, ask: bool = True) -> str | None:
    """Give the department's code, asking where several fit (内科) or none is named."""
    value = talk.fact("department")
    if isinstance(value, dict):
        matches = resolve_department(value["text"])
        talk.forget("department")
        if len(matches) == 1:
            talk.set("department", matches[0].code)
        elif matches:
            options = [{"title": m.name, "value": m.code} for m in matches[:SHOWN]]
            talk.ask("department", "utter_which_department", options, said=value["text"])
        elif ask:
            talk.say("utter_unknown_department", said=value["text"])
    value = talk.fact("department")
    if value is None and not talk.fact("doctor") and (guess := _department_by_sound(talk.message.text)):
        talk.set("department", guess)
        value = guess
    if value is None and ask:
        value = talk.need("department", "utter_ask_department")
        return department_of(talk)
    return value


def _department_by_sound(text: str) -> str | None:
    """Find a mistyped department that stands alone between commas: 骨可 → 骨科."""
    for part in re.split(r"[，,。！？\s]+", text):
        if 2 <= len(part) <= 6:
            matches = resolve_department(part)
            if len(matches) == 1 and matches[0].score >= 0.75:
                return matches[0].code
    return None


def doctor_of(talk: Talk) -> str | None:
    """Give the doctor's code where one is named; asks when the name fits several (张主任)."""
    value = talk.fact("doctor")
    if value is None:
        return None
    hospital = load_hospital()
    if isinstance(value, str) and value in hospital.doctors:
        talk.facts.setdefault("department", hospital.doctors[value].department)
        return value
    said = value["text"] if isinstance(value, dict) else value
    department = talk.fact("department") if isinstance(talk.fact("department"), str) else None
    matches = resolve_doctor(said, department) or resolve_doctor(said)
    if len(matches) == 1:
        code = matches[0].code
        talk.facts["doctor"] = code
        talk.facts["department"] = hospital.doctors[code].department
        return code
    talk.forget("doctor")
    if matches:
        options = [{"title": _who(m.code), "value": m.code} for m in matches[:8]]
        talk.ask("doctor", "utter_which_doctor", options, said=said)
    talk.say("utter_unknown_doctor", said=said)
    return None


def _who(code: str) -> str:
    """Give a doctor with department and weekdays: 心血管内科 张建华主任医师（周一、周三出诊）."""
    hospital = load_hospital()
    days = "、".join("周" + WEEKDAYS[d - 1] for d in sorted({s.weekday for s in hospital.sessions_of(code)}))
    return f"{department_text(hospital.doctors[code].department)} {doctor_text(code)}" + (
        f"（{days}出诊）" if days else ""
    )


def days_of(talk: Talk) -> tuple[date, date] | None:
    """Give the days the patient wants; asks again when they cannot be booked."""
    value = talk.fact("date")
    today = today_of(talk)
    window = service.rules().window_days
    if isinstance(value, dict):
        talk.forget("date")
        talk.ask("date", "utter_bad_date", said=value["text"])
    if value is None:
        return None
    first, last = span_of(value)
    if last < today:
        talk.forget("date")
        talk.ask("date", "utter_day_is_past")
    if (first - today).days > window:
        talk.forget("date")
        last_day = day_text(week_ahead(today, window)[1], today)
        release = load_hospital().info.booking["release_time"]
        talk.ask("date", "utter_day_too_far", days=window, last=last_day, release=release)
    return max(first, today), last


def period_of(talk: Talk) -> tuple[str | None, str]:
    """Give am, pm or evening, and a time of day from which on it should be ("" for any)."""
    value = talk.fact("period")
    if not isinstance(value, str):
        return None, ""
    if value in PERIODS:
        return value, ""
    start, _, _ = value.partition("/")
    start = start or "00:00"
    if value.startswith("/"):
        return ("am" if value[1:3] <= "12" else "pm"), ""
    return ("am" if start < "12:00" else "pm" if start < "17:30" else "evening"), start


def class_of(talk: Talk) -> str | None:
    """Give the class of opening (号别) that is wanted: a rank such as 主任 means the experts' class."""
    value = talk.fact("doctor_title")
    return (
        TITLES_TO_CLASS.get(value, value)
        if isinstance(value, str) and value in (*TITLES_TO_CLASS, *SLOT_CLASSES)
        else None
    )


def search(talk: Talk, span: tuple[date, date], **extra) -> list[Clinic]:
    """Give the clinics that fit the facts of the talk."""
    wanted = dict(
        department=talk.fact("department"),
        doctor=talk.fact("doctor"),
        first=span[0],
        last=span[1],
        period=period_of(talk)[0],
        slot_class=class_of(talk),
    )
    with reading() as conn:
        return service.clinics(conn, talk.now, **{**wanted, **extra})


# ---- schedule


@flow("query_schedule", "出诊与号源查询", question=True)
def query_schedule(talk: Talk) -> None:
    """Who sits when, and what is free."""
    if not doctor_of(talk):
        department_of(talk)
    department = load_hospital().departments[talk.fact("department")]
    _remember_query(talk, "query_schedule")
    if not department.online:
        talk.say("utter_department_offline", department=department.name, place=department.place)
        return
    today = today_of(talk)
    span = days_of(talk) or week_ahead(today, 7)
    found = search(talk, span)
    if not found:
        other = search(talk, week_ahead(today, service.rules().window_days), period=None, slot_class=None)
        _none_found(talk, span, today, other)
        return
    one_day = span[0] == span[1]
    rows = [f"{i}. {clinic_title(c, today, with_day=not one_day)}" for i, c in enumerate(found[:12], 1)]
    choices = [{"title": clinic_title(c, today, not one_day), "payload": _choice_payload(c)} for c in found[:12]]
    talk.remember_choices(choices)
    name = doctor_text(talk.fact("doctor")) if talk.fact("doctor") else department.name
    stops = [c for c in found if c.stopped]
    buttons = (
        [{"title": "帮我挂号", "payload": _payload("book_appointment", talk)}] if any(c.free for c in found) else []
    )
    full = [c for c in found if not c.free and not c.stopped]
    if full:
        buttons.append({"title": "候补", "payload": _choice_payload(full[0], waitlist="join")})
        talk.remember_choices([*choices, buttons[-1]])
    talk.say(
        "utter_schedule",
        buttons,
        name=name,
        days=span_text(*span, today),
        rows="\n".join(rows) + (f"\n还有{len(found) - 12}个时段，您可以说具体日期。" if len(found) > 12 else ""),
        note=("\n约满的时段可以登记候补。" if full else "")
        + (f"\n停诊原因：{stops[0].stop_reason}。" if stops and stops[0].stop_reason else ""),
    )


def _payload(intent: str, talk: Talk) -> str:
    keep = {k: v for k in ("department", "doctor", "date", "period", "doctor_title", "relation") if (v := talk.fact(k))}
    return f"/{intent}" + json.dumps(keep, ensure_ascii=False)


def _remember_query(talk: Talk, label: str) -> None:
    keep = ("department", "doctor", "date", "period", "doctor_title")
    talk.memory["last_query"] = {"label": label, "facts": {k: talk.facts[k] for k in keep if k in talk.facts}}


def _none_found(talk: Talk, span, today: date, other: list[Clinic]) -> None:
    free = [c for c in other if c.free][:4]
    buttons = [{"title": clinic_title(c, today, True), "payload": _choice_payload(c)} for c in free]
    who = doctor_text(talk.fact("doctor")) if talk.fact("doctor") else department_text(talk.fact("department"))
    talk.say(
        "utter_no_clinic_then" if free else "utter_no_clinic_at_all",
        buttons,
        name=who,
        days=span_text(*span, today),
        period=PERIODS.get(period_of(talk)[0] or "", ""),
    )


def _choice_payload(clinic: Clinic, **more) -> str:
    facts = {
        "department": clinic.department,
        "doctor": clinic.doctor,
        "date": clinic.day.isoformat(),
        "period": clinic.period,
        "doctor_title": clinic.slot_class,
        "session": clinic.id,
        **more,
    }
    return "/book_appointment" + json.dumps(facts, ensure_ascii=False)


# ---- booking


@flow("book_appointment", "预约挂号")
def book_appointment(talk: Talk) -> None:
    """From a wish to a receipt: department, day, session, time, identity, read-back, yes."""
    department = _bookable_department(talk)
    session = _session(talk, department)
    opening = _opening(talk, session)
    patient = identity.verified(talk, "预约挂号")
    _check_fits(talk, patient, department)
    booking = _confirmed(talk, session, opening, patient)
    if booking:
        talk.say("utter_booked", pay="请到院取号时缴费，线上不收取费用", before=_collect())


def _collect() -> str:
    return str(load_hospital().info.booking["collect_minutes_before"])


def _bookable_department(talk: Talk):
    if not doctor_of(talk) and talk.fact("symptom") and talk.fact("department") is None:
        _suggest_department(talk)
    if not talk.fact("doctor"):
        department_of(talk)
    department = load_hospital().departments[talk.fact("department")]
    if not department.online:
        talk.say("utter_department_offline", department=department.name, place=department.place)
        talk.end()
    return department


def _suggest_department(talk: Talk) -> None:
    from bot.hospital.guide import suggest

    found = suggest(list(talk.fact("symptom")), talk.message.text)
    options = [{"title": department_text(s.department), "value": s.department} for s in found]
    reasons = "\n".join(f"{department_text(s.department)}：{s.reason}" for s in found)
    talk.ask("department", "utter_symptom_departments", options, reasons=reasons)


def _session(talk: Talk, department, replacing: Booking | None = None) -> Clinic:
    """Give the session the patient chooses; one that fits alone is chosen without a question."""
    today = today_of(talk)
    if talk.fact("session"):
        with reading() as conn:
            chosen = [
                c for c in service.clinics(conn, talk.now, department=department.code) if c.id == talk.fact("session")
            ]
        if chosen and chosen[0].free:
            talk.facts["doctor"] = talk.facts["chosen_doctor"] = chosen[0].doctor  # another time means this doctor's
            return chosen[0]
        if chosen:
            return _full(talk, chosen[0], today)
        talk.forget("session")
    if days_of(talk) is None:
        talk.need("date", "utter_ask_date", _day_options(talk, today), department=department.name)
    span = days_of(talk)
    if span[0] == span[1]:
        _refuse_early(talk, department.code, span[0], replacing)
    found = [c for c in search(talk, span) if not c.stopped]
    free = [c for c in found if c.free]
    if not free and talk.fact("doctor") == talk.fact("chosen_doctor") is not None:
        talk.facts.pop("doctor")  # chosen from a list for another time: that day the department's others will do
        return _session(talk, department, replacing)
    if not free:
        if found and len({c.id for c in found}) == 1:
            talk.set("session", found[0].id)
            return _full(talk, found[0], today)
        return _other_days(talk, span, today, full=found)
    if len(free) == 1:
        return _only(talk, free[0], today)
    one_day = span[0] == span[1]
    options = [{"title": clinic_title(c, today, not one_day), "value": c.id} for c in _spread(free)]
    options += [
        {"title": clinic_title(c, today, not one_day) + "（可候补）", "value": c.id} for c in found if not c.free
    ][:2]
    talk.need("session", "utter_ask_session", options, department=department.name, days=span_text(*span, today))
    return _session(talk, department, replacing)


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


def _other_days(talk: Talk, span, today: date, full: list[Clinic]) -> Clinic:
    """Nothing is free in the wished time: offer other times, and the waitlist of what is full."""
    window = week_ahead(today, service.rules().window_days)
    other = [c for c in search(talk, window) if c.free]
    if not other:
        other = [c for c in search(talk, window, period=None, slot_class=None) if c.free]
    options = [{"title": clinic_title(c, today, True), "value": c.id} for c in other[:4]]
    options += [{"title": clinic_title(c, today, True) + "（可候补）", "value": c.id} for c in full if not c.stopped][
        :2
    ]
    if not options:
        talk.say("utter_no_clinic_at_all", name=department_text(talk.fact("department")))
        talk.end()
    talk.forget("session")
    talk.ask(
        "session",
        "utter_full_then" if full else "utter_none_then",
        options,
        days=span_text(*span, today),
        department=department_text(talk.fact("department")),
    )


def clinic_text(clinic: Clinic, today: date) -> str:
    """Give a clinic without what is left of it."""
    return clinic_title(clinic, today, True).rsplit(" ", 1)[0]


def _full(talk: Talk, clinic: Clinic, today: date) -> Clinic:
    """A full session: the waitlist (候补) or another time."""
    join = talk.need(
        "waitlist",
        "utter_ask_waitlist",
        [{"title": "加入候补", "value": "join"}, {"title": "看看其他时间", "value": "other"}],
        clinic=clinic_title(clinic, today, True),
    )
    if join != "join":
        talk.forget("waitlist", "session", "date", "period", "doctor", "doctor_title")
        return _session(talk, load_hospital().departments[talk.fact("department")])
    patient = identity.verified(talk, "候补登记")
    shown = clinic_text(clinic, today)
    if not talk.agree(
        "confirmed", "utter_confirm_waitlist", yes="确认", no="不用了", patient=patient.shown_name, clinic=shown
    ):
        talk.say("utter_booking_not_made")
        talk.end()
    with writing() as conn:
        place = service.join_waitlist(conn, clinic.id, patient.id, talk.id, talk.now)
        talk.receipt(conn, f"候补登记成功：{shown}，您排在第{place}位。")
    talk.say("utter_waitlisted", place=place)
    talk.end()


def _opening(talk: Talk, session: Clinic) -> int:
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
        _refused(talk, error)


def _refused(talk: Talk, error: Duplicate | LimitReached) -> None:
    if isinstance(error, Duplicate):
        shown = booking_text(error.booking, today_of(talk))
        talk.say("utter_duplicate_booking", booking=shown, number=error.booking.number)
    else:
        talk.say("utter_booking_limit", days=error.days, limit=error.limit)
    talk.end()


def _check_fits(talk: Talk, patient, department) -> None:
    age = patient.age(today_of(talk))
    if not department.sees(age=age, sex=patient.sex):
        talk.say("utter_department_does_not_fit", department=department.name)
        talk.end()


def _confirmed(
    talk: Talk, session: Clinic, opening_id: int, patient, replacing: Booking | None = None
) -> Booking | None:
    """Hold, read back, book at yes, write the receipt. None when the patient says no."""
    today = today_of(talk)
    try:
        with writing() as conn:
            replaced = replacing.id if replacing else None
            service.check_patient(conn, patient.id, session.department, session.day, talk.now, replaced)
            held = service.hold(conn, opening_id, talk.id, talk.now) if "confirmed" not in talk.facts else True
    except (Duplicate, LimitReached) as error:
        # A replay after the booking was committed meets its own booking: it goes on to the receipt it has.
        if not (isinstance(error, Duplicate) and error.booking.opening_id == opening_id and talk.fact("confirmed")):
            _refused(talk, error)
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
                talk.receipt(conn, _receipt(booking, patient, today, talk.now))
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
    book_appointment(talk)


def _receipt(booking: Booking, patient, today: date, now: datetime) -> str:
    """Give the written receipt (R59)."""
    until = last_cancel(booking.starts_at, booking.slot_class, service.rules())
    return (
        f"预约成功\n预约号：{booking.number}\n就诊人：{patient.shown_name}\n时间：{moment_text(booking.starts_at, today)}\n"
        f"科室：{department_text(booking.department)}\n医生：{doctor_text(booking.doctor)}（{SLOT_CLASSES[booking.slot_class]}）\n"
        f"地点：{booking.room}\n费用：{fee_text(booking.fee_item)}，到院取号时缴费\n"
        f"请提前{_collect()}分钟携带身份证或医保码取号。"
        + (
            f"如需退号，请在{deadline_text(until)}前办理。"
            if until > now
            else "线上退号的时间已过，如需取消请拨打客服电话。"
        )
    )


# ---- own bookings


def _own(talk: Talk) -> list[Booking]:
    patient = identity.verified(talk, "查询预约")
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
    with reading() as conn:
        waiting = [(clinic_text(c, today), place) for c, place in service.waiting_of(conn, talk.patient.id, talk.now)]
    if not found and not exams and not waiting:
        talk.say("utter_no_bookings", [{"title": "预约挂号", "payload": "/book_appointment"}])
        return
    rows = [f"{i}. {booking_text(b, today)}，预约号{b.number}，{b.room}" for i, b in enumerate(found, 1)]
    ordered = sorted(exams, key=lambda e: e.day.on(today))
    rows += [f"{i}. {_exam_text(e, today)}" for i, e in enumerate(ordered, len(found) + 1)]
    rows += [f"候补：{name}，排在第{place}位" for name, place in waiting]
    talk.say("utter_my_appointments", rows="\n".join(rows), patient=talk.patient.shown_name)


EXAM = re.compile(r"核磁|磁共振|MRI|CT|彩超|B超|胃镜|肠镜|检查")


def _exam_text(exam, today: date) -> str:
    """Give an arranged examination in a line."""
    name = load_hospital().prices[exam.item].name
    return f"检查：{name}，{day_text(exam.day.on(today), today)}{exam.start}，{exam.place}。检查前准备：{exam.prepare}"


def _which(talk: Talk, response: str) -> Booking:
    found = _own(talk)
    exams = [e for e in load_hospital().exams if e.patient == talk.patient.code and e.status == "booked"]
    if exams and (EXAM.search(talk.message.text) or not found):
        talk.say("utter_exam_change", rows="\n".join(_exam_text(e, today_of(talk)) for e in exams))
        talk.end()
    if not found:
        talk.say("utter_no_bookings", [{"title": "预约挂号", "payload": "/book_appointment"}])
        talk.end()
    today = today_of(talk)
    named = talk.fact("department")
    fits = [b for b in found if isinstance(named, str) and b.department == named] or found
    if len(fits) == 1 and "booking" not in talk.facts:
        talk.facts["booking"] = fits[0].id
    options = [{"title": booking_text(b, today), "value": b.id} for b in fits]
    chosen = talk.need("booking", response, options)
    return next((b for b in found if b.id == chosen), fits[0])


@flow("cancel_appointment", "退号")
def cancel_appointment(talk: Talk) -> None:
    """Give a slot back: read-back, yes, receipt."""
    booking = _which(talk, "utter_which_to_cancel")
    today = today_of(talk)
    if talk.now > last_cancel(booking.starts_at, booking.slot_class, service.rules()):
        talk.say("utter_cancel_too_late", [{"title": "转人工", "payload": "/request_human"}], number=booking.number)
        return
    if not talk.agree(
        "confirmed", "utter_confirm_cancel", yes="确认退号", no="保留预约", booking=booking_text(booking, today)
    ):
        talk.say("utter_kept")
        return
    try:
        with writing() as conn:
            if service.cancel(conn, booking.id, talk.now):
                talk.receipt(
                    conn, f"退号成功\n预约号：{booking.number}\n{booking_text(booking, today)}\n线上未收费，无需退款。"
                )
    except TooLate:
        talk.say("utter_cancel_too_late", [{"title": "转人工", "payload": "/request_human"}], number=booking.number)
        return
    talk.suspended = [t for t in talk.suspended if t["name"] != "reschedule_appointment"]
    talk.say("utter_cancelled")


@flow("reschedule_appointment", "改约")
def reschedule_appointment(talk: Talk) -> None:
    """Change time or doctor of a booked slot; the old one is given back in the same step."""
    old = _which(talk, "utter_which_to_reschedule")
    talk.facts["booking"] = old.id
    if not talk.fact("doctor") and talk.fact("department") in (None, old.department):
        talk.facts["department"] = old.department
        if not talk.fact("any_doctor"):
            talk.facts["doctor"] = old.doctor
            if talk.fact("date") and not isinstance(talk.fact("date"), dict):
                if not [c for c in search(talk, days_of(talk)) if c.free]:
                    talk.facts.pop("doctor")  # the same doctor does not sit then: the department's others
                    talk.facts["any_doctor"] = True
    department = _bookable_department(talk)
    session = _session(talk, department, old)
    opening = _opening(talk, session)
    booking = _confirmed(talk, session, opening, talk.patient, replacing=old)
    if booking:
        talk.say("utter_rescheduled", before=_collect())
