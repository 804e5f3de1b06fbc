"""Rules of booking as plain functions: limits, deadlines, times, numbers (R75-R80)."""

from datetime import date, timedelta

import pytest

from bot.appointments.model import LimitReached, check_limits, last_cancel, nth_number, slot_times, timetable_weekday
from bot.appointments.service import rules
from tests.builders import at

DAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("booked", "refused"),
    [
        ([], None),
        ([0], None),
        ([0, 0], 1),  # two on one day are enough
        ([-1, 1], None),
        ([-1, -2, -3], 7),  # three in seven days are enough
        ([-6, -3, 0], 7),
        ([-6, -5, 6], None),  # no row of seven days holds three of them and the new one
        ([-7, -7, -8], None),
        ([1, 3, 6], 7),
        ([-80, -70, -60, -50], None),
        ([-80, -70, -60, -50, -40], 90),  # five in three months are enough
        ([-89, -70, -60, -50, -40], 90),
        ([-90, -70, -60, -50, -40], None),
    ],
)
def test_a_patient_may_have_so_many_bookings(booked, refused):
    days = [DAY + timedelta(days=n) for n in booked]
    if refused is None:
        check_limits(days, DAY, rules())
        return
    with pytest.raises(LimitReached) as caught:
        check_limits(days, DAY, rules())
    assert caught.value.days == refused


@pytest.mark.parametrize(("slot_class", "until"), [("normal", "09:00"), ("expert", "-21:30"), ("special", "-21:30")])
def test_a_booking_may_be_given_back_half_an_hour_before_an_experts_half_a_day(slot_class, until):
    day = "2026-11-24 21:30" if until.startswith("-") else f"2026-11-25 {until}"
    assert last_cancel(at("2026-11-25 09:30"), slot_class, rules()) == at(day)


def test_openings_are_ten_minutes_apart_and_never_at_the_same_moment():
    times = slot_times(DAY, "am", 30, 10)
    assert times[:3] == [at("2026-11-25 08:00"), at("2026-11-25 08:10"), at("2026-11-25 08:20")]
    assert len(set(times)) == 30
    assert max(times) < at("2026-11-25 12:00")


@pytest.mark.parametrize(("period", "begins", "ends"), [("pm", "14:00", "17:30"), ("evening", "18:00", "20:30")])
def test_openings_stay_inside_their_half_day(period, begins, ends):
    times = slot_times(DAY, period, 40, 10)
    assert min(times) == at(f"2026-11-25 {begins}")
    assert max(times) < at(f"2026-11-25 {ends}")


def test_every_booking_of_an_opening_has_a_number_of_its_own():
    numbers = [nth_number("20261125", 7, nth) for nth in range(800)]
    assert numbers[:3] == ["YY20261125-0007", "YY20261125-0007A", "YY20261125-0007B"]
    assert numbers[26:28] == ["YY20261125-0007Z", "YY20261125-0007AA"]
    assert len(set(numbers)) == 800


@pytest.mark.parametrize(
    ("day", "working", "timetable"),
    [
        ("2026-11-25", True, 3),
        ("2026-11-28", False, 6),
        ("2026-11-29", False, 7),
        ("2026-10-05", False, 7),  # a Monday of 国庆 runs Sunday's few clinics
        ("2026-10-03", False, 6),
        ("2026-10-10", True, 6),  # a Saturday worked in exchange keeps its own
    ],
)
def test_a_public_holiday_runs_sundays_timetable(day, working, timetable):
    assert timetable_weekday(date.fromisoformat(day), working) == timetable
