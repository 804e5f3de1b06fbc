"""Where to go with a symptom; never what it is (R54, R83-R86, B5, B8)."""

import json

from actions.phrasing import department_text
from actions.talk import Talk, flow
from actions.wishes import troubles_of
from bot.conversations.danger import raise_alert
from bot.hospital.guide import suggest
from bot.hospital.load import load_hospital
from bot.storage.engine import writing

HUMAN = {"title": "转人工", "payload": "/request_human"}


def emergency(talk: Talk) -> None:
    """What the danger signs did not name but the message says: the same fixed advice, and people are alerted."""
    if talk.staying:
        talk.say("utter_self_harm_stay" if talk.staying == "self_harm" else "utter_danger_stay", [HUMAN])
        return
    with writing() as conn:
        raise_alert(conn, talk.id, "emergency", True, talk.now)
    if talk.task:
        talk.suspended.append(talk.task)
        talk.task = None
    talk.say("utter_emergency")


@flow("find_department", "导诊", question=True, free_text=("symptom_said",))
def find_department(talk: Talk) -> None:
    """At most three departments with reasons."""
    symptoms = troubles_of(talk)
    if not symptoms and not talk.fact("symptom_said"):
        guess = suggest([], talk.message.text)
        if [s.department for s in guess] != ["general_practice"]:
            talk.facts["symptom_said"] = talk.message.text
        else:
            talk.need("symptom_said", "utter_ask_symptom")
    said = talk.fact("symptom_said") or talk.message.text
    if _belongs_to_booking(talk, symptoms or [said]):
        return
    found = suggest(symptoms, said)
    hospital = load_hospital()
    rows = "\n".join(
        f"{i}. {department_text(s.department)}（{hospital.departments[s.department].place}）：{s.reason}"
        for i, s in enumerate(found, 1)
    )
    buttons = [
        {
            "title": f"挂{department_text(s.department)}",
            "payload": "/book_appointment" + json.dumps({"department": s.department}),
        }
        for s in found
        if hospital.departments[s.department].online
    ]
    talk.remember_choices(buttons)
    if buttons:
        talk.memory["last_query"] = {"label": "query_schedule", "facts": {"department": found[0].department}}
    talk.say("utter_departments", buttons, rows=rows)


def _belongs_to_booking(talk: Talk, symptoms: list[str]) -> bool:
    """膝盖疼, told while a booking waits for its department: the booking offers the departments itself."""
    waiting = talk.suspended[-1] if talk.suspended else {}
    if waiting.get("name") != "book_appointment" or waiting.get("asked") != "department":
        return False
    waiting["facts"]["symptom"] = symptoms
    return True


def ask_medical_advice(talk: Talk) -> None:
    """Never a clinical answer: to a doctor, with the way there."""
    talk.say(
        "utter_ask_medical_advice",
        [
            {"title": "预约挂号", "payload": "/book_appointment"},
            {"title": "该看哪个科", "payload": "/find_department"},
            HUMAN,
        ],
    )
    if talk.task:
        talk.again()
