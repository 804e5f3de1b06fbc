"""Suggestions, praise, how far a ticket is, referrals (R37, R58, R86)."""

import re

from actions import identity, told
from actions.phrasing import deadline_text
from actions.talk import Talk, Waiting, flow
from bot.storage.engine import reading, writing
from bot.tickets import service
from bot.tickets.model import KINDS, OPEN, TYPES

IMPATIENT = re.compile(r"还没|没人|没有人|好几天|这么久|怎么还|都多久|多久了|石沉大海|拖")
# What a ticket is called and until when it is answered may be told again in its own conversation; what is in it may not.
NUMBER = re.compile(
    r"(编号|单号|受理号|工单号|号码|号)(是|多少|什么|来着|呢|再|忘|发|给)|(忘|没记|再说|再发|告诉我).{0,6}(编号|单号|受理号)"
)
DEADLINE = re.compile(
    r"(多久|几天|什么时候|何时|啥时候|哪天|多长时间|期限).{0,8}(结果|答复|回复|处理|办|联系|解决|消息|出)|(结果|答复|回复|处理).{0,6}(多久|几天|什么时候|啥时候|多长)"
)
HOW = re.compile(r"(怎么|如何|哪里|哪儿|在哪|咋).{0,4}(查|看|问)")
UNKNOWN = "不记得了"
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


@flow("praise", "表扬", free_text=("content", "who"))
def praise(talk: Talk) -> None:
    """谢谢，这是我们应该做的, and a record (R37); whose it is, is asked once, so that it can be passed on."""
    if "content" not in talk.facts and len(talk.message.text) >= 6 and not talk.message.button:
        talk.facts["content"] = talk.message.text
    content = talk.need("content", "utter_ask_praise")
    if not {"department", "doctor"} & talk.facts.keys():
        talk.need("who", "utter_ask_praise_who", [{"title": "不记得了", "value": UNKNOWN}])
    who = talk.fact("who", UNKNOWN)
    ticket = _record(talk, "praise", {"event": content if who == UNKNOWN else f"{content}（{who}）"})
    talk.say("utter_praise_recorded", number=ticket.number)


@flow("track_ticket", "查询处理进度")
def track_ticket(talk: Talk) -> None:
    """Number and deadline of what was told in this talk; state and result after the identity check (R6, R7)."""
    said = talk.message.text
    if not talk.message.button and told.withdrawal(said) is not None:
        talk.task = None
        talk.start("withdraw_ticket")
        raise Waiting
    if IMPATIENT.search(said) and not talk.fact("soothed"):
        talk.facts["soothed"] = True
        talk.say("utter_sorry_waiting")
    if not talk.fact("told") and _tell_own(talk, said):
        return
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
        due = f"，最迟{deadline_text(ticket.due_at)}前答复您" if ticket.state in OPEN and ticket.due_at else ""
        result = f"。处理结果：{ticket.result}" if ticket.result else ""
        rows.append(f"{KINDS[ticket.kind]} {ticket.number}：{ticket.state_name}{due}{result}")
    talk.say("utter_ticket_state", rows="\n".join(rows))


def _tell_own(talk: Talk, said: str) -> bool:
    """Tell the numbers of this conversation's own tickets; whether that answers the question."""
    talk.facts["told"] = True
    with reading() as conn:
        own = [t for t in service.of_conversation(conn, talk.id) if t.kind != "death"]
    if not own or talk.fact("ticket_id") or identity.known_patient(talk) is not None:
        return False
    nameless = all(t.content.get("anonymous") for t in own)
    rows = []
    for ticket in own[:5]:
        state = f"，{ticket.state_name}" if nameless else ""  # nobody can be asked who he is
        due = f"，最迟{deadline_text(ticket.due_at)}前答复" if ticket.state in OPEN and ticket.due_at else ""
        rows.append(f"{KINDS[ticket.kind]}：受理编号{ticket.number}{state}{due}")
    talk.say("utter_ticket_anonymous" if nameless else "utter_ticket_number", rows="\n".join(rows))
    return nameless or any(words.search(said) for words in (NUMBER, DEADLINE, HOW))


@flow("withdraw_ticket", "撤回投诉")
def withdraw_ticket(talk: Talk) -> None:
    """Take back a complaint that was sent: chosen, read back, confirmed, with a receipt. Others' need the identity check."""
    if "withdrawing" not in talk.facts:
        talk.facts["withdrawing"] = _chosen(talk)
    if talk.facts["withdrawing"] is None:
        talk.say("utter_no_open_complaint", [{"title": "查询处理进度", "payload": "/track_ticket"}, HUMAN])
        return
    with reading() as conn:
        ticket = service.get(conn, talk.facts["withdrawing"])
    values = {"number": ticket.number, "type": TYPES[ticket.type or "other"]}
    if not talk.agree("confirmed", "utter_confirm_withdraw", yes="确认撤回", no="继续处理", **values):
        talk.say("utter_withdraw_kept", **values)
        return
    with writing() as conn:
        done = service.withdraw_sent(conn, ticket.id, talk.now)
        if done:
            talk.receipt(conn, f"投诉已撤回\n受理编号：{ticket.number}\n类型：{values['type']}")
    talk.memory.pop("complained", None)
    if done or ticket.state == "withdrawn":
        talk.say("utter_withdrawn", **values)
    else:
        talk.say("utter_withdraw_late", [HUMAN], **values)


def _chosen(talk: Talk) -> int | None:
    """Give the open complaint that is meant: this conversation's own, else the verified patient's; None without one."""
    with reading() as conn:
        found = [t for t in service.of_conversation(conn, talk.id) if t.kind == "complaint" and t.state in OPEN]
    if not found:
        patient = identity.verified(talk, "撤回投诉")
        with reading() as conn:
            found = [t for t in service.of_patient(conn, patient.id) if t.kind == "complaint" and t.state in OPEN]
    wanted = talk.fact("ticket_id")
    if wanted and (number := str(wanted["text"] if isinstance(wanted, dict) else wanted).upper()):
        found = [t for t in found if t.number == number]
    if len(found) > 1:
        options = [{"title": f"{t.number} {TYPES[t.type or 'other']}", "value": t.id} for t in found[:5]]
        return talk.need("withdrawing_id", "utter_ask_withdraw", options)
    return found[0].id if found else None


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
