"""Festivals and lunar days. The fixed ones are a table; the lunar ones are jionlp's, asked for the year meant."""

import contextlib
import io
import re
from datetime import date, datetime, timedelta
from functools import lru_cache

# First month and day, and how many days people mean by the word (the statutory days, not the moved working days).
_FIXED = {
    "元旦": (1, 1, 1), "情人节": (2, 14, 1), "妇女节": (3, 8, 1), "三八节": (3, 8, 1), "五一": (5, 1, 5),
    "护士节": (5, 12, 1), "儿童节": (6, 1, 1), "六一": (6, 1, 1), "医师节": (8, 19, 1), "教师节": (9, 10, 1),
    "国庆": (10, 1, 7), "双十一": (11, 11, 1), "双11": (11, 11, 1), "双十二": (12, 12, 1), "平安夜": (12, 24, 1),
    "圣诞": (12, 25, 1),
}  # fmt: skip
_NEW_YEAR = ["大年初" + character for character in "一二三四五六七八九十"]
_LUNAR = [
    "春节",
    "除夕",
    "大年三十",
    "年三十",
    "元宵",
    "清明",
    "端午",
    "七夕",
    "中秋",
    "重阳",
    "冬至",
    "腊八",
    "母亲节",
]
_SPRING_DAYS = 7
_CN = "一二三四五六七八九"
_LUNAR_DAY = rf"(?:(?:农历|阴历)[{_CN}十正冬腊]{{1,2}}|正|腊)月(?:初[{_CN}十]|二?十[{_CN}]?|廿[{_CN}]?|三十)"
NAMES = "|".join([*sorted([*_FIXED, *_NEW_YEAR, *_LUNAR], key=len, reverse=True), _LUNAR_DAY])
_ASKABLE = re.compile(r"[年月周旬节季初正腊冬夏秋春]")


def days(name: str, year: int) -> tuple[date, date] | None:
    """Give the first and last day of a festival or lunar day in (lunar) year `year`; None if nobody knows it."""
    if name in _FIXED:
        month, day, length = _FIXED[name]
        start = date(year, month, day)
        return start, start + timedelta(days=length - 1)
    found = _ask({"年三十": "除夕", "大年三十": "除夕", "圣诞": "圣诞节"}.get(name, name), year)
    return None if found is None else (found[0], found[0] + timedelta(days=_SPRING_DAYS - 1 if name == "春节" else 0))


def other(text: str, today: date, past: bool) -> tuple[date, date] | None:
    """Ask jionlp about a span that no rule of ours knows; keep an answer only on the right side of today."""
    if not _ASKABLE.search(text) or re.search(r"\d", text) or len(text) > 20:  # days in figures are our own rules'
        return None
    answers = sorted(filter(None, (_ask(text, year) for year in (today.year - 1, today.year, today.year + 1))))
    if past:
        return next((answer for answer in reversed(answers) if answer[0] <= today), None)
    return next((answer for answer in answers if answer[1] >= today), None)


@lru_cache(maxsize=512)
def _ask(text: str, year: int) -> tuple[date, date] | None:
    jionlp = _jionlp()
    try:
        answer = jionlp.parse_time(text, time_base=datetime(year, 6, 1))  # noqa: DTZ001 jionlp takes naive times
        start, end = (date.fromisoformat(moment[:10]) for moment in answer["time"])
    except Exception:  # jionlp raises bare ValueError, TypeError, KeyError and more for what it cannot read
        return None
    return (start, end) if answer["type"] in {"time_point", "time_span"} and start <= end else None


@lru_cache(maxsize=1)
def _jionlp():
    """Import jionlp at first need: it costs 0.9 s and prints an advertisement."""
    with contextlib.redirect_stdout(io.StringIO()):
        import jionlp
    return jionlp
