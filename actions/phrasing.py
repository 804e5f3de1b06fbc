"""Days, times, doctors and clinics as a patient reads them, and the days that a wish spans."""

from datetime import date, timedelta

from bot.appointments.words import (  # noqa: F401  (the flows find all these words in one place)
    WEEKDAYS,
    booking_text,
    clinic_text,
    clinic_title,
    day_text,
    deadline_text,
    department_text,
    doctor_text,
    fee_text,
    moment_text,
    receipt_text,
)


def span_of(value: str) -> tuple[date, date]:
    """Give first and last day of a date value, 2026-12-01 or 2026-12-01/2026-12-07."""
    first, _, last = str(value).partition("/")
    start = date.fromisoformat(first[:10])
    return start, date.fromisoformat(last[:10]) if last else start


def span_text(first: date, last: date, today: date) -> str:
    """Give a day or a span of days."""
    if first == last:
        return day_text(first, today)
    return f"{first.month}月{first.day}日到{last.month}月{last.day}日"


def week_ahead(today: date, days: int) -> tuple[date, date]:
    """Give the span that a search without a date covers."""
    return today, today + timedelta(days=days)
