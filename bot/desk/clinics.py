"""停诊 at the desk: a doctor's half-day is stopped or takes place after all, and who of its patients has been reached."""

from datetime import date, timedelta

from sqlalchemy.engine import Connection

from bot.appointments import schedule
from bot.appointments.schedule import HalfDay
from bot.appointments.service import rules
from bot.appointments.words import department_text, doctor_text
from bot.clock import local, now
from bot.desk import views
from bot.desk.door import actor
from bot.hospital.load import load_hospital
from bot.hospital.model import PERIODS
from bot.language.lint import lint
from bot.outreach import stops
from bot.patients import access
from bot.staff.service import Staff
from bot.storage.engine import reading, writing
from bot.web.errors import Refused

UNKNOWN = "没有找到这个半天的门诊，列表已为您更新。"
ALREADY = "这个半天的门诊已经是这样了，列表已为您更新。"
OVER = "这个半天的门诊已经过去了，请选择今天以后的门诊。"
NO_REASON = "请写明停诊原因，患者会读到。"


def of_day(who: Staff, day: date) -> dict:
    """Give the half-days of a day, and the last day that is released."""
    moment = now()
    with reading() as conn:
        found = schedule.half_days(conn, day, day, moment)
    last = local(moment).date() + timedelta(days=rules().window_days)
    return {"clinics": [_view(each) for each in found], "last": last.isoformat()}


def stopped(who: Staff) -> dict:
    """Give the stopped half-days from today on with how far each patient has got. Names are not read."""
    moment = now()
    today = local(moment).date()
    with reading() as conn:
        found = schedule.half_days(conn, today, today + timedelta(days=rules().window_days), moment, only_stopped=True)
        return {"stops": [{**_view(each), "told": _told(conn, each, moment)} for each in found]}


def stop(who: Staff, doctor: str, day: str, period: str, reason: str, despite: bool) -> dict:
    """Stop a half-day; its patients are told within seconds by the sweeper. Gives {"clinic"}, or {"warnings"} on the reason.

    Raises Refused: 400 no reason, 404, 409 over or already stopped for this reason.
    """
    reason = reason.rstrip("。.！!")
    if not reason:
        raise Refused(400, "reason", NO_REASON)
    if not despite and (found := lint(reason)):
        return {"warnings": [{"rule": each.rule, "fragment": each.fragment, "advice": each.advice} for each in found]}
    return _decide(who, doctor, day, period, reason)


def resume(who: Staff, doctor: str, day: str, period: str) -> dict:
    """Let a stopped half-day take place after all; its patients are told. Raises Refused (404, 409)."""
    return _decide(who, doctor, day, period, None)


def _decide(who: Staff, doctor: str, day: str, period: str, reason: str | None) -> dict:
    moment = now()
    try:
        wanted = date.fromisoformat(day)
    except ValueError as error:
        raise Refused(404, "unknown_clinic", UNKNOWN) from error
    if wanted < local(moment).date():
        raise Refused(409, "over", OVER)
    with writing() as conn:
        ids = schedule.sessions_of(conn, doctor, wanted, period)
        if not ids:
            raise Refused(404, "unknown_clinic", UNKNOWN)
        if reason is None:
            changed = [schedule.resume_session(conn, each, moment) for each in ids]
        else:
            changed = [schedule.stop_session(conn, each, reason, moment) for each in ids]
        if not any(changed):
            raise Refused(409, "already", ALREADY)
        detail = {"doctor": doctor, "day": day, "period": period, "reason": reason}
        access.record(conn, actor(who), "clinic_resumed" if reason is None else "clinic_stopped", moment, detail=detail)
        clinic = next(
            each
            for each in schedule.half_days(conn, wanted, wanted, moment)
            if (each.doctor, each.period) == (doctor, period)
        )
    return {"clinic": _view(clinic)}


def _told(conn: Connection, clinic: HalfDay, moment) -> list[dict]:
    ids = schedule.sessions_of(conn, clinic.doctor, clinic.day, clinic.period)
    return [
        {
            "number": each.number,
            "at": each.starts_at.isoformat(),
            "state": each.state,
            "until": each.until.isoformat() if each.until else None,
            "seen": each.seen,
            "visitor": views.visitor(each.conversation_id),
            "ticket_id": each.ticket_id,
            "ticket": each.ticket,
        }
        for each in stops.progress(conn, ids, moment)
    ]


def _view(clinic: HalfDay) -> dict:
    hospital = load_hospital()  # somebody may have left the files while his clinics stand
    return {
        "doctor": clinic.doctor,
        "doctor_name": doctor_text(clinic.doctor) if clinic.doctor in hospital.doctors else clinic.doctor,
        "department": department_text(clinic.department) if clinic.department in hospital.departments else "",
        "day": clinic.day.isoformat(),
        "period": clinic.period,
        "period_name": PERIODS[clinic.period],
        "stopped": clinic.stopped,
        "reason": clinic.reason,
        "booked": clinic.booked,
        "waiting": clinic.waiting,
    }
