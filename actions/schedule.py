"""Questions about who sits when and what is free (查号, R76)."""

import json
from datetime import date

from actions.phrasing import clinic_title, department_text, doctor_text, span_text, week_ahead
from actions.talk import Talk, flow
from actions.wishes import days_of, department_of, doctor_of, period_of, search, today_of
from bot.appointments import service
from bot.appointments.model import Clinic
from bot.hospital.load import load_hospital
from bot.hospital.model import PERIODS

SHOWN_CLINICS = 12


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
    rows = [f"{i}. {clinic_title(c, today, with_day=not one_day)}" for i, c in enumerate(found[:SHOWN_CLINICS], 1)]
    choices = [
        {"title": clinic_title(c, today, not one_day), "payload": choice_payload(c)} for c in found[:SHOWN_CLINICS]
    ]
    talk.remember_choices(choices)
    name = doctor_text(talk.fact("doctor")) if talk.fact("doctor") else department.name
    stops = [c for c in found if c.stopped]
    buttons = (
        [{"title": "帮我挂号", "payload": _payload("book_appointment", talk)}] if any(c.free for c in found) else []
    )
    full = [c for c in found if not c.free and not c.late and c.waitable]
    if full:
        buttons.append({"title": "候补", "payload": choice_payload(full[0], waitlist="join")})
        talk.remember_choices([*choices, buttons[-1]])
    talk.say(
        "utter_schedule",
        buttons,
        name=name,
        days=span_text(*span, today),
        rows="\n".join(rows)
        + (f"\n还有{len(found) - SHOWN_CLINICS}个时段，您可以说具体日期。" if len(found) > SHOWN_CLINICS else ""),
        then="想约哪一个，请告诉我第几个。" if any(c.free for c in found) else "想看其他日子，请告诉我哪一天。",
        note=("\n约满的时段可以登记候补。" if full else "")
        + (f"\n停诊原因：{stops[0].stop_reason}。" if stops and stops[0].stop_reason else "")
        + ("\n马上开始的号请直接到窗口。" if any(c.late for c in found) else ""),
    )


def choose_from_query(talk: Talk) -> None:
    """就第一个吧，帮我挂上: a number that points to the clinics just shown, said with a request to book."""
    query = talk.memory.get("last_query") or {}
    nth = talk.message.first("ordinal")
    named = {"department", "doctor", "session", "symptom"} & talk.facts.keys()
    if query.get("label") != "query_schedule" or not isinstance(nth, int) or named:
        return
    talk.facts.update({name: value for name, value in query["facts"].items() if name not in talk.facts})
    found = search(talk, days_of(talk) or week_ahead(today_of(talk), 7))[:SHOWN_CLINICS]
    if 0 < nth <= len(found):
        talk.facts["session"] = found[nth - 1].id


def _payload(intent: str, talk: Talk) -> str:
    keep = {k: v for k in ("department", "doctor", "date", "period", "doctor_title", "relation") if (v := talk.fact(k))}
    return f"/{intent}" + json.dumps(keep, ensure_ascii=False)


def _remember_query(talk: Talk, label: str) -> None:
    keep = ("department", "doctor", "date", "period", "doctor_title")
    talk.memory["last_query"] = {"label": label, "facts": {k: talk.facts[k] for k in keep if k in talk.facts}}


def _none_found(talk: Talk, span, today: date, other: list[Clinic]) -> None:
    free = [c for c in other if c.free][:4]
    buttons = [{"title": clinic_title(c, today, True), "payload": choice_payload(c)} for c in free]
    who = doctor_text(talk.fact("doctor")) if talk.fact("doctor") else department_text(talk.fact("department"))
    talk.say(
        "utter_no_clinic_then" if free else "utter_no_clinic_at_all",
        buttons,
        name=who,
        days=span_text(*span, today),
        period=PERIODS.get(period_of(talk)[0] or "", ""),
    )


def choice_payload(clinic: Clinic, **more) -> str:
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
