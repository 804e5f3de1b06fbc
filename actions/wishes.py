"""What a patient wishes of a visit: department, doctor, days, half-day, class; and the clinics that fit (R75, R76)."""

import re
from datetime import date

from actions.phrasing import WEEKDAYS, day_text, department_text, doctor_text, span_of, week_ahead
from actions.talk import Talk
from bot.appointments import service
from bot.appointments.model import Clinic
from bot.clock import local
from bot.hospital.guide import suggest
from bot.hospital.load import load_hospital
from bot.hospital.model import PERIODS, SLOT_CLASSES
from bot.hospital.names import resolve_department, resolve_doctor
from bot.storage.engine import reading

SHOWN = 6  # choices in one message
TITLES_TO_CLASS = {"chief": "expert", "associate_chief": "expert", "attending": "normal", "resident": "normal"}


def today_of(talk: Talk) -> date:
    """Give the hospital's date of this turn."""
    return local(talk.now).date()


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
        _suggest(talk)
        value = talk.need("department", "utter_ask_department")
        return department_of(talk)
    return value


def troubles_of(talk: Talk) -> list[str]:
    """Give what troubles the patient; of a part of the body alone (看看腰) that something is wrong with it."""
    return [*(talk.fact("symptom") or []), *(f"{part}不舒服" for part in talk.fact("body_part") or [])]


def _suggest(talk: Talk) -> None:
    """Ask which department with the ones a symptom points to (晚上肚子疼，还有医生吗), where there is one."""
    symptoms = troubles_of(talk)
    found = [s for s in suggest(symptoms, talk.message.text) if symptoms or s.department != "general_practice"]
    if not found:
        return
    options = [{"title": department_text(s.department), "value": s.department} for s in found]
    reasons = "\n".join(f"{department_text(s.department)}：{s.reason}" for s in found)
    talk.ask("department", "utter_symptom_departments", options, reasons=reasons)


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
    if department and len(matches) > 1 and all(hospital.doctors[m.code].department != department for m in matches):
        talk.say("utter_doctor_elsewhere", said=said, department=department_text(department))
        return None
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
