"""The waitlist in a talk (候补): registering, the answer to an offer, leaving the line; a stopped clinic given back."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from actions import appointments, own_appointments, schedule, waitlist  # noqa: F401  (importing registers the flows)
from bot.appointments import service, waiting
from bot.appointments import tables as clinic
from bot.patients.tables import links
from bot.storage.engine import reading, writing
from tests.actions.talker import MORNING, Writer, house  # noqa: F401  (a fixture)
from tests.bot.fees.talking import moment
from tests.builders import lines_of, patient, session

pytestmark = pytest.mark.usefixtures("house")
NOW = moment(MORNING)
DAY = "2026-12-07"


def verified(writer: Writer, name: str = "王建国", relation: str = "", hours: int = 24) -> int:
    who = patient(name)
    with writing() as conn:
        conn.execute(
            insert(links).values(
                conversation_id=writer.id,
                patient_id=who,
                relation=relation,
                verified_at=NOW,
                expires_at=NOW + timedelta(hours=hours),
            )
        )
    return who


def full_clinic(**changes) -> int:
    """Make a session of a real doctor that other channels have filled."""
    made, _ = session(day=DAY, places=1, **{"doctor": "d001", "slot_class": "expert", "fee_item": "REG003"} | changes)
    with writing() as conn:
        conn.execute(update(clinic.openings).where(clinic.openings.c.session_id == made).values(state="taken"))
    return made


def tap(writer: Writer, title: str, intent: str, **facts):
    found = [{"entity": name, "text": title, "value": value} for name, value in facts.items()]
    return writer._turn(title, intent, found, heard=intent, button=True)


def wants(writer: Writer):
    return tap(writer, "挂号", "book_appointment", department="cardiology", doctor="d001", date=DAY)


def registered(writer: Writer, made: int):
    """Put the writer's patient into the line."""
    wants(writer)
    writer.press("加入候补")
    return writer.press("确认")


def offered(writer: Writer, made: int) -> int:
    """Let an opening become free and be offered; gives the entry."""
    with writing() as conn:
        service.let_go(conn, clinic.openings.c.session_id == made, NOW)
        (offer,) = waiting.match(conn, made, NOW)
    return offer.id


def answer(writer: Writer, entry: int, accept: bool):
    return tap(writer, "接受" if accept else "放弃", "book_appointment", offer=entry, accept=accept)


def states(table) -> list[str]:
    with reading() as conn:
        return list(conn.execute(select(table.c.state).order_by(table.c.id)).scalars())


def test_a_full_session_is_offered_as_a_waitlist_and_the_receipt_tells_the_place():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    assert wants(writer).names == ["utter_ask_waitlist"]
    assert writer.press("加入候补").names == ["utter_confirm_waitlist"]
    replies = writer.press("确认")
    assert "您排在第1位" in replies.text
    assert "排位：第1位" in lines_of(writer.id)[-1].text
    with reading() as conn:
        assert conn.execute(select(clinic.waitlist.c.session_id)).scalar_one() == made


def test_so_near_to_the_visit_the_waitlist_is_closed():
    full_clinic(period="am")
    writer = Writer(now=f"{DAY}T07:00:00+08:00")
    verified(writer)
    assert "utter_waitlist_closed" in wants(writer).names


def test_an_accepted_offer_is_booked_with_a_receipt():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    entry = offered(writer, made)
    assert answer(writer, entry, True).names == ["utter_offer_accepted"]
    assert lines_of(writer.id)[-1].text.startswith("预约成功\n预约号：YY20261207-")
    assert (states(clinic.bookings), states(clinic.waitlist)) == (["booked"], ["booked"])


def test_a_turn_lived_twice_books_once_and_says_the_same():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    answer(writer, offered(writer, made), True)
    assert writer.again().names == ["utter_offer_accepted"]
    assert states(clinic.bookings) == ["booked"]
    assert sum(line.text.startswith("预约成功") for line in lines_of(writer.id)) == 1


def test_a_declined_offer_frees_the_opening():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    assert answer(writer, offered(writer, made), False).names == ["utter_offer_declined"]
    assert (states(clinic.openings), states(clinic.waitlist)) == (["free"], ["declined"])


def test_an_offer_that_is_over_is_said_kindly():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    entry = offered(writer, made)
    writer.now = "2026-12-01T09:30:00+08:00"
    assert answer(writer, entry, True).names == ["utter_offer_over"]
    assert states(clinic.bookings) == []


def test_nobody_takes_up_the_offer_of_another_conversation():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    entry = offered(writer, made)
    with writing() as conn:
        conn.execute(update(clinic.waitlist).values(conversation_id="f" * 32))
    assert answer(writer, entry, True).names == ["utter_offer_over"]
    assert states(clinic.bookings) == []


def test_whose_proof_has_expired_is_asked_again_before_the_booking():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    with writing() as conn:
        conn.execute(update(links).values(expires_at=NOW))
    assert answer(writer, offered(writer, made), True).names == ["utter_ask_consent"]
    assert states(clinic.bookings) == []


