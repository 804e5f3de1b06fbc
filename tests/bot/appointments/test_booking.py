"""Booking: one opening, one patient, once (R75-R80)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.appointments import service
from bot.appointments.model import Duplicate, LimitReached, Taken, TooLate
from bot.appointments.tables import bookings, openings, sessions
from bot.dialogue.sweeper import sweep
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, at, patient, session, together

CHAT, OTHER = "a" * 32, "b" * 32
MINUTE = timedelta(minutes=1)
_keys = iter(range(10**6))


def book(opening: int, who: int, chat: str = CHAT, key: str = "", now=MONDAY, replacing: int | None = None):
    with writing() as conn:
        return service.book(conn, opening, who, chat, key or f"key-{next(_keys)}", now, replacing)


def hold(opening: int, chat: str = CHAT, now=MONDAY) -> bool:
    with writing() as conn:
        return service.hold(conn, opening, chat, now)


def cancel(booking, now=MONDAY) -> bool:
    with writing() as conn:
        return service.cancel(conn, booking.id, now)


def state(opening: int) -> tuple:
    with reading() as conn:
        return tuple(conn.execute(select(openings.c.state, openings.c.held_by).where(openings.c.id == opening)).one())


def free(session_id: int, now=MONDAY) -> list[int]:
    with reading() as conn:
        return [row.id for row in service.free_openings(conn, session_id, now)]


def stop(session_id: int) -> None:
    with writing() as conn:
        conn.execute(update(sessions).where(sessions.c.id == session_id).values(stopped=True, stop_reason="外出"))


# ---- booking


def test_a_booked_opening_is_gone_and_its_receipt_says_all(database):
    made, (first, second) = session(places=2)
    booking, new = book(first, patient())
    assert new
    assert (booking.number, booking.state, booking.starts_at) == (
        f"YY20261125-{first:04d}",
        "booked",
        at("2026-11-25 08:00"),
    )
    assert free(made) == [second]


def test_the_same_key_finds_its_own_booking(database):
    _, (first, _, _) = session()
    who = patient()
    booking, _ = book(first, who, key="turn:book")
    assert book(first, who, key="turn:book") == (booking, False)


def test_two_lives_of_a_turn_at_the_same_moment_make_one_booking_and_both_get_it(database):
    _, (first, *_) = session()
    who = patient()
    results = together([lambda: book(first, who, key="turn:book")] * 8)
    assert len({booking.id for booking, _ in results}) == 1
    assert [new for _, new in results].count(True) == 1


def test_of_twenty_patients_one_gets_the_last_opening_and_the_others_are_told(database):
    _, (only,) = session(places=1)
    results = together([lambda who=who: book(only, who) for who in patient(count=20)])
    assert sum(isinstance(result, Taken) for result in results) == 19


@pytest.mark.parametrize("gone", ["past", "stopped", "taken", "unknown"])
def test_an_opening_that_cannot_be_had_is_refused(database, gone):
    made, (first, *_) = session()
    now = MONDAY
    if gone == "past":
        now = at("2026-11-25 08:00")
    elif gone == "stopped":
        stop(made)
    elif gone == "taken":
        with writing() as conn:
            conn.execute(update(openings).values(state="taken"))
    else:
        first = 10**6
    assert not hold(first, now=now)
    with pytest.raises(Taken):
        book(first, patient(), now=now)


# ---- limits


def test_a_second_booking_in_the_department_on_that_day_is_refused_and_the_first_is_shown(database):
    who = patient()
    first, _ = book(session()[1][0], who)
    with pytest.raises(Duplicate) as caught:
        book(session(period="pm")[1][0], who)
    assert caught.value.booking == first


def test_another_department_or_another_day_is_no_duplicate(database):
    who = patient()
    book(session()[1][0], who)
    book(session(period="pm", department="orthopaedics")[1][0], who)
    book(session(day="2026-11-26")[1][0], who)


def test_a_third_booking_on_one_day_is_refused(database):
    who = patient()
    for department in ("cardiology", "orthopaedics"):
        book(session(department=department)[1][0], who)
    with pytest.raises(LimitReached) as caught:
        book(session(department="dermatology")[1][0], who)
    assert (caught.value.days, caught.value.limit) == (1, 2)


def test_visits_of_the_last_weeks_count_for_seven_days_and_three_months(database):
    who = patient()
    long_ago = at("2026-09-01 10:00")
    for day in ("2026-09-10", "2026-09-20", "2026-10-12", "2026-10-22", "2026-11-03"):
        book(session(day=day)[1][0], who, now=max(long_ago, at(f"{day} 07:00") - timedelta(days=1)))
    with pytest.raises(LimitReached) as caught:
        book(session(day="2026-11-25")[1][0], who)
    assert (caught.value.days, caught.value.limit) == (90, 5)


def test_what_was_given_back_counts_for_nothing(database):
    who = patient()
    booking, _ = book(session()[1][0], who)
    cancel(booking)
    book(session(period="pm")[1][0], who)


def test_a_booking_whose_session_is_stopped_does_not_keep_the_patient_from_another_doctor(database):
    who = patient()
    made, places = session()
    booking, _ = book(places[0], who)
    stop(made)
    book(session(period="pm")[1][0], who)
    with reading() as conn:
        shown = service.of_patient(conn, who, MONDAY)
    assert [(each.id == booking.id, each.stopped) for each in shown] == [(True, True), (False, False)]


# ---- holds


def test_an_opening_is_kept_ten_minutes_for_the_one_who_reads_the_read_back(database):
    made, (only,) = session(places=1)
    assert hold(only)
    assert not hold(only, OTHER, MONDAY + 9 * MINUTE)
    assert free(made, MONDAY + 9 * MINUTE) == []
    with pytest.raises(Taken):
        book(only, patient(), OTHER, now=MONDAY + 9 * MINUTE)
    assert book(only, patient(), CHAT, now=MONDAY + 9 * MINUTE)[1]


def test_a_hold_that_has_run_out_is_free_for_others_even_before_the_sweeper_comes(database):
    made, (only,) = session(places=1)
    hold(only)
    assert free(made, MONDAY + 10 * MINUTE) == [only]
    assert hold(only, OTHER, MONDAY + 10 * MINUTE)


def test_the_sweeper_frees_a_hold_that_has_run_out_and_no_other(database):
    _, (first, second, _) = session()
    hold(first)
    hold(second, OTHER, MONDAY + 5 * MINUTE)
    sweep(MONDAY + 10 * MINUTE)
    assert state(first) == ("free", None)
    assert state(second) == ("held", OTHER)


def test_a_hold_taken_anew_is_not_freed_at_its_first_time(database):
    _, (only,) = session(places=1)
    hold(only)
    hold(only, now=MONDAY + 5 * MINUTE)
    sweep(MONDAY + 10 * MINUTE)
    assert state(only) == ("held", CHAT)
    sweep(MONDAY + 15 * MINUTE)
    assert state(only) == ("free", None)


def test_a_booked_opening_is_not_freed_by_the_hold_before_it(database):
    _, (only,) = session(places=1)
    hold(only)
    book(only, patient())
    sweep(MONDAY + 10 * MINUTE)
    assert state(only) == ("booked", None)


def test_a_conversation_holds_one_opening(database):
    _, (first, second, _) = session()
    hold(first)
    hold(second)
    assert (state(first)[0], state(second)[0]) == ("free", "held")


def test_two_conversations_that_each_want_what_the_other_held_do_not_block_each_other(database):
    for n in range(25):
        _, (mine, yours) = session(day="2026-12-02", places=2)
        chats = [f"{n:031d}a", f"{n:031d}b"]
        hold(mine, chats[0])
        hold(yours, chats[1])
        late = MONDAY + 11 * MINUTE  # both holds have run out
        results = together([lambda: hold(yours, chats[0], late), lambda: hold(mine, chats[1], late)])  # noqa: B023
        assert set(results) <= {True, False}, results
        held = {(chat, opening) for opening in (mine, yours) if (chat := state(opening)[1])}
        assert len(held) == len({chat for chat, _ in held}) == results.count(True)


def test_of_twenty_holds_at_once_one_is_granted(database):
    _, (only,) = session(places=1)
    assert together([lambda n=n: hold(only, f"{n:032d}") for n in range(20)]).count(True) == 1


# ---- giving back


def test_given_back_in_time_the_opening_is_free_again_and_the_next_number_differs(database):
    made, (only,) = session(places=1)
    first, _ = book(only, patient())
    assert cancel(first, at("2026-11-25 07:30"))
    assert free(made) == [only]
    again, _ = book(only, patient())
    assert again.number == first.number + "A"


@pytest.mark.parametrize(
    ("slot_class", "too_late"),
    [("normal", "2026-11-25 07:31"), ("expert", "2026-11-24 20:01"), ("special", "2026-11-24 20:01")],
)
def test_after_the_deadline_it_is_too_late(database, slot_class, too_late):
    booking, _ = book(session(slot_class=slot_class)[1][0], patient())
    with pytest.raises(TooLate):
        cancel(booking, at(too_late))
    assert cancel(booking, at(too_late) - MINUTE)


def test_what_the_hospital_has_stopped_may_be_given_back_at_any_time(database):
    made, places = session(slot_class="expert")
    booking, _ = book(places[0], patient())
    stop(made)
    assert cancel(booking, at("2026-11-25 07:59"))


def test_giving_back_ten_times_at_once_gives_back_once(database):
    made, (only,) = session(places=1)
    booking, _ = book(only, patient())
    assert together([lambda: cancel(booking)] * 10).count(True) == 1
    assert free(made) == [only]


# ---- changing


def test_a_change_books_the_new_and_gives_back_the_old_in_one_step(database):
    _, (first, second, _) = session()
    who = patient()
    old, _ = book(first, who)
    new, _ = book(second, who, replacing=old.id)
    assert (state(first)[0], state(second)[0]) == ("free", "booked")
    with reading() as conn:
        assert [each.id for each in service.of_patient(conn, who, MONDAY)] == [new.id]


def test_when_the_new_opening_is_gone_the_old_one_stays(database):
    _, (first, second, _) = session()
    who = patient()
    old, _ = book(first, who)
    book(second, patient())
    with pytest.raises(Taken):
        book(second, who, replacing=old.id)
    assert state(first)[0] == "booked"


def test_after_the_deadline_a_booking_cannot_be_changed_either(database):
    _, (first, *_) = session()
    _, (later, *_) = session(day="2026-11-26")
    who = patient()
    old, _ = book(first, who)
    with pytest.raises(TooLate):
        book(later, who, now=at("2026-11-25 07:45"), replacing=old.id)
    assert (state(first)[0], state(later)[0]) == ("booked", "free")


def test_nobody_gives_back_anothers_booking_by_a_change(database):
    _, (first, second, _) = session()
    others, _ = book(first, patient())
    book(second, patient(), replacing=others.id)
    assert state(first)[0] == "booked"


def test_two_patients_who_change_places_at_once_do_not_block_each_other(database):
    _, (first, second, _) = session()
    one, two = patient(count=2)
    mine, yours = book(first, one)[0], book(second, two)[0]
    results = together(
        [lambda: book(second, one, replacing=mine.id), lambda: book(first, two, replacing=yours.id, chat=OTHER)]
    )
    assert all(isinstance(result, Taken) for result in results)
    with reading() as conn:
        assert conn.execute(select(bookings.c.state)).scalars().all() == ["booked", "booked"]
