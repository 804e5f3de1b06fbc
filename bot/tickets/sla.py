"""The clock of the law: reply within 5 working days, 10 when several departments must work together, from receipt.

《医疗机构投诉管理办法》(国家卫健委令第3号, in force 2019-04-10); a hospital may promise less time, never more.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")
END = time(17, 30)
LAW = {"single": 5, "several_departments": 10}  # working days


@lru_cache(maxsize=8)
def _calendar(year: int):
    return holidays.country_holidays("CN", years=[year - 1, year, year + 1])


def is_working_day(day: date) -> bool:
    """Tell whether public offices work: no holiday, no weekend unless it is worked in exchange (调休)."""
    return _calendar(day.year).is_working_day(day)


def published(year: int) -> bool:
    """Tell whether the calendar knows the year's 调休, which the State Council publishes late in the year before.

    Without it holidays are guessed from the law alone, and a deadline in that year is provisional.
    """
    return any(day.year == year for day in _calendar(year).weekend_workdays)


def days_allowed(policy: Mapping, several: bool = False, kind: str = "complaint", urgency: str = "normal") -> int:
    """Give the working days for an answer: the law's 5 or 10, or less where the hospital promises less.

    `policy` is `complaints` of hospital.yml: `working_days` {single, several_departments} and `promises` by kind or urgency.
    """
    case = "several_departments" if several else "single"
    promised = policy.get("promises") or {}
    given = [LAW[case], policy.get("working_days", {}).get(case), promised.get(kind), promised.get(urgency)]
    return min(days for days in given if days is not None)


def due_at(received: datetime, working_days: int) -> datetime:
    """Give the end (17:30) of the n-th working day after the day of receipt.

    0 is at once: the end of the same working day, or of the next one when that has passed.
    """
    local = received.astimezone(SHANGHAI)
    day, left = local.date(), working_days
    if not left and not (is_working_day(day) and local.time() < END):
        left = 1
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return datetime.combine(day, END, SHANGHAI)


def days_left(moment: datetime, due: datetime) -> int:
    """Give the working days that are left after today; 0 on the last one and after it."""
    day, last = moment.astimezone(SHANGHAI).date(), due.astimezone(SHANGHAI).date()
    return sum(is_working_day(day + timedelta(days=ahead)) for ahead in range(1, (last - day).days + 1))


def warn_at(received: datetime, due: datetime) -> datetime:
    """Give when to warn: the end of the working day before the deadline, half-way where there is none between."""
    day = due.astimezone(SHANGHAI).date() - timedelta(days=1)
    while not is_working_day(day):
        day -= timedelta(days=1)
    moment = datetime.combine(day, END, SHANGHAI)
    return moment if moment > received else received + (due - received) / 2
