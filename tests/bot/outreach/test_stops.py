"""A clinic that is stopped (停诊): who is told what, and whom a person telephones."""

from sqlalchemy import select

from bot.appointments import schedule, service
from bot.appointments.tables import bookings, waitlist
from bot.storage import due
from bot.storage.engine import reading, writing
from bot.tickets import service as tickets
from tests.bot.outreach.house import (
    MINUTE,
    book,
    cancel,
    choices_of,
    clinic,
    join,
    notices_of,
    person,
    swept,
    wrote,
)
from tests.builders import MONDAY, at, together


def stop(session_id: int, now=MONDAY) -> None:
    with writing() as conn:
        schedule.stop_session(conn, session_id, "临时会诊", now)


def resume(session_id: int, now=MONDAY) -> None:
    with writing() as conn:
        schedule.resume_session(conn, session_id, now)


def tasks(chat: str) -> list[str]:
    with reading() as conn:
        return [t.content["event"] for t in tickets.of_conversation(conn, chat) if t.kind == "review"]


def test_everybody_in_a_stopped_session_reads_what_was_stopped_that_nothing_is_owed_and_what_he_may_choose(database):
    made, (first, second) = clinic(places=2)
    (chat, who), (other, mother) = person(), person("我妈")
    booking, hers = book(first, chat, who), book(second, other, mother)
    stop(made)
    swept()
    assert notices_of(chat) == [
        f"停诊通知：很抱歉，您的预约{booking.number}（后天（11月25日周三）08:00 心血管内科 刘桂芳主任医师（专家号））停诊，"
        "原因：临时会诊。线上没有收费，您无需付款或退款，也免记失约。预约先为您保留，请您选择怎么安排："
    ]
    assert choices_of(chat) == [
        (
            "改看其他医生",
            "reschedule_appointment",
            {"booking": booking.id, "department": "cardiology", "any_doctor": True},
        ),
        ("改约其他时间", "reschedule_appointment", {"booking": booking.id}),
        ("退号", "cancel_appointment", {"booking": booking.id}),
    ]
    assert [facts["booking"] for _, _, facts in choices_of(other)] == [hers.id] * 3
    assert {facts["relation"] for _, _, facts in choices_of(other)} == {"我妈"}


def test_the_booking_stays_marked_until_the_patient_chooses(database):
    made, (first,) = clinic()
    chat, who = person()
    book(first, chat, who)
    stop(made)
    swept()
    with reading() as conn:
        (known,) = service.of_patient(conn, who, MONDAY)
        assert (known.stopped, conn.execute(select(bookings.c.state)).scalar_one()) == (True, "booked")


def test_everybody_is_told_once_however_often_the_sweeper_comes(database):
    made, (first,) = clinic()
    chat, who = person()
    book(first, chat, who)
    stop(made)
    together([swept] * 8)
    with writing() as conn:
        due.schedule(conn, "clinic_changed", str(made), MONDAY, {"session": made})
    swept()
    assert len(notices_of(chat)) == 1


def test_what_was_given_back_before_is_told_nothing(database):
    made, (first,) = clinic()
    chat, who = person()
    cancel(book(first, chat, who))
    stop(made)
    swept()
    assert notices_of(chat) == []


def test_a_clinic_that_takes_place_after_all_is_told_too(database):
    made, (first,) = clinic()
    chat, who = person()
    booking = book(first, chat, who)
    stop(made)
    swept()
    resume(made)
    swept()
    assert len(notices_of(chat)) == 2
    assert f"您的预约{booking.number}" in notices_of(chat)[-1]
    assert "恢复正常出诊" in notices_of(chat)[-1]


def test_a_stop_taken_back_before_anybody_was_told_is_never_spoken_of(database):
    made, (first,) = clinic()
    chat, who = person()
    book(first, chat, who)
    stop(made)
    resume(made)
    swept()
    assert notices_of(chat) == []


def test_who_has_not_written_lately_gets_a_call(database):
    made, (first,) = clinic()
    chat, who = person()
    booking = book(first, chat, who)
    wrote(chat, MONDAY - 31 * MINUTE)
    stop(made)
    swept()
    (task,) = tasks(chat)
    assert f"请电话联系患者改约或退号：预约号{booking.number}" in task
    swept(MONDAY + 120 * MINUTE)
    assert len(tasks(chat)) == 1


def test_who_is_there_but_chooses_nothing_for_an_hour_gets_a_call(database):
    made, (first,) = clinic()
    chat, who = person()
    book(first, chat, who)
    wrote(chat, MONDAY)
    stop(made)
    swept()
    swept(MONDAY + 59 * MINUTE)
    assert tasks(chat) == []
    swept(MONDAY + 60 * MINUTE)
    swept(MONDAY + 120 * MINUTE)
    assert len(tasks(chat)) == 1


def test_who_has_chosen_gets_no_call(database):
    made, (first, second) = clinic(places=2)
    (chat, who), (other, else_) = person(), person()
    booking = book(first, chat, who)
    book(second, other, else_)
    for each in (chat, other):
        wrote(each, MONDAY)
    stop(made)
    swept()
    cancel(booking)
    swept(MONDAY + 60 * MINUTE)
    assert (len(tasks(chat)), len(tasks(other))) == (0, 1)


def test_nobody_is_called_about_a_visit_that_is_over(database):
    made, (first,) = clinic()
    chat, who = person()
    book(first, chat, who)
    wrote(chat, at("2026-11-25 07:50"))
    stop(made, at("2026-11-25 07:55"))
    swept(at("2026-11-25 07:55"))
    swept(at("2026-11-25 08:55"))
    assert (len(notices_of(chat)), tasks(chat)) == (1, [])


def test_who_waits_for_a_stopped_session_keeps_his_place_and_is_offered_what_is_free_when_it_resumes(database):
    made, (first,) = clinic()
    booking = book(first, *person())
    chat, who = person()
    join(made, chat, who)
    swept()
    stop(made)
    swept()
    assert "您的候补位置先为您保留" in notices_of(chat)[-1]
    cancel(booking)
    swept()
    assert len(notices_of(chat)) == 1
    resume(made)
    swept()
    assert "候补有号了" in notices_of(chat)[-1]
    with reading() as conn:
        assert conn.execute(select(waitlist.c.state)).scalar_one() == "offered"
