"""The day before a visit its patient is reminded, once, in the talk he booked in (就诊提醒). Due handler.

A reminder of one's own booking is no survey: 别问了 does not end it. A death that was reported does (R99).
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.appointments import service
from bot.appointments.model import last_cancel
from bot.appointments.words import booking_text
from bot.clock import local
from bot.conversations import notices
from bot.hospital.load import load_hospital
from bot.outreach import sms
from bot.outreach.stops import payload_of
from bot.patients import access
from bot.patients.tables import audit
from bot.tickets import service as tickets


def remind(conn: Connection, payload: dict, now: datetime) -> None:
    """Tell place and time of tomorrow's visit, unless it was given back or stopped, or somebody has died."""
    booking = service.booking(conn, payload["booking"])
    chat = payload["conversation"]
    if (
        booking.state != "booked"
        or booking.stopped
        or booking.starts_at <= now
        or _dead(conn, booking.patient_id, chat)
    ):
        return
    rules, info = service.rules(), load_hospital().info
    relation = access.relation(conn, chat, booking.patient_id)
    facts = {"booking": booking.id} | ({"relation": relation} if relation else {})
    in_time = last_cancel(booking.starts_at, booking.slot_class, rules) > now
    notices.post(
        conn,
        chat,
        f"就诊提醒：您的预约{booking.number}，{booking_text(booking, local(now).date())}，地点：{booking.room}。"
        f"请提前{rules.lead_minutes}分钟携带身份证或医保码取号。" + ("如果时间有变，请您选择：" if in_time else ""),
        [
            {"title": "改约其他时间", "payload": payload_of("reschedule_appointment", **facts)},
            {"title": "退号", "payload": payload_of("cancel_appointment", **facts)},
        ]
        if in_time
        else [],
        now,
        {
            "kind": "appointment_reminder",
            "facts": {
                "department": "门诊预约",  # which department somebody goes to is nobody's business on a lock screen
                "time": f"{local(booking.starts_at):%Y-%m-%d %H:%M}",
                "place": info.name,
                "number": booking.number,
                "state": "待就诊",
                "tip": "请打开公众号查看",
            },
        },
    )
    text = "您明天有一个预约，请打开智能客服页面查看时间和地点。"
    sms.schedule(conn, f"visit:{booking.id}", booking.patient_id, text, now, booking.starts_at)


def _dead(conn: Connection, patient_id: int, chat: str) -> bool:
    told = select(audit.c.id).where(audit.c.patient_id == patient_id, audit.c.action == "deceased_reported").limit(1)
    if conn.execute(told).first() is not None:
        return True
    return any(ticket.kind == "death" for ticket in tickets.of_conversation(conn, chat))
