"""A person: the queue by day, a message by night; condolence; 别问了 (R30, R52, R60, R97, R99)."""

import re

from actions import contact, identity, told
from actions.talk import Talk, flow
from bot.clock import local
from bot.conversations import episodes, holding
from bot.hospital.hours import is_open, next_opening
from bot.patients import access
from bot.staff import service as staff
from bot.storage.engine import writing
from bot.tickets import service

LEAVES_MESSAGE = re.compile(r"留言|留个言|帮我问|转告|告诉|回(我|个)?电话|回电|联系我|打给我")
ASKS_PERSON = re.compile(
    r"(请|麻烦|帮我|给我|我(想|要|需要)?)*(转|找|接|叫)?(一下|个)?(人工|真人|客服|留言|留个言)(客服|服务)?"
)


SKILL_OF = {
    **dict.fromkeys(("book_appointment", "cancel_appointment", "reschedule_appointment", "query_schedule"), "booking"),
    **dict.fromkeys(("query_price", "query_bill", "estimate_reimbursement", "check_insurance_coverage"), "insurance"),
    **dict.fromkeys(("complaint", "track_ticket", "withdraw_ticket"), "complaint"),
}
HUMAN = {"title": "转人工", "payload": "/request_human"}


def request_human(talk: Talk) -> None:
    """Into the queue with the place told; outside agents' hours a message can be left. An open task stays where it is."""
    if talk.holder == "queue":
        with writing() as conn:
            place = holding.place(conn, talk.id)
            minutes = _minutes(conn, place, talk)
        talk.say("utter_still_in_queue", place=place, minutes=minutes)
        return
    if not is_open("agents", talk.now):
        talk.start("leave_message")
        return
    talk.memory["queued"] = True
    with writing() as conn:
        place = holding.enqueue(conn, talk.id, _reason(talk), talk.now, priority=_priority(talk), skill=_skill(talk))
        minutes = _minutes(conn, place, talk)
    talk.say("utter_in_queue", place=place, minutes=minutes)


def _minutes(conn, place: int, talk: Talk) -> int:
    return episodes.expected_minutes(conn, place, staff.on_duty(conn, talk.now))


def _reason(talk: Talk) -> str:
    from actions.talk import FLOWS

    return f"患者要求人工（{FLOWS[talk.task['name']].title}）" if talk.task else "患者要求人工"


def _skill(talk: Talk) -> str | None:
    """Give the group of agents for what the patient is about (bot/staff/roles.py); None: whoever is free."""
    if _priority(talk):
        return "complaint"
    return SKILL_OF.get(talk.task["name"]) if talk.task else None


def _priority(talk: Talk) -> int:
    return 5 if talk.memory.get("complained") or talk.memory.get("complaining") else 0


@flow("leave_message", "留言", free_text=("content",))
def leave_message(talk: Talk) -> None:
    """Take a message for the morning (R60)."""
    opens = local(next_opening("agents", talk.now))
    _hear_message(talk)
    content = talk.need("content", "utter_ask_message", opens=f"{opens:%H:%M}")
    if identity.known_patient(talk) is None and talk.fact("phone") is not True:
        if talk.fact("phone") == identity.INVALID:
            talk.say("utter_invalid_phone")
        talk.forget("phone")
        talk.need("phone", "utter_ask_message_phone")
    kept = {"event": content}
    if reach := contact.given(talk):
        kept["contact"] = reach  # the text shows the number masked; this is what staff call
    with writing() as conn:
        ticket = service.file(conn, talk.id, "message", kept, talk.now, "web", key=f"{talk.turn}:message")
        talk.receipt(conn, f"留言已登记，编号：{ticket.number}")
    talk.say("utter_message_left", number=ticket.number, opens=f"{opens:%H:%M}")


def _hear_message(talk: Talk) -> None:
    """Take text and number from one line, whichever comes with the other."""
    if talk._resumed or talk.message.button:
        return
    said, asked = talk.message.text.strip(), talk.task.get("asked")
    phone = contact.take_phone(talk)
    rest = told.without_identity(said, talk.message.texts("person_name"))
    if asked == "content":
        if len(rest) < 2:
            talk.forget("content")  # only a number: the message itself is still to come
    elif asked is None and "content" not in talk.facts and (phone or LEAVES_MESSAGE.search(said)):
        words = ASKS_PERSON.sub("", rest).strip("，,。！! ")
        if len(words) >= 6:
            talk.facts["content"] = words


def report_death(talk: Talk) -> None:
    """Condolence, no question, no upbeat closing; further calls are stopped and a person knows (R99, A10-6).

    Words that name no death are not taken for one: they go on with an open complaint, or are asked for again.
    """
    said = talk.message.text
    if not told.death(said):
        from actions import dialogue

        if talk.task and talk.task["name"] == "complaint":
            talk.proceed()
        else:
            dialogue.fallback(talk)
        return
    talk.memory["bereaved"] = True
    talk.memory["grievance"] = said  # a complaint begun afterwards starts from it
    talk.task, talk.suspended, talk.later = None, [], []
    with writing() as conn:
        service.file(
            conn,
            talk.id,
            "death",
            {"event": "家属告知患者已离世，请停止一切回访并由专人联系"},
            talk.now,
            "web",
            key=f"{talk.turn}:death",
        )
        patients = access.linked(conn, talk.id, talk.now)
        for patient_id in _dead(talk, patients):
            access.record(conn, f"conversation:{talk.id}", "deceased_reported", talk.now, patient_id)
        if is_open("agents", talk.now):
            holding.enqueue(conn, talk.id, "家属告知患者离世", talk.now, priority=5)
    if told.asks_certificate(said):
        talk.say("utter_condolence")
        talk.say("utter_death_certificate")
    else:
        talk.say("utter_report_death")
    if told.blames(said):
        talk.say("utter_death_offer_complaint", [{"title": "反映这件事", "payload": "/complaint"}, HUMAN])


def _dead(talk: Talk, patients: dict[str, int]) -> list[int]:
    """Give the verified patients a report may mean: the relation that is named, never the writer himself."""
    named = talk.message.texts("relation")
    return [key for relation, key in patients.items() if relation and (not named or relation in named)]


def decline(talk: Talk) -> None:
    """别问了: it ends at once and is remembered (R97)."""
    talk.memory["declined"] = talk.now.isoformat()
    talk.task = None
    talk.suspended, talk.later = [], []
    talk.say("utter_decline")
