"""The price list in the patient's words: what is meant, what it costs, what its class means (R95, B2). Pure."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from bot.hospital.matching import PART, SOUND, TYPO, one_edit, sound
from bot.hospital.model import Hospital, PriceItem
from bot.hospital.names import lexicon
from bot.hospital.prices import category_codes, fee_words, resolve_fee_item
from bot.language.script import to_simplified
from bot.money import round_cent, yuan_text

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


def share_text(item: PriceItem) -> str:
    """Say the class of an item with its amounts: how much is paid first, how much enters the reckoning of the scheme."""
    if item.insurance == "自费":
        return class_text(item)
    reckoned = parts_of(item)
    first, over = (Decimal(reckoned.get(name, "0")) for name in ("prepaid", "over_limit"))
    within = item.price - over
    parts = [f"先由您自己付{percent_text(item.pay_first)}，约{yuan_text(first)}"] if first else []
    parts += [f"高于限价的{yuan_text(over)}由您自己付"] if over else []
    enters = f"{'其余' if parts else ''}{yuan_text(within - first)}列入医保报销计算"
    return f"医保{item.insurance}类（{'，'.join([*parts, enters])}）"


def parts_of(item: PriceItem) -> dict[str, str]:
    """Give an item's price in the parts that the insurance tells apart, in yuan: total, self_pay, class_b (none: its share
    is known and stands as prepaid), over_limit, prepaid."""
    if item.insurance == "自费":
        return {"total": str(item.price), "self_pay": str(item.price)}
    within = item.price if item.limit is None else min(item.price, item.limit)
    parts = {"over_limit": item.price - within, "prepaid": round_cent(within * item.pay_first)}
    return {"total": str(item.price), "self_pay": "0", "class_b": "0", **{k: str(v) for k, v in parts.items() if v}}


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
    matches = resolve_fee_item(word, hospital)
    items = [hospital.prices[match.code] for match in matches]
    if matches and matches[0].score < SOUND:
        items = [item for item in items if not _other_part(word, item)]
    return items, False


def _other_part(word: str, item: PriceItem) -> bool:
    """手部核磁 is no slip of the pen for 头部核磁: before a group word another character is another part of the body."""
    ends = any(word.endswith(group) for group in item.groups)
    names = (item.name, *item.aliases)
    return ends and not any(len(name) != len(word) and one_edit(name, word) for name in names)


_ASKING = re.compile(
    r"请问|麻烦|咨询一下|咨询|想问一下|想问|问一下|问下|你们|您们|贵院|医院|这里|这边|这儿|那里|那边|我们|我要|我想|我|想要|想|要做|要|"
    r"做个|做一个|做一次|做|拍个|拍一个|拍|查个|查一下|查|照个|照|开个|打个|得|大概|大约|一般|现在|今天|明天|后天|上午|下午|"
    r"多少钱|几多钱|几多錢|多少錢|多少|几块钱|几钱|啥价|什么价位|什么价|怎么收费|收费标准|收多少|收费|价格|价钱|价位|费用是|"
    r"贵不贵|贵吗|一次|一个|一下|一共|总共|需要|能报销吗|能报吗|能报多少|报销|能不能报|可以报|医保|呢|吗|呀|啊|吧|呐|是|的|个|"
    r"[\s，,。.！!？?、~～]"
)
_JOINT = re.compile(r"[和跟与及或、，,；;。？?！!\s]|还有|以及")
_BEGINS_ANEW = re.compile(
    r"[让叫说开做拍查照想去要需该给带换用打看约问交有是的了过完议求配]"
)  # 医生让我做核磁: nothing of it qualifies
_MODIFIER_FILLER = re.compile(
    r"孩子|小孩|儿子|女儿|宝宝|老人|爸爸|妈妈|爸|妈|老婆|老公|全套|全部|所有|普通|常规|单纯|那种|这种|那个|这个|种|套|份|项|项目|"
    r"去|来|再|都|光|只|在|给|帮|有|做过|各|各自|分别|关于|对于|住院|门诊|急诊|每天|一天|每日|天|日|次|回|带|家|里"
)
UNSURE = re.compile(
    r"没说|没讲|没写|没告诉|忘|不(?:太)?(?:知道|清楚|确定|记得|晓得)|随便|哪个都|都(?:行|可以|要|看看)|全部|所有|都列|都说"
)
WHY = re.compile(
    r"为什么|为啥|凭什么|怎么(?:会)?(?:这么|那么|那|这)?.{0,6}(?:贵|高|多钱)|(?:这么|那么|太|好)(?:贵|高)|不合理|乱收"
)
# What a price can be asked for without standing on our list; 退费, 人 and 明天 are no such names.
_NAME = re.compile(r"[A-Za-z0-9一-鿿\-]{3,12}")
_ASKS_PRICE = re.compile(r"多少钱|价|收费|费用|几多錢|几钱")
_NO_ITEM = re.compile(r"退|投诉|人工|取消|不要了")
_ITEM_LIKE = re.compile(r"[检查验]|体检|手术|治疗|疫苗|[费片针药镜超仪]$")
MOST_NAMED = 12  # characters; a longer rest is a story and names no item


def asked_core(text: str) -> str:
    """Give what is left of a question when the asking words are taken away: 和磁 of 和磁多少钱, 量子波动体检 of 做个量子波动体检要多少钱."""
    text = to_simplified(text)
    return _ASKING.sub("", text)


def names_item(word: str, hospital: Hospital, least: float = SOUND) -> bool:
    """Tell whether a word really names an item or group: exactly, by alias, group or sound; a typo needs `least` TYPO."""
    word = WARD_WORDS.get(word, word)
    if category_codes(word):
        return True
    matches = resolve_fee_item(word, hospital) if 2 <= len(word) <= MOST_NAMED else []
    return bool(matches) and matches[0].score >= least


def named_in(text: str, hospital: Hospital) -> list[str]:
    """Give the words that a question without recognised items names: from the price list, or by sound (和磁) or typo."""
    text = to_simplified(text)
    core = asked_core(text)
    found = [word for word in words_in(text, hospital) if word not in GENERIC]
    if found:
        return found
    parts = [part for part in _JOINT.split(core) if part]
    whole = [core] if names_item(core, hospital, TYPO if len(core) >= 3 else SOUND) else []
    return whole or [part for part in parts if names_item(part, hospital, PART)]


def qualified(word: str, text: str, known: Sequence[str] = ()) -> str:
    """Give the longer name that a group word is only the end of (量子波动体检 for 体检), "" where nothing stands before it.

    `known` are the texts of other things in the sentence (parts of the body, relatives, dates): they qualify nothing.
    """
    at = text.find(word)
    if at <= 0:
        return ""
    before = _JOINT.split(text[:at])[-1]
    for other in sorted((*known, *lexicon("symptom")), key=len, reverse=True):
        before = before.replace(other, "")
    before = _MODIFIER_FILLER.sub("", _ASKING.sub("", _BEGINS_ANEW.split(before)[-1]))
    return before + word if len(before) >= 2 else ""


def whole_name(word: str, text: str, hospital: Hospital, known: Sequence[str] = ()) -> str:
    """Give 量子波动体检 for 体检 in such a text: a group word that only ends a longer name is not the group's."""
    word, text = to_simplified(word), to_simplified(text)
    items, category = items_for(word, hospital)
    if category or len(items) < 2 or items[0].category == REGISTRATION:
        return word
    return qualified(word, text, known) or word


