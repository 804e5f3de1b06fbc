"""The price list in the patient's words: what is meant, what it costs, what its class means (R95, B2). Pure."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from bot.hospital.model import Hospital, PriceItem
from bot.hospital.prices import category_codes, fee_words, resolve_fee_item
from bot.money import yuan_text

REGISTRATION = "13"
# What a rank or class of opening (号别) is called on the price list.
TITLE_WORDS = {
    "normal": "普通号",
    "expert": "专家号",
    "special": "特需号",
    "chief": "正主任号",
    "associate_chief": "副主任号",
    "attending": "普通号",
    "resident": "普通号",
}
_FILLER = re.compile(
    r"我|要|想|是|做|拍|照|查|看|的|那个|这个|部位|部|吧|呢|啊|哦|一下|检查|个|就|应该|[\s，,。.！!？?]"
)


def percent_text(share: Decimal) -> str:
    """Give 10% for 0.10."""
    return f"{(share * 100).normalize():f}%"


def class_text(item: PriceItem) -> str:
    """Say 甲, 乙 or 自费 in plain words. 甲 means that all of it *enters* the reckoning, not that all is paid (B2)."""
    limited = item.limit is not None and item.price > item.limit
    within = f"{yuan_text(item.limit)}以内" if limited else ""
    above = f"，高于{yuan_text(item.limit)}的部分由您自己付" if limited else ""
    if item.insurance == "甲":
        return f"医保甲类（{within or '费用全部'}列入医保报销计算{above}）"
    if item.insurance == "乙":
        return f"医保乙类（{within}先由您自己付{percent_text(item.pay_first)}，其余列入医保报销计算{above}）"
    return "自费项目（费用全部由您自己付）"


def short_class(item: PriceItem) -> str:
    """Give 甲类, 乙类先付10% or 自费, for lists."""
    if item.insurance == "乙":
        return f"乙类先付{percent_text(item.pay_first)}"
    return "甲类" if item.insurance == "甲" else "自费"


def price_row(item: PriceItem, short: bool = False) -> str:
    """Give one line of the list; `short` where many stand together."""
    said = not short and item.limit is not None and "个人承担" in item.note  # the class says it with the amount
    note = f"。{item.note}" if item.note and not said else ""
    return f"{item.name}：{unit_price(item)}，{short_class(item) if short else class_text(item)}{note}"


def unit_price(item: PriceItem) -> str:
    """Give 480元/部位."""
    return f"{yuan_text(item.price)}/{item.unit}"


def range_text(items: Sequence[PriceItem]) -> str:
    """Give the prices of several items together: 480元至820元, or 480元 where they cost the same."""
    low, high = min(item.price for item in items), max(item.price for item in items)
    return yuan_text(low) if low == high else f"{yuan_text(low)}至{yuan_text(high)}"


def classes_text(items: Iterable[PriceItem]) -> str:
    """Give the classes of several items: 医保乙类, or 甲类、乙类、自费都有."""
    found = {item.insurance for item in items}
    names = [name for key, name in (("甲", "甲类"), ("乙", "乙类"), ("自费", "自费")) if key in found]
    if len(names) == 1:
        return "自费项目" if names == ["自费"] else f"医保{names[0]}"
    return "、".join(names) + "都有"


def dates_text(items: Iterable[PriceItem]) -> str:
    """Give since when the prices hold: 2026年1月1日, the dates joined where they differ."""
    days = sorted({item.valid_from for item in items})
    return "、".join(f"{day.year}年{day.month}月{day.day}日" for day in days)


WARD_WORDS = {"病房": "床位费", "病床": "床位费", "住院床位": "床位费"}
# Too wide for a price: these words say where or that it costs, not what.
GENERIC = frozenset(
    "住院费 住院费用 门诊费用 门诊费 医疗费 医疗费用 医药费 费用 总费用 花费 价格 收费 杂费 钱 清单 账单 项目".split()
)


def items_for(word: str, hospital: Hospital) -> tuple[list[PriceItem], bool]:
    """Give the items a word may mean and whether it names a whole category (床位费, 药费)."""
    word = WARD_WORDS.get(word, word)
    if categories := category_codes(word):
        return [item for item in hospital.prices.values() if item.category in categories], True
    return [hospital.prices[match.code] for match in resolve_fee_item(word, hospital)], False


def words_in(text: str, hospital: Hospital) -> list[str]:
    """Give the words of the price list that stand in a text, the longest first at each place."""
    found, taken = [], 0
    words = sorted((word for word in fee_words(hospital) if len(word) >= 2), key=len, reverse=True)
    lower, words = text.lower(), [(word, word.lower()) for word in words]
    while taken < len(text):
        hit = next((word for word, plain in words if lower.startswith(plain, taken)), None)
        if hit:
            found.append(text[taken : taken + len(hit)])
        taken += len(hit) if hit else 1
    return list(dict.fromkeys(found))


def choose(said: str, word: str, items: Sequence[PriceItem], hospital: Hospital) -> list[PriceItem]:
    """Give what an answer to 哪个部位？ picks: 胸部的, after CT, is the chest CT. Several or none: it stays open."""
    bare = _FILLER.sub("", said)
    codes = {item.code for item in items}
    for attempt in (said, bare + word):
        matches = resolve_fee_item(attempt, hospital)
        if len(matches) == 1 and matches[0].code in hospital.prices:
            item = hospital.prices[matches[0].code]
            if item.code in codes or attempt == said:
                return [item]
    if not bare:
        return []
    return [item for item in items if any(bare in name for name in (item.name, *item.aliases))]