def test_a_booking_under_way_goes_on_after_the_answer():
    made = full_clinic()
    session(day="2026-12-08", doctor="d001", slot_class="expert", fee_item="REG003")
    session(day="2026-12-08", doctor="d002", slot_class="expert", fee_item="REG003")
    writer = Writer()
    verified(writer)
    registered(writer, made)
    entry = offered(writer, made)
    tap(writer, "挂号", "book_appointment", department="cardiology", date="2026-12-08")
    assert writer.waits_for == "session"
    replies = answer(writer, entry, True)
    assert replies.names == ["utter_offer_accepted", "utter_back_to_task", "utter_ask_session"]
    assert writer.waits_for == "session"


@pytest.mark.parametrize(("words", "label", "said"), [("接受", "affirm", "accepted"), ("放弃吧", "deny", "declined")])
def test_an_offer_may_be_answered_in_words(words, label, said):
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    offered(writer, made)
    assert writer.tell(words, label).names == [f"utter_offer_{said}"]


def test_a_mere_yes_is_asked_back_before_it_books():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    offered(writer, made)
    assert writer.tell("好的", "affirm").names == ["utter_confirm_offer"]
    assert states(clinic.bookings) == []
    assert writer.press("接受").names == ["utter_offer_accepted"]


def test_the_line_is_left_after_a_read_back():
    made = full_clinic()
    writer = Writer()
    verified(writer)
    registered(writer, made)
    assert "排在第1位" in writer.tell("我的预约", "query_my_appointments").text
    assert writer.tell("取消候补", "cancel_appointment").names == ["utter_confirm_leave_waitlist"]
    assert writer.press("取消候补").names == ["utter_waitlist_left"]
    assert states(clinic.waitlist) == ["cancelled"]
    assert lines_of(writer.id)[-1].text.startswith("候补已取消\n12月7日周一上午")
    assert writer.tell("取消候补", "cancel_appointment").names == ["utter_not_waiting"]


def test_of_bookings_and_places_in_line_the_patient_chooses_what_to_give_up():
    made = full_clinic()
    _, (opening, *_) = session(day="2026-12-08", doctor="d002", slot_class="expert", fee_item="REG003")
    writer = Writer()
    who = verified(writer)
    registered(writer, made)
    with writing() as conn:
        service.book(conn, opening, who, writer.id, "key", NOW)
    replies = writer.tell("取消预约", "cancel_appointment")
    assert [title[:6] for title in replies.titles] == ["12月8日周", "候补：12月"]
    writer.press(replies.titles[1])
    writer.press("取消候补")
    assert (states(clinic.waitlist), states(clinic.bookings)) == (["cancelled"], ["booked"])


def test_a_stopped_booking_is_given_back_at_any_time_and_without_blame():
    _, (opening, *_) = session(day="2026-12-01", doctor="d001", slot_class="expert", fee_item="REG003", period="pm")
    writer = Writer()
    who = verified(writer)
    with writing() as conn:
        service.book(conn, opening, who, writer.id, "key", NOW)
        conn.execute(update(clinic.sessions).values(stopped=True, stop_reason="会诊"))
    assert "已停诊" in writer.tell("我的预约", "query_my_appointments").text
    writer.tell("退号", "cancel_appointment")
    assert writer.press("确认退号").names == ["utter_cancelled_stopped"]


def test_what_begins_within_half_an_hour_is_sent_to_the_window():
    session(day="2026-12-01", doctor="d001", slot_class="expert", fee_item="REG003", places=2)
    writer = Writer(now="2026-12-01T07:45:00+08:00")
    replies = tap(writer, "挂号", "book_appointment", department="cardiology", doctor="d001", date="2026-12-01")
    assert "utter_too_near" in replies.names


def test_the_first_of_the_clinics_just_shown_is_booked_by_its_number():
    session(day="2026-12-08", doctor="d001", slot_class="expert", fee_item="REG003", places=2)
    chosen, _ = session(day="2026-12-08", doctor="d002", slot_class="expert", fee_item="REG003", places=2)
    writer = Writer()
    tap(writer, "查号", "query_schedule", department="cardiology", date="2026-12-08")
    writer._turn(
        "就第二个吧，帮我挂上",
        "book_appointment",
        [{"entity": "ordinal", "text": "第二个", "value": 2}],
        heard="book_appointment",
    )
    assert writer.slots["task"]["facts"]["session"] == chosen


def test_a_correction_of_the_read_back_is_read_back_anew():
    session(day="2026-12-08", doctor="d001", slot_class="expert", fee_item="REG003")
    session(day="2026-12-08", doctor="d001", slot_class="expert", fee_item="REG003", period="pm")
    session(day="2026-12-08", doctor="d002", slot_class="expert", fee_item="REG003", period="pm")
    writer = Writer()
    verified(writer)
    tap(writer, "挂号", "book_appointment", department="cardiology", date="2026-12-08", period="am")
    writer.press("08:00")
    assert writer.waits_for == "confirmed"
    writer.tell("不对，改成下午的", "inform", ("period", "pm"))
    assert writer.waits_for == "opening"
    assert writer.press(writer.last.titles[0]).names == ["utter_confirm_booking"]
