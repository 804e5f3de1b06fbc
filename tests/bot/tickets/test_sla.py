"""The law's clock: 5 or 10 working days from receipt, with 调休 (医疗机构投诉管理办法; R53)."""

from datetime import date

import pytest

from bot.hospital.hours import is_working_day as hospital_works
from bot.tickets.sla import due_at, is_working_day
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
    ],
)
def test_the_deadline_is_the_end_of_the_nth_working_day_after_receipt(received, days, due):
    assert due_at(at(received), days) == at(due)


def test_a_moment_in_another_zone_counts_as_the_hospitals_date():
    from datetime import datetime, timezone

    late = datetime(2026, 11, 22, 16, 30, tzinfo=timezone.utc)  # Monday, half past midnight in Shanghai
    assert due_at(late, 5) == at("2026-11-30 17:30")
