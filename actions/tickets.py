"""Suggestions, praise, how far a ticket is, referrals (R37, R58, R86)."""

import re

from actions import identity
from actions.phrasing import deadline_text
from actions.talk import Talk, flow
from bot.storage.engine import reading, writing
from bot.tickets import service
from bot.tickets.service import KINDS

IMPATIENT = re.compile(r"还没|没人|没有人|好几天|这么久|怎么还|多久|石沉大海|拖")
HUMAN = {"title": "转人工", "payload": "/request_human"}


def _record(talk: Talk, kind: str, content: dict) -> service.Ticket:
    with writing() as conn:
        ticket = service.file(conn, talk.id, kind, content, talk.now, "web", key=f"{talk.turn}:{kind}")
        talk.receipt(conn, f"{KINDS[kind]}已登记，编号：{ticket.number}")
    return ticket


@flow("suggestion", "提出建议", free_text=("content",))
def suggestion(talk: Talk) -> None:
    """Thanks, and a record (R37)."""
    if "content" not in talk.facts and len(talk.message.text) >= 8 and not talk.message.button:
        talk.facts["content"] = talk.message.text
    content = talk.need("content", "utter_ask_suggestion")
    ticket = _record(talk, "suggestion", {"event": content})
    talk.say("utter_suggestion_recorded", number=ticket.number)


@flow("praise", "表扬", free_text=("content",))
def praise(talk: Talk) -> None:
    """谢谢，这是我们应该做的, and a record (R37)."""
    if "content" not in talk.facts and len(talk.message.text) >= 6 and not talk.message.button:
        talk.facts["content"] = talk.message.text
    content = talk.need("content", "utter_ask_praise")
    ticket = _record(talk, "praise", {"event": content})
    talk.say("utter_praise_recorded", number=ticket.number)


@flow("track_ticket", "查询处理进度")
def track_ticket(talk: Talk) -> None:
    """State, what is done now and until when, after the identity check (R6, R7)."""
    if IMPATIENT.search(talk.message.text) and not talk.fact("soothed"):
        talk.facts["soothed"] = True
        talk.say("utter_sorry_waiting")
    patient = identity.verified(talk, "查询工单进度")
    with reading() as conn:
        mine = {t.id: t for t in service.of_patient(conn, patient.id) + service.of_conversation(conn, talk.id)}
    found = sorted(mine.values(), key=lambda t: -t.id)
    wanted = talk.fact("ticket_id")
    if wanted:
        number = str(wanted["text"] if isinstance(wanted, dict) else wanted).upper()
        found = [t for t in found if t.number == number]
    if not found:
        talk.say("utter_no_ticket" if wanted else "utter_no_tickets", [HUMAN])
        return
    rows = []
    for ticket in found[:5]:
        due = f"，最迟{deadline_text(ticket.due_at)}前答复您" if ticket.state in ("confirmed", "in_progress") else ""
        result = f"。处理结果：{ticket.result}" if ticket.result else ""
        rows.append(f"{KINDS[ticket.kind]} {ticket.number}：{ticket.state_name}{due}{result}")
    talk.say("utter_ticket_state", rows="\n".join(rows))


@flow("request_referral", "转诊申请", free_text=("direction", "hospital_other", "condition"))
def request_referral(talk: Talk) -> None:
    """Collect and inform: the six items of R86 are worked through by people."""
    if "direction" not in talk.facts:
        talk.need(
            "direction",
            "utter_ask_referral_direction",
            [{"title": "转到其他医院", "value": "转出"}, {"title": "转入本院", "value": "转入"}],
        )
    talk.need("hospital_other", "utter_ask_referral_hospital")
    talk.need("condition", "utter_ask_referral_condition")
    patient = identity.verified(talk, "转诊申请")
    checklist = {name: "待办理" for name in ("转诊记录", "床位确认", "转运车辆", "适应症审查", "知情同意", "跨院医保")}
    content = {
        "event": talk.fact("condition"),
        "direction": talk.fact("direction"),
        "hospital": talk.fact("hospital_other"),
        "checklist": checklist,
    }
    with writing() as conn:
        ticket = service.file(
            conn, talk.id, "referral", content, talk.now, "web", patient_id=patient.id, key=f"{talk.turn}:referral"
        )
        talk.receipt(conn, f"转诊申请已登记，编号：{ticket.number}\n办理事项：" + "、".join(checklist))
    talk.say("utter_referral_recorded", number=ticket.number)
