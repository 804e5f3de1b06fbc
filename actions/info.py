"""What a doctor is good at (R11)."""

import json

from actions.phrasing import department_text, doctor_text
from actions.talk import Talk, flow
from actions.wishes import doctor_of
from bot.hospital.guide import suggest
from bot.hospital.load import load_hospital


def _treating(talk: Talk) -> str | None:
    """Give the department for a symptom that is named instead (有没有看不孕不育的专家), None when none fits."""
    found = suggest(list(talk.fact("symptom") or []), talk.message.text)
    return found[0].department if found and found[0].department != "general_practice" else None


@flow("query_doctor", "医生介绍", question=True)
def query_doctor(talk: Talk) -> None:
    """Title, department, speciality and a few words; a department without a name lists its doctors."""
    hospital = load_hospital()
    code = doctor_of(talk)
    department = talk.fact("department") or _treating(talk)  # of 那个医生怎么样, the one just spoken of
    if code is None and isinstance(department, str):
        rows = "\n".join(f"{doctor_text(d.code)}：{d.speciality}" for d in hospital.doctors_of(department)[:6])
        talk.say("utter_department_doctors", department=department_text(department), rows=rows)
        return
    if code is None:
        talk.need("doctor", "utter_ask_doctor")
        code = doctor_of(talk)
        if code is None:
            return
    doctor = hospital.doctors[code]
    facts = {"doctor": code, "department": doctor.department}
    talk.memory["last_query"] = {"label": "query_schedule", "facts": facts}
    talk.say(
        "utter_doctor",
        [
            {"title": "查看出诊", "payload": "/query_schedule" + json.dumps(facts)},
            {"title": "预约挂号", "payload": "/book_appointment" + json.dumps(facts)},
        ],
        doctor=doctor_text(code),
        department=department_text(doctor.department),
        speciality=doctor.speciality,
        intro=doctor.intro,
    )
