"""Numbers as patients write them: 三万二, 3.2w, 2k3, 第二个, 最后一个.

`None` always means: this says no exact number (几百块, 两三万, 半天), so the caller asks.
"""

import re
from decimal import Decimal

from bot.language.spoken import one_width

_DIGITS = {character: value for value, word in enumerate("零一二三四五六七八九") for character in word} | {
    "〇": 0, "○": 0, "幺": 1, "两": 2, "俩": 2, "壹": 1, "贰": 2, "貳": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6,
    "柒": 7, "捌": 8, "玖": 9,
}  # fmt: skip
_UNITS = {
    "十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000, "k": 1000, "万": 10**4, "w": 10**4, "亿": 10**8,
}  # fmt: skip
_SPECIAL = {"廿": "二十", "卅": "三十", "仨": "三", "萬": "万", "億": "亿", "K": "k", "W": "w"}
_DIGIT = "[" + "".join(_DIGITS) + "]"
_UNIT = "[" + "".join(_UNITS) + "]"
_TOKEN = re.compile(rf"(?P<figure>\d+(?:\.\d+)?)|(?P<word>{_DIGIT})|(?P<unit>{_UNIT})")
_VAGUE = re.compile(
    r"[几数好]"
    rf"|(?:一两|一二|两三|二三|三四|三五|四五|五六|六七|七八|八九)(?={_UNIT}|[个天位次块元周月年])"  # 两三万: a guess
    r"|\d[-~到至]\d|[百千万][-~到至]"
)


def _number(text: str) -> Decimal | None:
    """Read a whole numeral, Arabic, Chinese or mixed (3万2, 一万零五百, 2k3, 二〇二六); None when a rest is left."""
    text = "".join(_SPECIAL.get(character, character) for character in text)
    if not text:
        return None
    if re.fullmatch(rf"{_DIGIT}+", text):  # 一三八 is read out digit by digit
        return Decimal("".join(str(_DIGITS[character]) for character in text))
    total = section = Decimal(0)
    pending: Decimal | None = None
    last_unit = 0  # the unit just read, 0 after 零: then 一万零五 is 10005 and not 15000
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() != at:
            return None
        at = match.end()
        if match["unit"]:
            unit = _UNITS[match["unit"]]
            if pending is None and not (section or total) and unit != 10:
                return None  # a unit needs a number before it; only 十 stands alone
            if unit >= 10**4:
                if last_unit >= unit:
                    return None
                total, section, pending = (total + section + (pending or 0)) * unit, Decimal(0), None
            else:
                section, pending = section + (1 if pending is None else pending) * unit, None
            last_unit = unit
            continue
        value = Decimal(match["figure"]) if match["figure"] else Decimal(_DIGITS[match["word"]])
        if pending is not None and pending != 0:
            return None
        pending = value
        if value == 0:
            last_unit = 0
    if at != len(text):
        return None
    if pending is not None:
        # 三万二, 2k3, 两百五: the last digit counts the next smaller unit.
        elided = last_unit >= 100 and pending < 10 and pending == pending.to_integral_value()
        section += pending * last_unit / 10 if elided else pending
    return total + section


def integer_value(span: str) -> int | None:
    """Give the whole number in a span that is nothing but a number (十二, 两百五, ３, 3万); None otherwise."""
    text = one_width(span).replace(" ", "").replace(",", "")
    if _VAGUE.search(text):
        return None
    value = _number(re.sub(r"[个位次天人张份来多余约大概左右]+$", "", text))
    return int(value) if value is not None and value == value.to_integral_value() else None


_BEFORE_AMOUNT = re.compile(
    r"^(?:人民币|rmb|cny|[¥￥$]|大概|大约|差不多|将近|接近|近|小(?=[一二两三四五六七八九\d])|快|约|总共|一共|共|合计|花了|花费|超过|不到|才|就)+",
    re.I,
)
_AFTER_AMOUNT = re.compile(r"(?:左右|上下|以上|以内|出头|不到|多|\+|人民币|rmb|cny|钱|整|正|吧|啊|呢|了|的)+$", re.I)
_COIN = re.compile(r"^(?P<yuan>.+?)(?:元|块|圆)(?:(?P<jiao>[^角毛分]+)[角毛])?(?:(?P<tail>[^角毛分]+)分?)?$")
_SMALL = re.compile(
    r"^(?:(?P<jiao>[^角毛分元块圆]+)[角毛](?:(?P<tail>[^角毛分元块圆]+)分?)?|(?P<fen>[^角毛分元块圆]+)分)$"
)


