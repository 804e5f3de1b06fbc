"""A ticket from the first complaining sentence to its deadline (R3, R49, R64, R66, R67)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from bot.dialogue.sweeper import sweep
from bot.storage.engine import reading, writing
from bot.tickets import service
from bot.tickets.tables import events, tickets
from tests.builders import MONDAY, at, conversation, patient, together

STORY = {"event": "等了三个小时还没叫到我", "contact": {"phone": "13800000002"}}


def draft(chat: str, type_: str = "waiting", content: dict = STORY, now=MONDAY, kind: str = "complaint"):
    with writing() as conn:
        return service.draft(conn, chat, kind, type_, content, now, "web")


def confirm(ticket, now=MONDAY, **more):
    with writing() as conn:
        return service.confirm(conn, ticket.id, now, **more)


def history(ticket) -> list[str]:
    with reading() as conn:
        return list(
            conn.execute(select(events.c.what).where(events.c.ticket_id == ticket.id).order_by(events.c.id)).scalars()
        )


def row(ticket):
    with reading() as conn:
        return conn.execute(select(tickets).where(tickets.c.id == ticket.id)).one()


def test_a_complaint_is_kept_from_its_first_sentence_and_its_draft_is_renewed(database):
    chat = conversation()
    first = draft(chat, content={"event": "等了三个小时"})
    again = draft(chat, content={"event": "等了三个小时，没人解释"}, now=MONDAY + timedelta(minutes=3))
    assert (again.id, again.state, again.number) == (first.id, "draft", None)
    assert again.content["event"] == "等了三个小时，没人解释"
    assert again.received_at == MONDAY


def test_what_a_patient_tells_is_encrypted_in_the_database(database):
    draft(conversation())
    with reading() as conn:
        raw = bytes(conn.execute(text("SELECT content FROM tickets")).scalar_one())
    assert "三个小时".encode() not in raw
    assert b"13800000002" not in raw


def test_a_confirmed_ticket_has_a_number_and_five_working_days_from_receipt(database):
    ticket = confirm(draft(conversation()), MONDAY + timedelta(days=1))
    assert ticket.number.startswith("TS20261124-")
    assert ticket.state == "confirmed"
    assert ticket.due_at == at("2026-11-30 17:30")


def test_several_departments_have_ten_working_days(database):
    assert confirm(draft(conversation()), working_days=10).due_at == at("2026-12-07 17:30")


def test_a_ticket_is_confirmed_once_however_often_and_at_the_same_moment(database):
    ticket = draft(conversation())
    confirmed = together([lambda: confirm(ticket)] * 8)
    assert {each.number for each in confirmed} == {confirmed[0].number}
    assert history(ticket).count("confirmed") == 1


def test_a_renewed_draft_after_confirmation_is_a_ticket_of_its_own(database):
    chat = conversation()
    first = confirm(draft(chat))
    assert draft(chat).id != first.id


def test_a_turn_that_lives_twice_files_one_ticket(database):
    chat = conversation()

    def file():
        with writing() as conn:
            return service.file(
                conn, chat, "suggestion", {"event": "多放几把椅子"}, MONDAY, "web", key="turn:suggestion"
            )

    numbers = {ticket.number for ticket in together([file] * 8)}
    assert len(numbers) == 1
    with reading() as conn:
        assert len(conn.execute(select(tickets)).all()) == 1
        assert service.filed(conn, "turn:suggestion").number in numbers
        assert service.filed(conn, "turn:praise") is None


def test_medical_quality_goes_to_quality_control_at_once_and_a_meeting_is_asked_for(database):
    ticket = confirm(draft(conversation(), "quality"))
    assert (ticket.route, ticket.urgency) == ("quality", "high")
    assert history(ticket) == ["drafted", "confirmed", "routed_quality", "meeting_requested"]


@pytest.mark.parametrize(
    ("type_", "route"),
    [("waiting", "service"), ("attitude", "service"), ("ethics", "discipline"), ("privacy", "privacy")],
)
def test_each_type_has_the_office_that_answers_it(database, type_, route):
    assert draft(conversation(), type_).route == route


def test_a_complaint_that_turns_out_to_be_about_quality_changes_its_route(database):
    chat = conversation()
    draft(chat, "waiting")
    assert (draft(chat, "quality").route, draft(chat, "quality").urgency) == ("quality", "high")


def test_an_anonymous_complaint_keeps_neither_contact_nor_patient(database):
    ticket = draft(conversation(), content={**STORY, "anonymous": True})
    ticket = confirm(ticket, patient_id=patient())
    assert "contact" not in ticket.content
    assert ticket.patient_id is None
    assert row(ticket).anonymous


def test_a_draft_the_patient_does_not_send_is_kept_as_withdrawn(database):
    chat = conversation()
    ticket = draft(chat)
    with writing() as conn:
        service.withdraw(conn, chat, "complaint", MONDAY)
        assert service.get(conn, ticket.id).state == "withdrawn"
        assert service.of_conversation(conn, chat) == []
    assert history(ticket) == ["drafted", "withdrawn"]


def test_past_its_deadline_a_ticket_is_overdue_and_urgent(database):
    ticket = confirm(draft(conversation()))
    sweep(ticket.due_at - timedelta(seconds=1))
    assert not row(ticket).overdue
    sweep(ticket.due_at)
    assert (row(ticket).overdue, row(ticket).urgency) == (True, "high")
    assert history(ticket)[-2:] == ["overdue", "told"]


def test_an_answered_ticket_does_not_become_overdue(database):
    ticket = confirm(draft(conversation()))
    with writing() as conn:
        conn.execute(tickets.update().values(state="answered"))
    sweep(ticket.due_at)
    assert not row(ticket).overdue


def test_a_number_is_found_in_any_case(database):
    ticket = confirm(draft(conversation()))
    with reading() as conn:
        assert service.by_number(conn, ticket.number.lower()).id == ticket.id
        assert service.by_number(conn, "TS20200101-9999") is None


def test_erasing_a_patient_leaves_the_case_and_takes_the_person(database):
    chat, mother, writer = conversation(), patient("母亲"), patient("本人")
    own, hers = confirm(draft(chat), patient_id=writer), confirm(draft(chat), patient_id=mother)
    unnamed = confirm(draft(chat))
    with writing() as conn:
        service.forget_identity(conn, writer, chat)
        left = {each.id: service.get(conn, each.id) for each in (own, hers, unnamed)}
    for each in (own, unnamed):
        assert (left[each.id].patient_id, left[each.id].content) == (None, {"event": STORY["event"]})
        assert row(each).anonymous
    assert (left[hers.id].patient_id, left[hers.id].content) == (mother, STORY)
