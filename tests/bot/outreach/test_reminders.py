"""The evening before a visit: reminded once, where he booked, without a word on a lock screen about what it is for."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.appointments import schedule
from bot.appointments.tables import openings
from bot.conversations import outbox
from bot.language.lint import lint
from bot.patients import access
from bot.storage import due
from bot.storage.engine import reading, writing
from bot.tickets import service as tickets
from tests.bot.outreach.house import book, cancel, choices_of, clinic, notices_of, person, swept
from tests.builders import MONDAY, at, lines_of

EVENING = at("2026-11-24 17:00")  # the clinic of the cast is on the 25th


@pytest.fixture
def visit(database):
    _, (place,) = clinic()
    chat, who = person()
    return chat, who, book(place, chat, who)


def test_the_evening_before_he_is_told_when_and_where_and_may_still_change_it(visit):
    chat, _, booking = visit
    swept(EVENING - timedelta(minutes=1))
    assert notices_of(chat) == []
    swept(EVENING)
    (said,) = notices_of(chat)
    assert said.startswith(f"就诊提醒：您的预约{booking.number}，明天（11月25日周三）08:00")
    assert "身份证或医保码" in said and not lint(said)
    assert [(title, facts["booking"]) for title, _, facts in choices_of(chat)] == [
        ("改约其他时间", booking.id),
        ("退号", booking.id),
    ]


def test_he_is_reminded_once(visit):
    chat, *_ = visit
    for hours in range(4):
        swept(EVENING + timedelta(hours=hours))
    assert len(notices_of(chat)) == 1


def test_what_was_given_back_is_not_recalled(visit):
    chat, _, booking = visit
    cancel(booking)
    with reading() as conn:
        assert due.when(conn, "visit_reminder", str(booking.id)) is None
    swept(EVENING)
    assert notices_of(chat) == []


def test_of_a_stopped_clinic_only_the_stop_is_told(visit):
    chat, *_ = visit
    with writing() as conn:
        session = conn.execute(select(openings.c.session_id)).scalars().first()
        schedule.stop_session(conn, session, "临时会诊", EVENING)
    swept(EVENING)
    assert [said[:4] for said in notices_of(chat)] == ["停诊通知"]


def test_a_visit_booked_the_same_evening_needs_no_reminder(database):
    _, (place,) = clinic()
    chat, who = person(now=EVENING)
    booking = book(place, chat, who, EVENING + timedelta(hours=1))
    with reading() as conn:
        assert due.when(conn, "visit_reminder", str(booking.id)) is None


@pytest.mark.parametrize("way", ["patient", "conversation"])
def test_nobody_is_reminded_after_a_death(visit, way):
    chat, who, _ = visit
    with writing() as conn:
        if way == "patient":
            access.record(conn, "conversation:other", "deceased_reported", MONDAY, who)
        else:
            tickets.file(conn, chat, "death", {"event": "家属告知患者已离世"}, MONDAY, "web")
    swept(EVENING)
    assert not any(said.startswith("就诊提醒") for said in notices_of(chat))


def test_what_leaves_by_a_template_names_no_department_doctor_or_person(visit):
    chat, *_ = visit
    with writing() as conn:
        outbox.meet(conn, chat, "openid-1")
    swept(EVENING)
    line = lines_of(chat)[-1]
    notice = line.meta["notice"]
    assert notice["kind"] == "appointment_reminder"
    assert notice["facts"]["time"] == "2026-11-25 08:00"
    for private in ("心血管", "刘桂芳", "测试", "科"):
        assert private not in "".join(notice["facts"].values())


def test_progress_of_a_ticket_leaves_as_its_number_and_state_only(database):
    from bot.tickets import telling
    from bot.tickets.tables import tickets as table

    chat, who = person()
    with writing() as conn:
        made = tickets.file(conn, chat, "suggestion", {"event": "护士说我妈的病历丢了"}, MONDAY, "web", patient_id=who)
        conn.execute(update(table).where(table.c.id == made.id).values(state="investigating"))
        row = conn.execute(select(table).where(table.c.id == made.id)).one()
        telling.tell(conn, row, "investigate", "staff:1001", MONDAY)
    notice = lines_of(chat)[-1].meta["notice"]
    assert (notice["kind"], notice["facts"]["number"]) == ("ticket_progress", made.number)
    assert "病历" not in "".join(notice["facts"].values())
