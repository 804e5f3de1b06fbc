"""Standing questions: the answer of nlu_data/faq, while somebody answers for it (R11, R62)."""

from datetime import date

from actions.talk import Talk, flow
from bot.clock import local
from bot.hospital.load import load_hospital


@flow("faq", "常见问题", question=True)
def faq(talk: Talk) -> None:
    """Say the answer of the key; one whose review has run out is not given out, the desk's number is."""
    label = talk.message.label
    key = label.partition("/")[2]
    today = local(talk.now).date()
    if not key or not is_current(talk.response_metadata(f"utter_{label}"), today):
        talk.say("utter_fact_expired")
        return
    talk.memory["last_faq"] = label
    if key == "department_location" and isinstance(talk.fact("department"), str):
        department = load_hospital().departments[talk.fact("department")]
        talk.say("utter_department_place", department=department.name, place=department.place, phone=department.phone)
        return
    talk.say(f"utter_{label}")


def is_current(metadata: dict | None, today: date) -> bool:
    """Tell whether an answer may be given out: its own date and the hospital's have not passed (R62)."""
    until = str((metadata or {}).get("valid_to") or "9999-12-31")
    return today <= date.fromisoformat(until) and today <= load_hospital().info.valid_to
