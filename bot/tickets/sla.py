"""The clock of the law: reply within 5 working days, 10 when several departments must work together, from receipt.

《医疗机构投诉管理办法》(国家卫健委令第3号); a hospital may promise less time, never more.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

SHANGHAI = ZoneInfo("Asia/Shanghai")


@lru_cache(maxsize=8)
def _calendar(year: int):
    return holidays.country_holidays("CN", years=[year - 1, year, year + 1])


def is_working_day(day: date) -> bool:
    """Tell whether public offices work: no holiday, no weekend unless it is worked in exchange (调休)."""
    return _calendar(day.year).is_working_day(day)


def due_at(received: datetime, working_days: int) -> datetime:
    """Give the end (17:30) of the n-th working day after the day of receipt."""
    day = received.astimezone(SHANGHAI).date()
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return datetime.combine(day, time(17, 30), SHANGHAI)
