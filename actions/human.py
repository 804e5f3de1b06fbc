"""A person: the queue by day, a message by night; condolence; 别问了 (R30, R52, R60, R97, R99)."""

import re

from actions import contact, identity, told
from actions.reading import yes_or_no
from actions.talk import FLOWS, Talk, flow
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
MISSED = "连续两次没有听懂"
MOST_ANGRY = 2  # angry messages of a talk before a person comes unasked
SPEAK_FOR_THEMSELVES = ("emergency", "report_death", "request_human")


def request_human(talk: Talk, why: str = "患者要求人工") -> None:
    """Into the queue with the place told; outside agents' hours a message can be left. An open task stays where it is."""
    if talk.holder == "queue":
        with writing() as conn:
            place = holding.enqueue(conn, talk.id, _reason(talk, why), talk.now, _priority(talk))
            minutes = _minutes(conn, place, talk)
        talk.say("utter_still_in_queue", place=place, minutes=minutes)
        return
    if not is_open("agents", talk.now):
        talk.start("leave_message")
        return
    talk.memory["queued"] = True
    with writing() as conn:
        place = holding.enqueue(conn, talk.id, _reason(talk, why), talk.now, _priority(talk), _skill(talk))
        minutes = _minutes(conn, place, talk)
    talk.say("utter_in_queue", place=place, minutes=minutes)


def _minutes(conn, place: int, talk: Talk) -> int:
    return episodes.expected_minutes(conn, place, staff.on_duty(conn, talk.now))


def _reason(talk: Talk, why: str) -> str:
    return f"{why}（{FLOWS[talk.task['name']].title}）" if talk.task else why


def _skill(talk: Talk) -> str | None:
    """Give the group of agents for what the patient is about (bot/staff/roles.py); None: whoever is free."""
    if _priority(talk):
        return "complaint"
    return SKILL_OF.get(talk.task["name"]) if talk.task else None


def _priority(talk: Talk) -> int:
    upset = talk.memory.get("anger", 0) >= MOST_ANGRY
    return 5 if upset or talk.memory.get("complained") or talk.memory.get("complaining") else 0


def hear_mood(talk: Talk) -> bool:
    """Answer anger before anything else and tell whether that was all there is to answer (R34, R69).

    Soothed at once and offered a person, whom a plain yes brings; the second angry message brings him unasked. What is asked
    beside it is answered all the same. A grievance with a story goes to the complaint, whose apology offers a person, too.
    """
    offered = talk.memory.pop("offered", None)
    message = talk.message
    if message.button or message.label in SPEAK_FOR_THEMSELVES:
        return False
    name = message.label.partition("/")[0]
    agreed = yes_or_no(message.text) if offered and name not in FLOWS and name != "stop" else None
    if agreed is not None:
        request_human(talk) if agreed else _go_on(talk)
        return True
    if not told.angry(message.text) or (message.texts("symptom") and not told.at_us(message.text)):
        return False
    talk.memory["anger"] = talk.memory.get("anger", 0) + 1
    story = name == "complaint" or (talk.task or {}).get("name") == "complaint"
    asks = (name in FLOWS and name != "complaint") or (story and not told.only_angry(message.text))
    if talk.memory["anger"] >= MOST_ANGRY:
        talk.say("utter_soothe")
        _bring_person(talk)
    elif asks and not story:
        talk.say("utter_soothe", [HUMAN])
    elif not asks:
        talk.memory["offered"] = True
        talk.say("utter_abuse_first", [HUMAN, {"title": "我要投诉", "payload": "/complaint"}])
    return not asks


def _go_on(talk: Talk) -> None:
    """不用: back to what is open."""
    from actions import dialogue

    if talk.task:
        dialogue.come_back(talk)
    else:
        talk.say("utter_anything_else")


def _bring_person(talk: Talk) -> None:
    if is_open("agents", talk.now):
        request_human(talk, "患者着急、不满")
    else:
        talk.say("utter_fallback_person", [HUMAN])


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
