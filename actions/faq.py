"""Standing questions: the answer of nlu_data/faq, while somebody answers for it (R11, R62)."""

from datetime import date

from actions.talk import Talk, flow
from bot.clock import local
from bot.hospital.load import load_hospital


@flow("faq", "常见问题", question=True)
def faq(talk: Talk) -> None:
    """Say the answer of the key; further standing questions of the same message follow."""
    say_standing(talk, talk.message.label, talk.message.entities)
    talk.memory["last_faq"] = talk.message.label


def say_standing(talk: Talk, label: str, entities: list[dict]) -> None:
    """Say the answer of faq/KEY; one whose review has run out is not given out, the desk's number is."""
    if "/" not in label or not is_current(talk.response_metadata(f"utter_{label}"), local(talk.now).date()):
        talk.say("utter_fact_expired")
        return
    codes = [e.get("value") for e in entities if e["entity"] == "department" and isinstance(e.get("value"), str)]
    if label == "faq/department_location" and codes:
        department = load_hospital().departments[codes[0]]
        talk.say("utter_department_place", department=department.name, place=department.place, phone=department.phone)
        return
    talk.say(f"utter_{label}")


def is_current(metadata: dict | None, today: date) -> bool:
    """Tell whether an answer may be given out: its own date and the hospital's have not passed (R62)."""
    until = str((metadata or {}).get("valid_to") or "9999-12-31")
    return today <= date.fromisoformat(until) and today <= load_hospital().info.valid_to
