"""Which amount in a sentence is the total, which is self-pay (自费), which is class B (乙类). Pure."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from bot.language.numbers import amount_value

_CLAUSE = re.compile(r"[，,。；;！!？?\n]")
_SELF = re.compile(r"自费|进口材料|进口药|目录外")
_CLASS_B = re.compile(r"乙类")
_OTHER = re.compile(r"押金|预交|起付|门槛|报了|报完|报销了|已报|医保报|工资|退休金|封顶|一档|每月交")
_TOTAL = re.compile(r"总|一共|共|花|合计|费用|用了|使了")
_NONE = r"(?:没有|没|无|不含|零|0元?)(?:任何)?的?"
_IS_NONE = r"[^，,。；;\d]{0,4}?(?:没有|无|为零|是零|是0|为0|0元)"
_NO_SELF = re.compile(rf"{_NONE}(?:乙类(?:和|跟|或|、))?自费|自费{_IS_NONE}")
_NO_B = re.compile(rf"{_NONE}(?:自费(?:和|跟|或|、))?乙类|乙类{_IS_NONE}")
# Used only where the recogniser found no amount: figures, or Chinese numerals that end in 元, 块, 万, 千 or 百.
_BARE = re.compile(
    r"[¥￥]?(?<![\d*-])\d[\d,]*(?:\.\d+)?\s*[万千wWkK]?\d{0,3}\s*(?:元|块)?(?![\d*岁次天月日号年%级])"
    r"|[零一二两三四五六七八九十百千万]*[一二两三四五六七八九十][百千万][零一二两三四五六七八九十百千]*(?:元|块)?"
)


def amounts_in(text: str, entities: Iterable[Mapping] = ()) -> dict[str, str]:
    """Give `total`, `self_pay` and `class_b` as far as the text tells them, as decimal numbers in text (yuan).

    没有乙类 gives class_b "0". An amount whose role is not said is the total, if it is the only such amount.
    """
    found: dict[str, str] = {}
    loose: list[str] = []
    past = 0
    for start, end, value in _spans(text, entities):
        before = _CLAUSE.split(text[past:start])[-1]
        after = _CLAUSE.split(text[end : end + 10])[0]
        past = end
        role = _role(before, after)
        if role == "loose":
            loose.append(value)
        elif role and (role != "total" or "total" not in found or "总" in before):
            found[role] = value
    if "total" not in found and len(set(loose)) == 1:
        found["total"] = loose[0]
    if _NO_SELF.search(text):
        found.setdefault("self_pay", "0")
    if _NO_B.search(text):
        found.setdefault("class_b", "0")
    return found


def _role(before: str, after: str) -> str | None:
    places = {
        "self_pay": _last(_SELF, before),
        "class_b": _last(_CLASS_B, before),
        "other": _last(_OTHER, before),
        "total": _last(_TOTAL, before),
    }
    if re.match(r"(?:多|左右)?(?:元|块钱?)?(?:都)?(?:是|的|为)?(?:自费|进口)", after):
        return "self_pay"
    if re.match(r"(?:多|左右)?(?:元|块钱?)?(?:是|的|为)?乙类", after):
        return "class_b"
    nearest = max(places, key=lambda name: places[name])
    if places[nearest] < 0:
        return "loose"
    return None if nearest == "other" else nearest


def _last(pattern: re.Pattern, text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def _spans(text: str, entities: Iterable[Mapping]) -> list[tuple[int, int, str]]:
    given = [e for e in entities if e["entity"] == "amount"]
    if given:
        spans, at = [], 0
        for entity in given:
            word = entity.get("text") or ""
            start = text.find(word, at) if word else -1
            value = entity.get("value") or _value(word)
            if value is not None and start >= 0:
                spans.append((start, start + len(word), str(value)))
                at = start + len(word)
        return spans
    found = ((m.start(), m.end(), _value(m.group())) for m in _BARE.finditer(text))
    return [(start, end, value) for start, end, value in found if value is not None and Decimal(value) >= 10]


def _value(word: str) -> str | None:
    value = amount_value(word)
    return None if value is None else format(value.normalize(), "f")
