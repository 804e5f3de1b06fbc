"""Open or closed, computed from hospital.yml, the moment and the holiday calendar (R104). No clock of its own."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache

import holidays

from bot.clock import SHANGHAI
from bot.hospital.load import load_hospital
from bot.hospital.model import WEEKDAYS, Hospital, Opening

# The longest closed stretch in China is the week of 国庆 or 春节 with its weekends; two months are ample.
_LOOK_AHEAD_DAYS = 62


def is_open(place: str, moment: datetime, hospital: Hospital | None = None) -> bool:
    """Tell whether a place of hospital.yml `hours` is open at an aware moment.

    A span includes its beginning and excludes its end. Raises KeyError for an unknown place, ValueError when the
    moment has no time zone.
    """
    opening = _opening(place, hospital)
    local = _local(moment)
    return any(start <= local < end for start, end in _spans_around(opening, local.date()))


def next_opening(place: str, moment: datetime, hospital: Hospital | None = None) -> datetime | None:
    """Give the moment itself while the place is open, else when it opens next (Asia/Shanghai).

    None when it does not open within two months. Raises as is_open does.
    """
    opening = _opening(place, hospital)
    local = _local(moment)
    for ahead in range(_LOOK_AHEAD_DAYS + 1):
        for start, end in _spans_around(opening, local.date() + timedelta(days=ahead)):
            if start <= local < end:
                return local
            if start > local:
                return start
    return None


def closes_at(place: str, moment: datetime, hospital: Hospital | None = None) -> datetime | None:
    """Give when the present opening ends (Asia/Shanghai); None while closed. Raises as is_open does."""
    opening = _opening(place, hospital)
    local = _local(moment)
    ends = [end for start, end in _spans_around(opening, local.date()) if start <= local < end]
    return max(ends, default=None)


def is_working_day(day: date) -> bool:
    """Tell whether China works on this date: statutory holidays are free, 调休 weekends are worked."""
    return _calendar().is_working_day(day)


def opens_on(opening: Opening, day: date) -> bool:
    """Tell whether a place opens at all on a date."""
    if opening.days == "all":
        return True
    if opening.days in ("working", "rest"):
        return is_working_day(day) == (opening.days == "working")
    return WEEKDAYS[day.weekday()] in opening.days


@lru_cache(maxsize=1)
def _calendar() -> holidays.HolidayBase:
    return holidays.country_holidays("CN")


def _opening(place: str, hospital: Hospital | None) -> Opening:
    return (hospital or load_hospital()).info.hours[place]


def _local(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("moment must be aware, such as bot.clock.now()")
    return moment.astimezone(SHANGHAI)


def _spans_around(opening: Opening, day: date) -> list[tuple[datetime, datetime]]:
    """Give the spans that touch a date in order; a night span of the day before reaches into it."""
    found = []
    for first in (day - timedelta(days=1), day):
        if opens_on(opening, first):
            midnight = datetime.combine(first, time(), SHANGHAI)
            for start, end in opening.spans:
                past_midnight = 1440 if end <= start else 0
                begins = midnight + timedelta(minutes=start)
                found.append((begins, midnight + timedelta(minutes=end + past_midnight)))
    return sorted(found)
