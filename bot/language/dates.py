"""Days as patients say them: 明儿, 下周三, 12月3号, 国庆后 → '2026-11-25' or '2026-10-08/2026-10-14'.

An appointment lies ahead, so a bare 3号 or 周三 is the next one; a word that looks back (昨天, 上周三, 住院那次) is
taken at its word. A week is the calendar week from Monday: 本周五 said on Saturday is yesterday. Ranges are closed.
Our own rules come first, because jionlp looks back where patients look ahead; jionlp knows the lunar calendar.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.clock import local
from bot.language import festivals
from bot.language.numbers import integer_value
from bot.language.periods import period_value
from bot.language.spoken import plain

__all__ = ["date_value", "find_dates", "period_value"]

Days = tuple[date, date]
OPEN_DAYS = 7  # 下周三以后, 国庆后: a week is offered, an open end is no interval
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Now:
    """today: what 明天 is counted from. floor: what a bare 3号 must not lie before. past: look back instead."""

    today: date
    floor: date
    past: bool = False


_N = r"(?:\d{1,3}|[一二两三四五六七八九十百俩]{1,4})"
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_CN = "一二三四五六七八九"
_DAY_NUMBER = rf"(?:3[01]|[12]\d|0?[1-9]|三十一?|二?十[{_CN}]?|廿[{_CN}]?|初?[{_CN}])"
_HAO = r"[号日](?![楼线院窗诊床厅门馆仓柜源子]|专家|普通)"
_REL = r"(?P<rel>上上|上|下下|下|这|本|当)一?个?"
_WD = r"(?:[一二三四五六日天末]|[1-7](?![\d.]))"
_YEAR = r"(?P<year>大前年|前年|去年|今年|本年|明年|后年|(?:19|20)?\d\d年|二[零〇]二[零〇一二三四五六七八九]年)的?"
_PART = r"(?P<part>上旬|中旬|下旬|初|中(?!午|医|心|间|秋)|底|末|头(?!上|下))"
_SHIFT = {"上上": -2, "上": -1, "这": 0, "本": 0, "当": 0, "下": 1, "下下": 2}
_YEARS = {"大前年": -3, "前年": -2, "去年": -1, "今年": 0, "本年": 0, "明年": 1, "后年": 2}
_PARTS = {
    "初": (1, 5), "头": (1, 5), "上旬": (1, 10), "中": (11, 20), "中旬": (11, 20),
    "下旬": (21, 31), "底": (25, 31), "末": (25, 31),
}  # fmt: skip
_WEEKDAYS = {name: place for place, names in enumerate("一1 二2 三3 四4 五5 六6 日天7".split()) for name in names}
_RELATIVE = {"大前天": -3, "前天": -2, "昨天": -1, "今天": 0, "明天": 1, "后天": 2, "大后天": 3}


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month(first: date, shift: int) -> date:
    """Give the first day of the month `shift` months away."""
    number = first.year * 12 + first.month - 1 + shift
    return date(number // 12, number % 12 + 1, 1)


def _month_days(first: date, part: str | None = None) -> Days:
    last = _month(first, 1) - _DAY
    if not part:
        return first.replace(day=1), last
    start, end = _PARTS[part]
    return first.replace(day=start), min(first.replace(day=min(end, last.day)), last)


def _week(today: date, shift: int) -> date:
    return today - timedelta(days=today.weekday()) + timedelta(weeks=shift)


def _one(day: date | None) -> Days | None:
    return (day, day) if day else None


def _nearest(candidates: list[Days | None], now: _Now) -> Days | None:
    """Pick the first candidate that is not over, or looking back the last that has begun."""
    known = sorted(days for days in candidates if days)
    if now.past:
        return next((days for days in reversed(known) if days[0] <= now.floor), None)
    return next((days for days in known if days[1] >= now.floor), None)


def _int(text: str) -> int:
    return integer_value(text.removeprefix("初").replace("廿", "二十")) or 0


def _named_day(match: re.Match[str], now: _Now) -> Days | None:
    return _one(now.today + timedelta(days=_RELATIVE[match.group()]))


def _two_days(match: re.Match[str], now: _Now) -> Days | None:
    start = now.today + timedelta(days={"昨今": -1, "今明": 0, "明后": 1}[match["first"]])
    return start, start + _DAY


def _full(match: re.Match[str], now: _Now) -> Days | None:
    return _one(_date(*(int(match[group]) for group in ("y", "m", "d"))))


def _weekday(match: re.Match[str], now: _Now) -> Days | None:
    parts = match.groupdict()
    said, to = parts["wd"], parts.get("wd2")
    monday = _week(now.today, _SHIFT[parts["rel"]]) if parts.get("rel") else None
    if said == "末":
        saturday = (monday or _week(now.floor, -1 if now.past else 0)) + 5 * _DAY
        return saturday, saturday + _DAY
    offset = _WEEKDAYS[said]
    if monday is not None:
        start = monday + offset * _DAY
    else:
        ahead = (offset - now.floor.weekday()) % 7
        start = now.floor + timedelta(days=ahead - 7 if now.past and ahead else ahead)
    length = (_WEEKDAYS[to] - offset) % 7 if to else 0
    return start, start + length * _DAY


def _whole_week(match: re.Match[str], now: _Now) -> Days | None:
    monday = _week(now.today, _SHIFT[match["rel"]])
    return monday, monday + 6 * _DAY


def _workdays(match: re.Match[str], now: _Now) -> Days | None:
    monday = _week(now.floor, 1 if now.floor.weekday() > 4 else 0)
    return monday, monday + 4 * _DAY


def _duration(match: re.Match[str], now: _Now) -> Days | None:
    """三天后, 三四天后, 两周后, 半个月后, 一个半月后, 两天前, 过三天."""
    parts = match.groupdict()
    if parts["unit"] == "月" and "个" not in match.group():
        return None  # 三月后 is after March
    sign = -1 if (parts["side"] or "").endswith("前") else 1
    count = parts["n"] or ""
    guess = re.fullmatch(r"[一二两三四五六七八][二两三四五六七八九]", count)
    counts = [_int(number) for number in count] if guess else [_int(count) if count else 0]
    if 0 in counts and not parts["half"]:
        return None
    days = [_shifted(now.today, sign, each, parts) for each in counts]
    return min(days), max(days)


def _shifted(today: date, sign: int, count: int, parts: dict[str, str | None]) -> date:
    unit, halves = parts["unit"], 1 if parts["half"] or parts["more"] else 0
    if unit in {"天", "日", "周"}:
        return today + timedelta(days=sign * (count * 7 + halves * 3 if unit == "周" else count))
    first = _month(today, sign * (count if unit == "月" else count * 12 + halves * 6))
    day = first.replace(day=min(today.day, _month_days(first)[1].day))
    return day + timedelta(days=sign * 15 * halves) if unit == "月" else day


def _within(match: re.Match[str], now: _Now) -> Days | None:
    days = _int(match["n"]) * {"天": 1, "日": 1, "周": 7, "月": 30}[match["unit"]]
    return now.today, now.today + timedelta(days=days)


def _vague(match: re.Match[str], now: _Now) -> Days | None:
    first, last = next(days for pattern, days in _VAGUE if pattern.fullmatch(match.group()))
    if now.past and first >= 0:
        first, last = -last, 0
    return now.today + timedelta(days=first), now.today + timedelta(days=last)


_VAGUE = (
    (re.compile(r"(?:这|最近)(?:一)?[两二]天"), (0, 1)),
    (re.compile(r"(?:这|最近)[几些]天|这些天"), (0, 3)),
    (re.compile(r"最近|近期|近来|这阵子|这段时间"), (0, 6)),
    (re.compile(r"再?过[两二]天"), (2, 3)),
    (re.compile(r"再?过[几些]天|[几]天后"), (3, 7)),
    (re.compile(r"前[两二]天|[几]天前"), (-3, -1)),
    (re.compile(r"前[几些]天|前阵子|前段时间"), (-7, -1)),
)


def _month_rule(match: re.Match[str], now: _Now) -> Days | None:
    """12月3号, 十二月, 12月底, 明年一月, 去年10月, 下个月初, 上个月15号, 月底."""
    parts = match.groupdict()
    day, part = parts.get("d"), parts.get("part")

    def at(first: date) -> Days | None:
        return _one(_date(first.year, first.month, _int(day))) if day else _month_days(first, part)

    if parts.get("rel"):
        return at(_month(now.today, _SHIFT[parts["rel"]]))
    month = parts.get("m")
    if not month:  # 月底, 月初 of the month that it still lies ahead in
        return _nearest([at(_month(now.floor, shift)) for shift in (-1, 0, 1)], now)
    if parts.get("year"):
        year = _year(parts["year"], now.today)
        return at(date(year, _int(month), 1)) if year else None
    years = range(now.floor.year - 8 if day else now.floor.year - 1, now.floor.year + 9)  # 2月29号 may wait eight years
    return _nearest([at(date(year, _int(month), 1)) for year in years], now)


def _year(text: str, today: date) -> int | None:
    if text in _YEARS:
        return today.year + _YEARS[text]
    number = integer_value(text.removesuffix("年"))
    return None if number is None else number if number > 99 else 2000 + number


def _year_rule(match: re.Match[str], now: _Now) -> Days | None:
    if re.match(r"\d\d年", match["year"]):  # 高血压20年 is a length; 26年 is a year only with its month
        return None
    year = _year(match["year"], now.today)
    return None if year is None else _year_part(year, match["part"])


def _year_part(year: int, part: str | None) -> Days:
    months = {"初": (1, 1), "底": (12, 12), "末": (12, 12)}.get(part or "", (1, 12))
    return date(year, months[0], 1), _month_days(date(year, months[1], 1))[1]


def _year_edge(match: re.Match[str], now: _Now) -> Days | None:
    years = range(now.floor.year - 1, now.floor.year + 2)
    return _nearest([_year_part(year, match.group()[1]) for year in years], now)


def _day_only(match: re.Match[str], now: _Now) -> Days | None:
    months = [_month(now.floor, shift) for shift in range(-2, 4)]
    return _nearest([_one(_date(month.year, month.month, _int(match["d"]))) for month in months], now)


def _day_range(match: re.Match[str], now: _Now) -> Days | None:
    """3-5号; from the end of one month into the next is left to the joining of two days."""
    start = _day_only(match, now)
    end = start and _date(start[0].year, start[0].month, _int(match["d2"]))
    return (start[0], end) if start and end and start[0] < end else None


def _festival(match: re.Match[str], now: _Now) -> Days | None:
    if match["year"]:
        year = _year(match["year"], now.today)
        return festivals.days(match["feast"], year) if year else None
    return _nearest([festivals.days(match["feast"], now.floor.year + shift) for shift in (-1, 0, 1)], now)


def _around_new_year(match: re.Match[str], now: _Now) -> Days | None:
    """年前 and 年后 mean the Spring Festival, not the first of January."""
    feast = _nearest([festivals.days("春节", year) for year in range(now.floor.year - 1, now.floor.year + 2)], now)
    if not feast:
        return None
    if match.group() == "年前":
        return (now.floor, feast[0] - _DAY) if feast[0] > now.floor else None
    return feast[1] + _DAY, feast[1] + OPEN_DAYS * _DAY


_NEXT_WEEKDAY = r"(?:(?:[、和或跟与到至~—-]|或者)?周?(?P<wd2>[一二三四五六日天](?![点号月个十次天位楼诊层周年])))?"
_AGO = r"(?P<side>以后|之后|过后|以前|之前|后|前)(?![天台面])"
_LENGTH = rf"(?:(?P<half>半)|(?P<n>{_N}))个?(?P<more>半)?(?P<unit>天|日|周|月|年)"
_MD_TAIL = rf"(?:(?P<d>{_DAY_NUMBER})(?![\d点个月年])(?:{_HAO})?|{_PART})?(?!\d+[号日])"  # 12月32号 is no day
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], _Now], Days | None]], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"(?<!\d)(?P<y>(?:19|20)\d\d)[-/.年](?P<m>\d\d?)[-/.月](?P<d>\d\d?)(?!\d)[号日]?", _full),
        (r"(?<![\d-])(?P<y>20\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?![\d-])", _full),
        (r"大前天|大后天|前天|昨天|今天|明天|(?<![\d一二两三四五六七八九十几]天)后天", _named_day),
        (r"(?P<first>今明|明后|昨今)(?:[两二]?天)?(?!年)", _two_days),
        (rf"{_REL}周(?P<wd>{_WD}){_NEXT_WEEKDAY}", _weekday),
        (rf"(?<![一二两三四五六七八九十几每\d])周(?P<wd>{_WD}){_NEXT_WEEKDAY}(?!岁|鸣)", _weekday),
        (rf"{_REL}周(?![一二三四五六日天末岁\d])[内里]?", _whole_week),
        (r"工作日", _workdays),
        ("|".join(pattern.pattern for pattern, _ in _VAGUE), _vague),
        (rf"(?:再?过)?{_LENGTH}{_AGO}", _duration),
        (rf"再?过{_LENGTH}(?P<side>)", _duration),
        (rf"(?:这|近|未来|接下来|今后)?(?P<n>{_N})个?(?P<unit>[天日周月])(?:之内|以内|内)", _within),
        (rf"(?:未来|接下来|今后)(?P<n>{_N})个?(?P<unit>[天日周月])", _within),
        (rf"(?:{_YEAR})?(?<!\d)(?P<m>{_MONTH})月份?(?!龄|大|经|怀胎){_MD_TAIL}", _month_rule),
        (rf"{_REL}月份?的?(?:(?P<d>{_DAY_NUMBER}){_HAO}|{_PART})?", _month_rule),
        (rf"(?<![\d个一二两三四五六七八九十])月{_PART}", _month_rule),
        (rf"(?<!\d){_YEAR}(?P<part>[初底末])?", _year_rule),
        (r"(?<![今明去前后\d])年[底末初]", _year_edge),
        (r"(?<![\d一二两三四五六七八九十半个去前今明后多几])年[前后]", _around_new_year),
        (rf"(?<![\d第.])(?P<d>{_DAY_NUMBER})[号日]?[-~到至](?P<d2>{_DAY_NUMBER}){_HAO}", _day_range),
        (rf"(?<![\d第.挂月/一二三四五六七八九十])(?P<d>{_DAY_NUMBER})(?!日){_HAO}(?!难求)", _day_only),
        (rf"(?<![\d第.月/了后续共每院烧])(?P<d>\d{{1,2}}|[二三]?十[一二三四五六七八九]?)(?!号){_HAO}", _day_only),
        (rf"(?:{_YEAR})?(?P<feast>{festivals.NAMES})节?(?![路街花])", _festival),
    )
)
# 10.3 and 12/3 alone are days; in a sentence they may be a price or a dose, so something must say that they are days.
_FIGURES = re.compile(r"(?<![\d./-])(?P<m>1[0-2]|0?[1-9])[./-](?P<d>3[01]|[12]\d|0?[1-9])(?![\d./%％-])[号日]?")
_FIGURES_BEFORE = re.compile(r"(?:约到?|改到?|挂|在|到|等|就)$")
_FIGURES_AFTER = re.compile(r"^(?:上午|下午|早上|晚上|中午|的?号|那天|周)")
_JOIN = re.compile(r"(?:上午|下午|早上|晚上)?(?:到|至|[-~—]|或者?|和|跟|与|、|还是)+")
_AFTER = re.compile(r"(?:以后|之后|过后|往后|后(?!天|面|勤|台))")
_BEFORE = re.compile(r"(?:以前|之前|前(?!天|面|台|列))")
_AROUND = re.compile(r"(?:左右|前后)")
_LOOKS_BACK = re.compile(
    r"那次|那回|那阵|那会儿|住的院|住院的|出的院|出院的|做的(?:手术|检查)|看的病|开的药|交的|花的|扣的|的时候"
)


def _anchors(text: str, now: _Now, whole: bool) -> Iterator[tuple[int, int, Days, bool]]:
    """Give (start, end, days, wide) from left to right, at each place the longest; wide: a festival or several days."""
    found: list[tuple[int, int, Days, bool]] = []
    for pattern, rule in _RULES:
        for match in pattern.finditer(text):
            days = rule(match, now)
            if days:
                found.append((*match.span(), days, rule is _festival or days[0] != days[1]))
    for match in _FIGURES.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        alone = whole and not before and bool(re.fullmatch(r"[的号日吧那天]*", after))
        if alone or match.group()[-1] in "号日" or _FIGURES_BEFORE.search(before) or _FIGURES_AFTER.match(after):
            days = _month_rule(match, now)
            if days:
                found.append((*match.span(), days, False))
    last = -1
    for start, end, days, wide in sorted(found, key=lambda item: (item[0], -item[1])):
        if start >= last:
            last = end
            yield start, end, days, wide


def _spans(text: str, now: _Now, whole: bool) -> list[tuple[int, int, Days]]:
    """Join anchors (周一到周五) and apply 以后, 之前, 左右."""
    spans: list[tuple[int, int, Days]] = []
    for start, end, days, wide in _anchors(text, now, whole):
        if spans and _JOIN.fullmatch(text[spans[-1][1] : start]):
            begin, _, first = spans[-1]
            later = replace(now, floor=first[0], past=False)  # 12月28号到3号 is counted from the first
            last = next((again[2] for again in _anchors(text[start:end], later, True)), days)
            if first[0] <= last[1]:
                spans[-1] = (begin, end, (first[0], last[1]))
                continue
        spans.append((start, *_edge(text, end, days, wide, now)))
    return spans


def _edge(text: str, end: int, days: Days, wide: bool, now: _Now) -> tuple[int, Days]:
    """Apply what follows a day. The day itself belongs to 10号以后 and 10号之前; a festival or a week does not."""
    after, before, around = (pattern.match(text, end) for pattern in (_AFTER, _BEFORE, _AROUND))
    if after:
        start = days[1] + _DAY if wide else days[0]
        return after.end(), (start, start + (OPEN_DAYS - 1) * _DAY)
    if before:
        until = days[0] - _DAY if wide else days[0]
        return (before.end(), (now.today, until)) if until >= now.today else (end, days)
    if around and not wide:
        return around.end(), (days[0] - _DAY, days[1] + _DAY)
    return end, days


def _show(days: Days) -> str:
    return days[0].isoformat() if days[0] == days[1] else f"{days[0].isoformat()}/{days[1].isoformat()}"


def date_value(span: str, now: datetime, *, past: bool = False) -> str | None:
    """Give the day a span names as '2026-11-22', or a closed range 'from/to' (下周, 周末, 月底, 国庆后), or None.

    `now` is aware; the day is the hospital's, in Asia/Shanghai. Bare days lie ahead, unless `past` says that the talk
    is about what has been (a bill), or the span does (10月12号住院那次). 这几天 and 最近 get a range of a few days.
    """
    text = plain(span).text.strip(",。.!?;")
    text = re.sub(r"^十一(?=$|[之以]?[前后])", "国庆", text)  # alone the word is the holiday and no number
    today = local(now).date()
    spans = _spans(text, _Now(today, today, past or bool(_LOOKS_BACK.search(text))), whole=True)
    if spans:
        return _show(max(spans, key=lambda item: (item[1] - item[0], -item[0]))[2])
    days = festivals.other(text, today, past)
    return _show(days) if days else None


def find_dates(text: str, now: datetime, *, past: bool = False) -> list[tuple[int, int, str]]:
    """Give (start, end, value) of the days in a message, in order; places are those of the patient's own text."""
    said = plain(text)
    today = local(now).date()
    looking_back = {start: days for start, _, days in _spans(said.text, _Now(today, today, past=True), whole=False)}
    found = []
    for start, end, days in _spans(said.text, _Now(today, today, past), whole=False):
        if _LOOKS_BACK.search(said.text[end : end + 6]):
            days = looking_back.get(start, days)
        found.append((*said.span(start, end), _show(days)))
    return found