def amount_value(span: str) -> Decimal | None:
    """Give an amount in yuan (三万二 → 32000, 3块5 → 3.5, ¥1,300.50 → 1300.50); None if it says no exact amount."""
    text = one_width(span).replace(" ", "").lower()
    text = re.sub(r"(?<=\d)[,，](?=\d{3})", "", text)
    text = _AFTER_AMOUNT.sub("", _BEFORE_AMOUNT.sub("", text))
    text = re.sub(r"个(?=亿)", "", text).replace("蚊", "块")
    text = re.sub(r"^([百千万])[把来](?=[元块]|$)", r"一\1", text)  # 千把块: about a thousand
    text = re.sub(rf"(?<=[\d{''.join(_DIGITS)}十百千万wk])[来多余](?=[元块万千wk]|$)", "", text)
    if not text or _VAGUE.search(text):
        return None
    small = _SMALL.match(text)
    if small:
        return _coins(Decimal(0), small["jiao"], small["tail"] or small["fen"])
    coin = _COIN.match(re.sub(r"(?:元|块|圆)$", "块", text))
    if coin and text[-1] not in "元块圆":
        yuan = _number(coin["yuan"])
        tail, jiao = coin["tail"], coin["jiao"]
        if tail and not jiao and not text.endswith("分") and not tail.startswith(("零", "0")):
            jiao, tail = tail, None  # 3块5 is three yuan fifty
        return None if yuan is None else _coins(yuan, jiao, tail)
    return _number(text.rstrip("元块圆"))


def _coins(yuan: Decimal, jiao: str | None, fen: str | None) -> Decimal | None:
    parts = [_number(part.lstrip("零0") or "零") if part else Decimal(0) for part in (jiao, fen)]
    if None in parts or any(part >= 10 for part in parts):
        return None
    return yuan + parts[0] / 10 + parts[1] / 100


_ONE = r"(?:那|这|的)?一?[个位项条家种张笔份次]?(?:吧|的|医生)?"
_FIRST = re.compile(rf"^(?:最?上[面边]|最?前[面边]|最早|最先|头){_ONE}$|^首[个位选]$|^前者$|^前一[个位项]$")
_LAST = re.compile(rf"^(?:最后面?|最?末尾?|末了|尾|最?下[面边]|最底下|后[面边]|最晚|垫底){_ONE}$|^后者$|^后一[个位项]$")
_COUNTED = re.compile(
    r"^(?:我?(?:选|要|就|挂|约|定|改|是|那就|还是)*)?(?P<back>倒数)?第?(?:选项)?"
    rf"(?P<number>\d+|[{''.join(_DIGITS)}十百]+|[a-f])"
    r"(?:[个号位项条种家行列张笔份次]|个?选项|、|\.|\))?(?:医生|大夫|主任|专家|时间|时段|科室|号源|那个|的)?(?:吧|啊|好了|可以|就行)?$"
)


def ordinal_value(span: str) -> int | None:
    """Give the 1-based place a patient picks from a list, -1 for the last, -2 for the one before it, or None.

    上面那个 and 头一个 are the first, 下面那个 is the last. 两个 is a count and no place.
    """
    text = one_width(span).replace(" ", "").lower().strip("()[]【】,。.!")
    if _FIRST.match(text):
        return 1
    if _LAST.match(text):
        return -1
    match = _COUNTED.match(text)
    if not match or re.match(r"^[一二三四五六七八九十两俩仨几\d]+[个张笔份次位]", text):
        return None
    number = match["number"]
    value = ord(number) - ord("a") + 1 if number in "abcdef" else integer_value(number)
    if not value:
        return None
    return -value if match["back"] else value
