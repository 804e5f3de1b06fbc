"""Offers to the waitlist as patients read them (R58, R75)."""

from bot.storage import due
from bot.storage.engine import writing
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
)
from tests.builders import MONDAY, at, together


def waiting_line(count: int = 2, relation: str = ""):
    """Make a full session with people in line, and let the one who had booked give back; gives session and chats."""
    made, (only,) = clinic()
    booking = book(only, *person())
    line = [person(relation) for _ in range(count)]
    for each in line:
        join(made, *each)
    swept()
    cancel(booking)
    return made, [chat for chat, _ in line]


def test_the_first_in_line_reads_what_is_offered_until_when_and_has_two_choices(database):
    _, (first, second) = waiting_line()
    swept()
    (offer,) = notices_of(first)
    assert offer == (
        "候补有号了：后天（11月25日周三）08:00 心血管内科 刘桂芳主任医师（专家号），50元，到院取号时缴费。"
        "这个号为您保留到10:30，请您在这之前选择。"
    )
    assert [(title, name, facts["accept"]) for title, name, facts in choices_of(first)] == [
        ("接受", "book_appointment", True),
        ("放弃", "book_appointment", False),
    ]
    assert notices_of(second) == []


def test_sweepers_at_the_same_moment_offer_once(database):
    _, chats = waiting_line()
    together([swept] * 8)
    assert [len(notices_of(chat)) for chat in chats] == [1, 0]


def test_without_an_answer_the_offer_goes_on_and_both_are_told(database):
    made, (first, second) = waiting_line()
    swept()
    swept(MONDAY + 29 * MINUTE)
    assert (len(notices_of(first)), len(notices_of(second))) == (1, 0)
    swept(MONDAY + 30 * MINUTE)
    assert "已经转给下一位" in notices_of(first)[-1]
    assert [(title, facts.get("session")) for title, _, facts in choices_of(first)] == [
        ("重新候补", made),
        ("看看其他时间", None),
    ]
    assert "保留到11:00" in notices_of(second)[-1]


def test_the_choices_for_a_relative_are_the_relatives(database):
    _, (first,) = waiting_line(1, "我妈")
    swept()
    swept(MONDAY + 30 * MINUTE)
    assert {facts["relation"] for _, _, facts in choices_of(first)} == {"我妈"}


def test_a_sweeper_that_comes_late_gives_the_offer_its_full_time(database):
    _, (first,) = waiting_line(1)
    swept(MONDAY + 120 * MINUTE)
    assert "保留到12:30" in notices_of(first)[-1]


def test_who_waited_in_vain_is_told_when_offers_end(database):
    made, (only,) = clinic()
    book(only, *person())
    chat, who = person()
    join(made, chat, who)
    swept(at("2026-11-25 05:59"))
    assert notices_of(chat) == []
    swept(at("2026-11-25 06:00"))
    assert "候补到此结束" in notices_of(chat)[-1]
    with writing() as conn:
        due.schedule(conn, "waitlist_close", str(made), MONDAY, {"session": made})
    swept(at("2026-11-25 06:01"))
    assert len(notices_of(chat)) == 1
