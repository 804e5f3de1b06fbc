"""A person: the queue by day, a message by night; condolence; 别问了 (R30, R52, R60, R97, R99)."""

from actions import identity
from actions.talk import Talk, flow
from bot.clock import local
from bot.conversations import holding
from bot.hospital.hours import is_open, next_opening
from bot.patients import access
from bot.storage.engine import writing
from bot.tickets import service


def request_human(talk: Talk) -> None:
    """Into the queue with the place told; outside agents' hours a message can be left. An open task stays where it is."""
    if talk.holder == "queue":
        with writing() as conn:
            place = holding.place(conn, talk.id)
        talk.say("utter_still_in_queue", place=place)
        return
    if not is_open("agents", talk.now):
        talk.start("leave_message")
        return
    with writing() as conn:
        place = holding.enqueue(conn, talk.id, _reason(talk), talk.now, priority=_priority(talk))
    talk.say("utter_in_queue", place=place, ahead=place - 1)


def _reason(talk: Talk) -> str:
    from actions.talk import FLOWS

    return f"患者要求人工（{FLOWS[talk.task['name']].title}）" if talk.task else "患者要求人工"


def _priority(talk: Talk) -> int:
    return 5 if talk.memory.get("complained") else 0


@flow("leave_message", "留言", free_text=("content",))
def leave_message(talk: Talk) -> None:
    """Take a message for the morning (R60)."""
    opens = local(next_opening("agents", talk.now))
    content = talk.need("content", "utter_ask_message", opens=f"{opens:%H:%M}")
    if identity.known_patient(talk) is None and talk.fact("phone") is not True:
        talk.forget("phone")
        talk.need("phone", "utter_ask_message_phone")
    with writing() as conn:
        ticket = service.file(conn, talk.id, "message", {"event": content}, talk.now, "web", key=f"{talk.turn}:message")
        talk.receipt(conn, f"留言已登记，编号：{ticket.number}")
    talk.say("utter_message_left", number=ticket.number, opens=f"{opens:%H:%M}")


def report_death(talk: Talk) -> None:
    """Condolence, no question, no upbeat closing; further calls are stopped and a person knows (R99, A10-6)."""
    talk.memory["bereaved"] = True
    talk.task, talk.suspended, talk.later = None, [], None
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
        for patient_id in patients.values():
            access.record(conn, f"conversation:{talk.id}", "deceased_reported", talk.now, patient_id)
        if is_open("agents", talk.now):
            holding.enqueue(conn, talk.id, "家属告知患者离世", talk.now, priority=5)
    talk.say("utter_report_death")


def decline(talk: Talk) -> None:
    """别问了: it ends at once and is remembered (R97)."""
    talk.memory["declined"] = talk.now.isoformat()
    talk.task = None
    talk.suspended, talk.later = [], None
    talk.say("utter_decline")
