"""Times of day as patients say them: 下午三点以后, 十点前, 早上八点半, 两点到四点.

A clinic's day decides what the bare hour means: 三点 is 15:00, because nobody sees patients at three in the night.
"""

import re

from bot.language.numbers import integer_value
from bot.language.spoken import plain

NOON = "11:00/13:00"
NIGHT = "00:00/06:00"
AROUND_MINUTES = 30  # 十点左右
_DAYPARTS = (
    ("evening", re.compile(r"晚上|夜|晚(?!一?点|些|期|于)|下班后|下了班")),
    (NIGHT, re.compile(r"凌晨|半夜")),
    (NOON, re.compile(r"中午")),
    ("pm", re.compile(r"下午|后半天|[pP]\.?[mM]")),
    ("am", re.compile(r"上午|早上|^早$|(?<=[天儿])早|^早的|[aA]\.?[mM]")),
)
_HOUR = r"(?P<hour>\d{1,2}|(?<![早晚有快慢多少好])一|[零二两三四五六七八九]|十[一二三四五六七八九]?|二十[一二三四]?)"
_MINUTE = r"(?P<minute>[0-5]?\d|零?[一二三四五六七八九]|[二三四五]?十[一二三四五六七八九]?)(?!\d)分?"
_CLOCK = re.compile(
    rf"(?:差(?P<less>[一二两三四五六七八九十\d]{{1,3}}分?|一刻)钟?)?(?<![\d.:]){_HOUR}"
    rf"(?:[:.](?P<figures>[0-5]\d)(?!\d)|[点时](?:钟|整)?(?:(?P<half>半)|(?P<quarter>[一三])刻|{_MINUTE})?)"
)
_TO = re.compile(r"(?:到|至|[-~—–－])+")
_FROM_HOUR_ONLY = re.compile(
    rf"(?<![\d.:]){_HOUR}(?=[到至~—–-]+(?:[上下中]午|晚上)?(?:\d{{1,2}}|[一二两三四五六七八九十]+)[点时:])"
)
_AFTER = re.compile(r"以后|之后|过后|过了|往后|开始|起|后(?!天|面)")
_BEFORE = re.compile(r"以前|之前|前(?!天|面)|不到")
_NOT_BEFORE = re.compile(r"最早|不早于|晚于")
_NOT_AFTER = re.compile(r"最晚|最迟|不晚于|早于")
_AROUND = re.compile(r"左右|前后|上下|来钟|附近")


def period_value(span: str) -> str | None:
    """Give 'am', 'pm', 'evening', a clock time '08:30', or a time range '15:00/', '/10:00', '15:00/17:00'.

    Noon (中午) is '11:00/13:00', 十点左右 half an hour to each side. None if the span names no time of day.
    """
    text = plain(span).text
    clocks = _clocks(text)
    if len(clocks) >= 2 and _TO.search(text[clocks[0][1] : clocks[1][0]]):
        return f"{_show(clocks[0][2])}/{_show(clocks[1][2])}"
    part = next((name for name, pattern in _DAYPARTS if pattern.search(text)), None)
    if not clocks:
        return _around_noon(text) if part == NOON else part
    start, end, minutes = clocks[0]
    rest = text[end : end + 4]
    if _NOT_BEFORE.search(text[:start]) or _AFTER.match(rest.lstrip("钟的多")):
        return f"{_show(minutes)}/"
    if _NOT_AFTER.search(text[:start]) or _BEFORE.match(rest.lstrip("钟的")):
        return f"/{_show(minutes)}"
    if _AROUND.match(rest):
        return f"{_show(minutes - AROUND_MINUTES)}/{_show(minutes + AROUND_MINUTES)}"
    if rest.startswith(("多", "几")):
        return f"{_show(minutes)}/{_show(minutes + 60)}"
    return _show(minutes)


def _around_noon(text: str) -> str:
    rest = text[text.index("中午") + 2 :]
    if _AFTER.match(rest):
        return "12:00/"
    return "/12:00" if _BEFORE.match(rest) else NOON


def _clocks(text: str) -> list[tuple[int, int, int]]:
    """Give (start, end, minutes after midnight) of every clock time, in order."""
    found: list[tuple[int, int, int]] = []
    bare = [match for match in [_FROM_HOUR_ONLY.search(text)] if match]
    for match in sorted([*bare, *_CLOCK.finditer(text)], key=lambda match: match.start()):
        if found and match.start() < found[-1][1]:
            continue
        hour = integer_value(match["hour"])
        if hour is None or hour > 24:
            continue
        minutes = _day_hour(hour, text[: match.start()], found) * 60 + _minute(match.groupdict())
        found.append((match.start(), match.end(), minutes))
    return found


def _minute(parts: dict[str, str | None]) -> int:
    if parts.get("less"):
        less = parts["less"] or ""
        return -15 if less == "一刻" else -(integer_value(less.rstrip("分")) or 0)
    if parts.get("half"):
        return 30
    if parts.get("quarter"):
        return 15 if parts["quarter"] == "一" else 45
    minute = parts.get("figures") or (parts.get("minute") or "0").removeprefix("零")
    return integer_value(minute) or 0


def _day_hour(hour: int, before: str, found: list[tuple[int, int, int]]) -> int:
    """Turn the spoken hour into one of 24; the word before it decides, else the hours a clinic keeps."""
    if hour > 12:
        return hour % 24
    words = [(before.rfind(word), name) for name, word in _SAID if word in before]
    said = max(words)[1] if words else None
    if said in {"pm", "evening"}:
        return 0 if said == "evening" and hour == 12 else hour if hour == 12 else hour + 12
    if said == "noon":
        return hour + 12 if hour < 4 else hour
    if said in {"am", "night"}:
        return 0 if said == "night" and hour == 12 else hour
    if found and found[-1][2] > hour * 60:
        return hour if hour == 12 else hour + 12  # 十点到两点 goes on into the afternoon
    return hour + 12 if 1 <= hour <= 6 else hour


_SAID = (
    ("evening", "晚上"), ("evening", "天晚"), ("evening", "夜"), ("night", "凌晨"), ("night", "半夜"), ("noon", "中午"),
    ("pm", "下午"), ("am", "上午"), ("am", "早上"), ("am", "天早"),
)  # fmt: skip


def _show(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
