"""停诊 at the desk: who is told, how far each has got, who is to be called."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.appointments.tables import sessions
from bot.conversations import marks, outbox
from bot.conversations.tables import conversations
from bot.conversations.tables import outbox as outgoing
from bot.storage.engine import writing
from tests.bot.desk.test_talks import audited, last_line
from tests.bot.outreach.house import book, cancel, clinic, join, person, swept

DAY = "2026-11-26"
WHERE = {"doctor": "d002", "day": DAY, "period": "am"}


@pytest.fixture
def lead(house):
    return house.staff("9001")


@pytest.fixture
def visit(house) -> tuple[list, list]:
    """A half-day of three places: its bookings and the conversations of who booked."""
    with writing() as conn:
        conn.execute(update(sessions).values(doctor=sessions.c.doctor + "x"))  # of an earlier test
    _, places = clinic(places=3, day=DAY)
    people = [person(now=house.now()) for _ in places]
    with writing() as conn:
        conn.execute(update(conversations).values(newest_at=house.now()))
    return [book(place, *one, house.now()) for place, one in zip(places, people)], [chat for chat, _ in people]


def told(client) -> list[dict]:
    return next(each for each in client.get("clinics/stopped").json()["stops"] if each["doctor"] == "d002")["told"]


def test_a_day_shows_what_is_booked_and_who_stands_in_line(house, lead, visit):
    bookings, _ = visit
    cancel(bookings[0], house.now())
    found = [each for each in lead.get("clinics", day=DAY).json()["clinics"] if each["doctor"] == "d002"]
    assert [(each["doctor_name"], each["department"], each["booked"], each["stopped"]) for each in found] == [
        ("刘桂芳主任医师", "心血管内科", 2, False)
    ]


def test_stopping_tells_everybody_and_is_audited(house, lead, visit):
    _, chats = visit
    made, _ = clinic(day=DAY, slot_class="normal")
    other, him = person(now=house.now())
    join(made, other, him, house.now())
    done = lead.post("clinics/stop", {**WHERE, "reason": "临时会诊。"}).json()["clinic"]
    assert (done["stopped"], done["reason"], done["booked"], done["waiting"]) == (True, "临时会诊", 3, 1)
    assert [each["state"] for each in told(lead)] == ["telling"] * 3
    swept(house.now())
    assert all("原因：临时会诊。" in last_line(chat).text for chat in chats)
    assert "候补" in last_line(other).text
    assert audited("clinic_stopped", doctor="d002", day=DAY, reason="临时会诊")


def test_the_list_says_who_has_seen_it_who_chose_and_who_is_to_be_called(house, lead, visit):
    bookings, chats = visit
    with writing() as conn:
        outbox.meet(conn, chats[2], "openid-1")
    lead.post("clinics/stop", {**WHERE, "reason": "临时会诊"})
    swept(house.now())
    with writing() as conn:
        marks.move(conn, chats[0], patient_got=99, patient_read=99)
        conn.execute(update(outgoing).where(outgoing.c.conversation_id == chats[2]).values(state="held"))
    found = told(lead)
    assert [(each["number"], each["state"], each["seen"]) for each in found] == [
        (bookings[0].number, "waiting", "read"),
        (bookings[1].number, "waiting", "sent"),
        (bookings[2].number, "waiting", "unreached"),
    ]
    assert all(each["until"] for each in found)
    cancel(bookings[0], house.now())
    swept(house.now() + timedelta(minutes=61))
    found = told(lead)
    assert [each["state"] for each in found] == ["chosen", "call", "call"]
    assert (found[0]["ticket"], bool(found[1]["ticket"])) == (None, True)
    ticket = lead.get(f"tickets/{found[1]['ticket_id']}").json()["ticket"]
    assert bookings[1].number in str(ticket)


def test_no_patient_is_named_in_the_list(house, lead, visit):
    lead.post("clinics/stop", {**WHERE, "reason": "临时会诊"})
    swept(house.now())
    assert "测试" not in lead.get("clinics/stopped").text


def test_resuming_tells_who_still_holds_a_booking(house, lead, visit):
    bookings, chats = visit
    lead.post("clinics/stop", {**WHERE, "reason": "临时会诊"})
    swept(house.now())
    cancel(bookings[0], house.now())
    assert lead.post("clinics/resume", WHERE).json()["clinic"]["stopped"] is False
    swept(house.now())
    assert "恢复正常出诊" not in last_line(chats[0]).text
    assert all("恢复正常出诊" in last_line(chat).text for chat in chats[1:])
    assert audited("clinic_resumed", doctor="d002", day=DAY)


def test_the_reason_keeps_the_language_rules_or_is_confirmed(house, lead, visit):
    warned = lead.post("clinics/stop", {**WHERE, "reason": "医院规定的"}).json()
    assert warned["warnings"] and not warned.get("clinic")
    assert lead.post("clinics/stop", {**WHERE, "reason": "医院规定的", "despite": True}).json()["clinic"]["stopped"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"reason": " "}, 400, "reason"),
        ({"doctor": "nobody"}, 404, "unknown_clinic"),
        ({"day": "someday"}, 404, "unknown_clinic"),
        ({"day": "2026-11-20"}, 409, "over"),
    ],
)
def test_what_makes_no_sense_is_refused(lead, visit, change, status, code):
    answer = lead.post("clinics/stop", {**WHERE, "reason": "会诊", **change})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_second_press_changes_nothing(lead, visit):
    assert lead.post("clinics/stop", {**WHERE, "reason": "会诊"}).status_code == 200
    again = lead.post("clinics/stop", {**WHERE, "reason": "会诊"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already")
