"""The law's clock: 5 or 10 working days from receipt, with 调休 (医疗机构投诉管理办法; R53)."""

from datetime import date, timedelta

import pytest

from bot.hospital.hours import is_working_day as hospital_works
from bot.tickets.sla import days_allowed, days_left, due_at, is_working_day, published, warn_at
from tests.builders import at


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-23", True),  # a Monday
        ("2026-11-21", False),  # a Saturday
        ("2026-02-14", True),  # a Saturday worked for 春节
        ("2026-10-10", True),  # a Saturday worked for 国庆
        ("2026-02-17", False),  # 春节, a Tuesday
        ("2026-10-05", False),  # 国庆, a Monday
        ("2026-01-04", True),  # a Sunday worked for 元旦
    ],
)
def test_holidays_are_free_and_exchanged_weekends_are_worked(day, works):
    assert is_working_day(date.fromisoformat(day)) is works
    assert hospital_works(date.fromisoformat(day)) is works  # both rooms read the same calendar


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-11-23 10:00", 5, "2026-11-30 17:30"),  # over a weekend
        ("2026-11-23 23:59", 5, "2026-11-30 17:30"),  # the day of receipt does not count, whatever the hour
        ("2026-11-21 09:00", 5, "2026-11-27 17:30"),  # received on a Saturday
        ("2026-11-23 10:00", 10, "2026-12-07 17:30"),
        ("2026-09-30 10:00", 5, "2026-10-13 17:30"),  # 国庆 1-7; the 10th, a Saturday, is worked
        ("2026-02-13 10:00", 5, "2026-02-27 17:30"),  # the 14th is worked, 15-23 are 春节
        ("2026-12-30 10:00", 5, "2027-01-07 17:30"),
        ("2026-11-23 10:00", 0, "2026-11-23 17:30"),  # at once: the same working day
        ("2026-11-23 17:30", 0, "2026-11-24 17:30"),
        ("2026-11-21 10:00", 0, "2026-11-23 17:30"),
    ],
)
def test_the_deadline_is_the_end_of_the_nth_working_day_after_receipt(received, days, due):
    assert due_at(at(received), days) == at(due)


def test_a_moment_in_another_zone_counts_as_the_hospitals_date():
    from datetime import datetime, timezone

    late = datetime(2026, 11, 22, 16, 30, tzinfo=timezone.utc)  # Monday, half past midnight in Shanghai
    assert due_at(late, 5) == at("2026-11-30 17:30")


# 国务院办公厅关于2026年部分节假日安排的通知: (first day off, days off), and the weekends worked in exchange.
OFF_2026 = [("01-01", 3), ("02-15", 9), ("04-04", 3), ("05-01", 5), ("06-19", 3), ("09-25", 3), ("10-01", 7)]
WORKED_2026 = ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]


def test_the_calendar_of_2026_is_the_one_that_the_state_council_published():
    off = {
        date.fromisoformat(f"2026-{first}") + timedelta(days=more) for first, days in OFF_2026 for more in range(days)
    }
    worked = {date.fromisoformat(f"2026-{day}") for day in WORKED_2026}
    for number in range(365):
        day = date(2026, 1, 1) + timedelta(days=number)
        assert is_working_day(day) is (day in worked or (day.weekday() < 5 and day not in off)), day


def test_a_year_whose_exchange_is_not_published_is_known_as_a_guess():
    assert published(2026)
    assert not published(2049)


@pytest.mark.parametrize(
    ("policy", "case", "days"),
    [
        ({}, {}, 5),
        ({}, {"several": True}, 10),
        ({"working_days": {"single": 3, "several_departments": 7}}, {}, 3),
        ({"working_days": {"single": 3, "several_departments": 7}}, {"several": True}, 7),
        ({"working_days": {"single": 30, "several_departments": 30}}, {}, 5),  # never above the law
        ({"working_days": {"single": 30, "several_departments": 30}}, {"several": True}, 10),
        ({"promises": {"message": 1}}, {"kind": "message"}, 1),
        ({"promises": {"high": 0}}, {"urgency": "high"}, 0),
        ({"promises": {"high": 2}}, {}, 5),
    ],
)
def test_a_hospital_may_promise_less_time_than_the_law_and_never_more(policy, case, days):
    assert days_allowed(policy, **case) == days


@pytest.mark.parametrize(
    ("received", "due", "warned"),
    [
        ("2026-11-23 10:00", "2026-11-30 17:30", "2026-11-27 17:30"),
        ("2026-09-24 10:00", "2026-10-08 17:30", "2026-09-30 17:30"),
        ("2026-11-23 10:00", "2026-11-23 17:30", "2026-11-23 13:45"),
    ],
)
def test_the_warning_comes_a_working_day_before_the_deadline(received, due, warned):
    assert warn_at(at(received), at(due)) == at(warned)


@pytest.mark.parametrize(
    "moment, left",
    [
        ("2026-09-28T09:00", 5),  # the seven days of October between do not count, Saturday the 10th is worked
        ("2026-09-30T18:00", 3),
        ("2026-10-03T12:00", 3),
        ("2026-10-10T09:00", 0),
        ("2026-10-12T09:00", 0),
    ],
)
def test_what_is_left_is_counted_in_working_days_after_today(moment, left):
    assert days_left(at(moment), at("2026-10-10T17:30")) == left
