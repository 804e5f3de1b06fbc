"""What a patient on the waitlist (候补) is told without asking: an offer, its end, the end of the line. Due handlers."""

import json
from datetime import datetime

from sqlalchemy.engine import Connection

from bot.appointments import waiting
from bot.appointments.model import SHANGHAI, Waiting
from bot.appointments.words import day_text, department_text, doctor_text, fee_text, moment_text
from bot.clock import local
from bot.conversations import notices
from bot.hospital.model import PERIODS, SLOT_CLASSES
from bot.outreach import sms
from bot.patients import access


def match(conn: Connection, payload: dict, now: datetime) -> None:
    """Offer what is free in a session to those who are next, each with a notice and, where a gateway is set, an SMS."""
    for offer in waiting.match(conn, payload["session"], now):
        until = f"{local(offer.offered_until):%H:%M}"
        notices.post(
            conn,
            offer.conversation_id,
            f"候补有号了：{moment_text(offer.starts_at, _today(now))} {department_text(offer.department)} "
            f"{doctor_text(offer.doctor)}（{SLOT_CLASSES[offer.slot_class]}），{fee_text(offer.fee_item)}，到院取号时缴费。"
            f"这个号为您保留到{until}，请您在这之前选择。",
            [
                {"title": "接受", "payload": _payload(offer=offer.id, accept=True)},
                {"title": "放弃", "payload": _payload(offer=offer.id, accept=False)},
            ],
            now,
        )
        text = f"您登记的候补有消息了，请在{until}前打开智能客服页面选择。"
        sms.schedule(conn, f"offer:{offer.id}", offer.patient_id, text, now, offer.offered_until)


def lapse(conn: Connection, payload: dict, now: datetime) -> None:
    """End an offer that was not answered in time: it goes to the next, and the patient is told."""
    offer = waiting.lapse(conn, payload["entry"], now)
    if offer is None:
        return
    notices.post(
        conn,
        offer.conversation_id,
        f"候补的号（{moment_text(offer.starts_at, _today(now))} {_whose(offer)}）保留时间已到，已经转给下一位。"
        "如果您还需要，可以重新登记候补，或看看其他时间。",
        [
            {"title": "重新候补", "payload": _payload(**_wish(conn, offer), session=offer.session_id, waitlist="join")},
            {"title": "看看其他时间", "payload": _payload(**_wish(conn, offer))},
        ],
        now,
    )


def close(conn: Connection, payload: dict, now: datetime) -> None:
    """Nothing is offered any more so near to the visit: those who still wait are told."""
    for known in waiting.close(conn, payload["session"]):
        notices.post(
            conn,
            known.conversation_id,
            f"您候补的{session_text(known, now)}一直没有空出的号，就诊时间已近，候补到此结束，抱歉让您久等了。"
            "您可以看看其他时间，我来帮您约。",
            [{"title": "看看其他时间", "payload": _payload(**_wish(conn, known))}],
            now,
        )


def session_text(known: Waiting, now: datetime) -> str:
    """Give the session somebody waits for: 明天（12月2日周三）上午 心血管内科 张建华主任医师（专家号）."""
    return f"{day_text(known.day, _today(now))}{PERIODS[known.period]} {_whose(known)}"


def _whose(known: Waiting) -> str:
    return f"{department_text(known.department)} {doctor_text(known.doctor)}（{SLOT_CLASSES[known.slot_class]}）"


def _wish(conn: Connection, known: Waiting) -> dict:
    relation = access.relation(conn, known.conversation_id, known.patient_id)
    return {"department": known.department} | ({"relation": relation} if relation else {})


def _payload(**facts) -> str:
    return "/book_appointment" + json.dumps(facts, ensure_ascii=False)


def _today(now: datetime):
    return now.astimezone(SHANGHAI).date()
