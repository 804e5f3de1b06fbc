"""Which amount in a sentence is the total, which is self-pay (自费), which is class B (乙类). Pure.

The words are read as typed, with or without punctuation: 花了五万其中自费八千乙类一万. An amount of the recogniser is used
only where the text itself shows none.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from bot.language.numbers import amount_value
from bot.language.spoken import one_width

_CLAUSE = re.compile(r"[，,。；;！!？?\n]")
_LABELS = {
    "self_pay": re.compile(r"自费|进口材料|进口药|目录外|丙类"),
    "class_b": re.compile(r"乙类"),
    "other": re.compile(r"押金|预交|起付|门槛|报了|报完|报销了|已报|医保报|工资|退休金|封顶|一档|每月交|不是"),
    "total": re.compile(r"总|一共|共|花|合计|费用|用了|使了"),
}
# What may stand between an amount and the word behind it that says what it was: 五千块都是自费, 一万的进口药.
_TRAILING = re.compile(
    r"(?:多|左右|上下|来块)?(?:钱)?(?:都|全)?(?:是|的|为|属于|属)?(?P<word>自费|进口|目录外|丙类|乙类)"
)
_NONE = r"(?:没有|没|无|不含|零|0元?)(?:任何)?的?"
_IS_NONE = r"[^，,。；;\d]{0,4}?(?:没有|无|为零|是零|是0|为0|0元)"
_NO_SELF = re.compile(rf"{_NONE}(?:乙类(?:和|跟|或|、))?自费|自费{_IS_NONE}")
_NO_B = re.compile(rf"{_NONE}(?:自费(?:和|跟|或|、))?乙类|乙类{_IS_NONE}")

_DIGIT = "零〇一二两俩三四五六七八九十"
_UNIT = "百千万亿wk"
_FIGURE = rf"[\d{_DIGIT}{_UNIT}]"
_RUN = re.compile(
    rf"(?<![\d*.几数好第\-])(?<!分之)[¥￥]?(?P<number>[\d{_DIGIT}]{_FIGURE}*(?:(?:\.(?=\d)|,(?=\d{{3}}(?!\d))){_FIGURE}+)*)"
    r"(?P<coin>\s*(?:元|块)(?:(?P<small>[\d一二三四五六七八九])(?=[角毛钱，,。]|$))?)?"
)
# What counts something else: 83岁, 第二次, 20天, 三级, 2026年, 80%.
_COUNTED = re.compile(r"[岁次天月日号年%％级个周点时分位人床楼层盒片种项回倍折院*\-]|[甲乙](?!类)")
_LEVEL_BEHIND = re.compile(rf"^(?P<amount>.*[{_UNIT}])[一二三](?=$)")
SMALLEST = 10  # yuan; less than this without 元 or 块 is a count


def amounts_in(text: str, entities: Iterable[Mapping] = ()) -> dict[str, str]:
    """Give `total`, `self_pay` and `class_b` as far as the text tells them, as decimal numbers in text (yuan).

    没有乙类 gives class_b "0". An amount whose role is not said is the total, if it is the only such amount.
    """
    plain = one_width(text)
    spans = _spans(plain, entities)
    roles = _roles(plain, spans)
    found: dict[str, str] = {}
    loose: list[str] = []
    for (_, _, value), (role, words) in zip(spans, roles, strict=True):
        if role == "loose":
            loose.append(value)
        elif role != "other" and (role != "total" or "total" not in found or "总" in words):
            found[role] = value
    if "total" not in found and len(set(loose)) == 1:
        found["total"] = loose[0]
    if _NO_SELF.search(plain):
        found.setdefault("self_pay", "0")
    if _NO_B.search(plain):
        found.setdefault("class_b", "0")
    return found


def _roles(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[str, str]]:
    """Give (role, words before it) of each amount.

    From right to left: a word right behind an amount names it (五千自费药，总共两万五), unless the next amount has no other
    name (6万8自费3000乙类2万). "loose" means that no word names it.
    """
    roles: list[tuple[str, str]] = [("loose", "")] * len(spans)
    given_away = ""  # the role of the word behind this amount, when the amount after it does not need that word
    for place in range(len(spans) - 1, -1, -1):
        start, end, _ = spans[place]
        past = spans[place - 1][1] if place else 0
        following = spans[place + 1][0] if place + 1 < len(spans) else len(text)
        gap = text[past:start]
        before = _CLAUSE.split(gap)[-1]
        labels = _labels(before)
        behind = _behind(text[end:following], joined=place + 1 < len(spans)) or given_away
        given_away = ""
        name = labels[-1] if labels else ""
        if behind and behind != name:
            roles[place] = (behind, before)
            left_over = name
        else:
            roles[place] = (name or "loose", before)
            left_over = labels[-2] if len(labels) > 1 else ""
        # Without punctuation between, a word that this amount does not need may belong to the one before.
        at_once = _TRAILING.match(gap)
        if place and before == gap and left_over and at_once and _label_of(at_once["word"]) == left_over:
            given_away = left_over
    return roles


def _behind(rest: str, joined: bool) -> str:
    """Give the role that the words right behind an amount say, "" where they say none or another amount needs them."""
    match = _TRAILING.match(rest)
    if not match or (joined and _CLAUSE.search(rest) is None):
        return ""
    return _label_of(match["word"])


def _label_of(word: str) -> str:
    return "class_b" if word == "乙类" else "self_pay"


def _labels(words: str) -> list[str]:
    """Give the roles that words name, from left to right."""
    found = [(match.end(), role) for role, pattern in _LABELS.items() for match in pattern.finditer(words)]
    ordered = [role for _, role in sorted(found)]
    return [role for at, role in enumerate(ordered) if at == 0 or ordered[at - 1] != role]


def _spans(text: str, entities: Iterable[Mapping]) -> list[tuple[int, int, str]]:
    """Give (start, end, value) of the amounts of a text from left to right."""
    found = []
    for match in _RUN.finditer(text):
        number, end = match["number"], match.end()
        if not match["coin"] and _COUNTED.match(text, end):
            shorter = _LEVEL_BEHIND.match(number)  # 花了三万二级医院 is 30,000 and no 32,000
            if not shorter or text[end] not in "级甲乙次":
                continue
            end -= len(number) - len(shorter["amount"])
            number = shorter["amount"]
        value = amount_value(number + (match["coin"] or "").strip())
        money = match["coin"] or re.search(rf"[\d{_UNIT}]", number)
        if value is not None and money and (match["coin"] or value >= SMALLEST):
            found.append((match.start(), end, _plain(value)))
    at = 0
    for entity in entities:
        word = one_width(entity.get("text") or "") if entity["entity"] == "amount" else ""
        start = text.find(word, at) if word else -1
        value = entity.get("value")
        if start < 0 or value is None:
            continue
        at = start + len(word)
        if not any(start < end and begin < at for begin, end, _ in found):
            found.append((start, at, str(value)))
    return sorted(found)


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
