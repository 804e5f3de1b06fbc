"""The waitlist (候补): one line a session, one offer an opening, in order (R75, R76)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.appointments import schedule, service, waiting
from bot.appointments.model import Duplicate, NotOffered, Taken
from bot.appointments.tables import bookings, openings, waitlist
from bot.patients.tables import patients
from bot.storage.due import due
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, at, patient, session, together

CHAT = "a" * 32
MINUTE = timedelta(minutes=1)
_keys = iter(range(10**6))


def do(deed, *given, **named):
    with writing() as conn:
        return deed(conn, *given, **named)


def join(session_id: int, who: int, chat: str = CHAT, now=MONDAY) -> int:
    return do(waiting.join, session_id, who, chat, now)


def book(opening: int, who: int, now=MONDAY, **more):
    return do(service.book, opening, who, CHAT, f"key-{next(_keys)}", now, **more)[0]


def cancel(booking, now=MONDAY) -> bool:
    return do(service.cancel, booking.id, now)


def match(session_id: int, now=MONDAY) -> list:
    return do(waiting.match, session_id, now)


def accept(entry_id: int, key: str = "", now=MONDAY):
    return do(waiting.accept, entry_id, key or f"key-{next(_keys)}", now)


def leave(entry_id: int, state: str = "declined", now=MONDAY) -> bool:
    return do(waiting.leave, entry_id, state, now)


def states(table) -> list[str]:
    with reading() as conn:
        return list(conn.execute(select(table.c.state).order_by(table.c.id)).scalars())


def due_kinds() -> set[str]:
    with reading() as conn:
        return set(conn.execute(select(due.c.kind)).scalars())


def full(places: int = 1, **changes):
    """Make a full session: its id and its bookings."""
    made, ids = session(places=places, **changes)
    return made, [book(one, who) for one, who in zip(ids, patient("约", count=places + 1), strict=False)]


def line(session_id: int, count: int, now=MONDAY) -> list[int]:
    """Let patients join the line; gives their ids."""
    waits = patient("候", count=count + 1)[:count]
    for who in waits:
        join(session_id, who, now=now)
    do(waiting.match, session_id, now)
    return waits


# ---- the line


def test_the_line_is_in_order_and_joined_once(database):
    made, _ = full()
    one, two = patient(count=2)
    assert [join(made, one), join(made, two), join(made, one), join(made, two)] == [1, 2, 1, 2]
    assert join(full()[0], two) == 1


def test_joining_from_ten_places_at_once_is_joining_once(database):
    made, _ = full()
    who = patient()
    assert together([lambda: join(made, who)] * 10) == [1] * 10
    assert states(waitlist) == ["waiting"]


def test_who_has_left_the_line_begins_at_its_end(database):
    made, _ = full()
    one, two = line(made, 2)
    with reading() as conn:
        ((mine, place),) = waiting.of_patient(conn, one, MONDAY)
    assert place == 1
    assert leave(mine.id, "cancelled")
    assert not leave(mine.id, "cancelled")
    assert join(made, one) == 2
    with reading() as conn:
        assert [place for _, place in waiting.of_patient(conn, two, MONDAY)] == [1]


# ---- offers


def test_what_is_given_back_is_offered_to_the_first_and_to_nobody_else(database):
    made, (booking,) = full()
    one, two = line(made, 2)
    cancel(booking)
    with reading() as conn:
        assert service.free_openings(conn, made, MONDAY) == []  # kept back until the sweeper has asked who is next
    (offer,) = match(made)
    assert (offer.patient_id, offer.opening_id, offer.offered_until) == (one, booking.opening_id, MONDAY + 30 * MINUTE)
    assert match(made) == []
    assert not do(service.hold, booking.opening_id, "b" * 32, MONDAY)
    with pytest.raises(Taken):
        book(booking.opening_id, two)


def test_an_offer_is_accepted_once_and_a_replay_finds_its_booking(database):
    made, (booking,) = full()
    (one,) = line(made, 1)
    cancel(booking)
    (offer,) = match(made)
    mine, new = accept(offer.id, "turn:book")
    assert (mine.patient_id, mine.opening_id, new) == (one, booking.opening_id, True)
    assert accept(offer.id, "turn:book") == (mine, False)
    with pytest.raises(NotOffered):
        accept(offer.id, "another turn:book")
    assert states(waitlist) == ["booked"]
    assert "waitlist_lapse" not in due_kinds()


def test_ten_taps_at_once_book_once(database):
    made, (booking,) = full()
    line(made, 1)
    cancel(booking)
    (offer,) = match(made)
    results = together([lambda: accept(offer.id)] * 10)
    assert sum(isinstance(result, NotOffered) for result in results) == 9
    assert states(bookings) == ["cancelled", "booked"]


def test_what_is_declined_goes_to_the_next(database):
    made, (booking,) = full()
    _, two = line(made, 2)
    cancel(booking)
    (first,) = match(made)
    assert leave(first.id)
    assert not leave(first.id)
    (second,) = match(made)
    assert (second.patient_id, second.opening_id) == (two, first.opening_id)
    assert states(waitlist) == ["declined", "offered"]


def test_what_is_not_answered_in_time_goes_to_the_next(database):
    made, (booking,) = full()
    one, two = line(made, 2)
    cancel(booking)
    (first,) = match(made)
    assert do(waiting.lapse, first.id, MONDAY + 29 * MINUTE) is None
    late = MONDAY + 30 * MINUTE
    with pytest.raises(NotOffered):
        accept(first.id, now=late)
    assert do(waiting.lapse, first.id, late).patient_id == one
    assert do(waiting.lapse, first.id, late) is None
    assert [offer.patient_id for offer in match(made, late)] == [two]


def test_accepting_at_the_moment_of_lapsing_is_one_or_the_other(database):
    made, (booking,) = full()
    line(made, 2)
    cancel(booking)
    (offer,) = match(made)
    almost, over = MONDAY + 29 * MINUTE, MONDAY + 30 * MINUTE
    taken, lapsed = together([lambda: accept(offer.id, now=almost), lambda: do(waiting.lapse, offer.id, over)])
    assert (isinstance(taken, NotOffered)) != (lapsed is None)
    assert states(waitlist)[0] == ("booked" if lapsed is None else "lapsed")


def test_ten_openings_freed_at_once_go_to_ten_people_and_each_is_asked_once(database):
    made, booked = full(places=10)
    waits = line(made, 14)
    deeds = [lambda one=one: cancel(one) for one in booked] + [lambda: match(made)] * 6
    offers = [offer for result in together(deeds) if isinstance(result, list) for offer in result]
    offers += match(made)
    assert [offer.patient_id for offer in sorted(offers, key=lambda offer: offer.id)] == waits[:10]
    assert len({offer.opening_id for offer in offers}) == 10
    assert states(waitlist) == ["offered"] * 10 + ["waiting"] * 4
    assert states(openings) == ["held"] * 10


@pytest.mark.parametrize("attempt", range(5))
def test_who_joins_at_the_moment_something_is_given_back_is_not_forgotten(database, attempt):
    made, (booking,) = full()
    who = patient()
    results = together([lambda: cancel(booking), lambda: join(made, who)])
    assert not [result for result in results if isinstance(result, Exception)]
    assert [offer.patient_id for offer in match(made)] == [who]


@pytest.mark.parametrize("freed", ["cancelled", "rescheduled", "hold lapsed", "hold moved", "quota raised", "resumed"])
def test_every_way_in_which_an_opening_becomes_free_asks_who_waits(database, freed):
    made, (booking,) = full()
    if "hold" in freed:
        with writing() as conn:
            conn.execute(
                update(openings)
                .where(openings.c.id == booking.opening_id)
                .values(state="held", held_by="b" * 32, held_until=MONDAY + 10 * MINUTE)
            )
    (one,) = line(made, 1)
    with writing() as conn:
        conn.execute(due.delete())
    now = MONDAY
    if freed == "cancelled":
        cancel(booking)
    elif freed == "rescheduled":
        book(session()[1][0], booking.patient_id, replacing=booking.id)
    elif freed == "hold lapsed":
        now = MONDAY + 10 * MINUTE
        do(service.release_hold, {"opening": booking.opening_id}, now)
    elif freed == "hold moved":
        do(service.hold, session()[1][0], "b" * 32, now)
    elif freed == "quota raised":
        with writing() as conn:
            conn.execute(openings.insert().values(session_id=made, starts_at=at("2026-11-25 09:00"), state="free"))
            service.let_go(conn, openings.c.starts_at == at("2026-11-25 09:00"), now)
    else:
        do(schedule.stop_session, made, "会诊", now)
        cancel(booking)
        assert match(made) == []
        do(schedule.resume_session, made, now)
        assert "clinic_changed" in due_kinds()
    if freed != "resumed":
        assert "waitlist_match" in due_kinds()
    assert [offer.patient_id for offer in match(made, now)] == [one]


def test_who_may_not_have_a_further_booking_keeps_his_place_and_the_next_is_asked(database):
    made, (booking,) = full()
    one, two = line(made, 2)
    other = book(session(period="pm")[1][0], one)  # the same department on the same day
    cancel(booking)
    assert [offer.patient_id for offer in match(made)] == [two]
    cancel(other)
    assert states(waitlist) == ["waiting", "offered"]


def test_who_has_booked_elsewhere_meanwhile_is_told_when_he_accepts(database):
    made, (booking,) = full()
    (one,) = line(made, 1)
    cancel(booking)
    (offer,) = match(made)
    book(session(period="pm")[1][0], one)
    with pytest.raises(Duplicate):
        accept(offer.id)


def test_so_near_to_the_visit_nothing_is_offered_and_what_is_free_is_for_all(database):
    made, (booking,) = full()
    line(made, 1)
    near = at("2026-11-25 06:00")  # two hours before
    cancel(booking, near)
    assert match(made, near) == []
    with reading() as conn:
        assert [row.id for row in service.free_openings(conn, made, near)] == [booking.opening_id]


def test_when_the_time_for_offers_ends_those_who_wait_leave_the_line(database):
    made, (booking, _) = full(places=2)
    line(made, 2)
    cancel(booking)
    match(made)
    assert [known.state for known in do(waiting.close, made)] == ["waiting"]
    assert do(waiting.close, made) == []
    assert states(waitlist) == ["offered", "closed"]


def test_without_a_sweeper_what_was_kept_back_is_free_for_all_after_a_while(database):
    made, (booking,) = full()
    line(made, 1)
    cancel(booking)
    later = MONDAY + service.KEPT_BACK_FOR
    with reading() as conn:
        assert len(service.free_openings(conn, made, later)) == 1


def test_a_stopped_session_takes_its_offers_back_and_keeps_the_places(database):
    made, (booking,) = full()
    one, _ = line(made, 2)
    cancel(booking)
    (offer,) = match(made)
    do(schedule.stop_session, made, "会诊", MONDAY)
    with pytest.raises(Taken):
        accept(offer.id)
    assert len(do(waiting.suspend, made)) == 2
    with pytest.raises(NotOffered):
        accept(offer.id)
    assert match(made) == []
    do(schedule.resume_session, made, MONDAY)
    assert [offer.patient_id for offer in match(made)] == [one]


def test_whose_data_were_erased_waits_no_longer(database):
    made, (booking,) = full()
    one, two = line(made, 2)
    with writing() as conn:
        conn.execute(update(patients).where(patients.c.id == one).values(erased_at=MONDAY))
    cancel(booking)
    assert [offer.patient_id for offer in match(made)] == [two]
