"""Open or closed by clock and holiday calendar (R104)."""

from datetime import datetime, timezone

import pytest

from bot.clock import SHANGHAI
from bot.hospital.hours import closes_at, is_open, next_opening


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("place", "moment", "expected"),
    [
        ("front_desk", "2026-11-20 07:29", False),
        ("front_desk", "2026-11-20 07:30", True),
        ("front_desk", "2026-11-20 11:30", False),
        ("front_desk", "2026-11-22 16:59", True),  # a Sunday: the desk works every day
        ("outpatient", "2026-11-20 09:00", True),
        ("outpatient", "2026-11-21 09:00", False),  # Saturday
        ("outpatient", "2026-10-01 09:00", False),  # National Day
        ("outpatient", "2026-10-10 09:00", True),  # Saturday worked by 调休
        ("weekend_clinic", "2026-11-21 09:00", True),
        ("weekend_clinic", "2026-10-10 09:00", False),
        ("emergency", "2026-10-01 03:00", True),
        ("emergency_team", "2026-11-20 23:30", True),
        ("emergency_team", "2026-11-20 02:00", True),
        ("dispatch", "2026-11-20 21:29", True),
        ("dispatch", "2026-11-20 21:30", False),
        ("visiting", "2026-11-20 14:59", False),
    ],
)
def test_a_place_is_open_in_its_hours(place, moment, expected):
    assert is_open(place, at(moment)) is expected


@pytest.mark.parametrize(
    ("place", "moment", "expected"),
    [
        ("front_desk", "2026-11-20 12:00", "2026-11-20 13:30"),
        ("front_desk", "2026-11-20 17:00", "2026-11-21 07:30"),
        ("outpatient", "2026-11-20 18:00", "2026-11-23 08:00"),
        ("outpatient", "2026-10-01 08:00", "2026-10-08 08:00"),
        ("outpatient", "2026-11-20 09:15", "2026-11-20 09:15"),
        ("agents", "2026-11-20 03:00", "2026-11-20 07:30"),
    ],
)
def test_the_next_opening_skips_nights_weekends_and_holidays(place, moment, expected):
    assert next_opening(place, at(moment)) == at(expected)


def test_the_end_of_a_night_shift_is_on_the_next_day():
    assert closes_at("emergency_team", at("2026-11-20 23:30")) == at("2026-11-21 07:30")


def test_a_closed_place_has_no_closing_time():
    assert closes_at("front_desk", at("2026-11-20 12:00")) is None


def test_utc_moments_are_read_on_the_hospitals_wall_clock():
    assert is_open("front_desk", datetime(2026, 11, 20, 0, 0, tzinfo=timezone.utc))


def test_a_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="aware"):
        is_open("front_desk", datetime(2026, 11, 20, 9, 0))  # noqa: DTZ001 - this is what is refused


def test_an_unknown_place_is_refused():
    with pytest.raises(KeyError):
        is_open("cinema", at("2026-11-20 09:00"))