def unlisted_name(text: str) -> str:
    """Give the name in 头发检测多少钱 that the price list does not hold, "" where the question names nothing."""
    text = to_simplified(text)
    core = asked_core(text)
    return core if _ASKS_PRICE.search(text) and _NAME.fullmatch(core) else ""


def names_said(said: str, hospital: Hospital) -> list[str]:
    """Give the items that an answer to 哪个项目 names; [] where it is about something else (人呢, 我要退费)."""
    said = to_simplified(said)
    if _NO_ITEM.search(said):
        return []
    if names_item(said, hospital):
        return [said]
    if found := named_in(said, hospital):
        return [whole_name(word, said, hospital) for word in found]
    core = asked_core(said)
    return [core] if _ITEM_LIKE.search(said) and _NAME.fullmatch(core) else []


def could_name(said: str, codes: Iterable[str], hospital: Hospital) -> bool:
    """Tell whether words may answer 哪个项目 or 哪个部位; `codes` are the items offered, if any."""
    if UNSURE.search(said) or names_said(said, hospital):
        return True
    bare = _FILLER.sub("", said)
    offered = [hospital.prices[code] for code in codes if code in hospital.prices]
    return bool(bare) and any(bare in name for item in offered for name in (item.name, *item.aliases))


def proper_word(word: str, items: Sequence[PriceItem]) -> str:
    """Give 核磁 for 和磁: the word that all these items share and that sounds alike."""
    shared = [name for name in items[0].groups if all(name in item.groups for item in items)]
    return word if word in shared else next((name for name in shared if sound(name) == sound(word)), word)


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
    for attempt in (said, bare + word, re.sub("[上里边面]", "", bare) + word):
        matches = resolve_fee_item(attempt, hospital)
        if len(matches) == 1 and matches[0].code in hospital.prices and matches[0].score >= SOUND:
            item = hospital.prices[matches[0].code]
            if item.code in codes or attempt == said:
                return [item]
    if len(bare) < 2:
        return []
    return [item for item in items if any(bare in name for name in (item.name, *item.aliases))]
