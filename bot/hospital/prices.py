"""The price list as patients ask for it (R95): what do they mean, and which items could it be."""

import re
from collections.abc import Mapping
from functools import lru_cache

from bot.hospital.load import load_hospital
from bot.hospital.matching import MOST, Entry, Index, Match, normalise
from bot.hospital.model import CATEGORIES, Hospital

CATEGORY = "category"
# Other words for the national classes (B2: 中草药 = 中药饮片, 诊查 = 诊察 = 医事服务, 材料 = 卫生材料, 化验 = 检验).
CATEGORY_WORDS: Mapping[str, tuple[str, ...]] = {
    "01": ("床位费", "床位", "病床费", "住院床位", "床费"),
    "02": ("诊察费", "诊查费", "医事服务费", "诊疗费"),
    "03": ("检查费", "检查费用"),
    "04": ("化验费", "检验费", "化验费用"),
    "05": ("治疗费", "治疗费用"),
    "06": ("手术费", "手术费用"),
    "07": ("护理费", "护理费用"),
    "08": ("卫生材料费", "材料费", "耗材费", "医用材料", "耗材"),
    "09": ("西药费", "西药"),
    "10": ("中药饮片费", "中草药费", "草药费"),
    "11": ("中成药费", "中成药"),
    "12": ("一般诊疗费",),
    "13": ("挂号费", "号费"),
    "14": ("其他费", "其他费用", "其它费用"),
}
SHARED_CATEGORY_WORDS: Mapping[str, tuple[str, ...]] = {
    "药费": ("09", "10", "11"),
    "药品费": ("09", "10", "11"),
    "药钱": ("09", "10", "11"),
    "中药费": ("10", "11"),
}
_NOISE = re.compile(
    r"(?:大概|一般)?(?:要|得)?(?:多少钱|几多钱|啥价|什么价|的?价格|的?收费|的?费用)$"
    r"|^(?:做|拍|查|开|打)(?:个|一个|一次|一下)?"
)
_STEM = re.compile(r"(?:检查|检测|化验|费用|费|项目)$")
_VAGUE = frozenset("住院 门诊 医院 检查 化验 治疗 手术 护理 费用 药品 医保 急诊 专家 普通".split())


def find_items(name: str, hospital: Hospital | None = None) -> list[Match]:
    """Give the price items that a word may mean, best first, at most twelve; [] when there is none.

    A fee category (床位费) gives its items. The code is the key of `Hospital.prices`.
    """
    hospital = hospital or load_hospital()
    if categories := category_codes(name):
        items = [item for item in hospital.prices.values() if item.category in categories]
        return [Match(item.code, item.name, 0.9) for item in items[:MOST]]
    return _index(hospital).ranked(name)


def resolve_fee_item(span: str, hospital: Hospital | None = None) -> list[Match]:
    """Give what a `fee_item` span means: one match, several (ask back), or [] for unknown.

    A match of kind "category" carries a key of `CATEGORIES` as its code, all others a code of the price list.
    """
    hospital = hospital or load_hospital()
    if categories := category_codes(span):
        score = 1.0 if len(categories) == 1 else 0.9
        return [Match(code, CATEGORIES[code], score, CATEGORY) for code in categories]
    return _index(hospital).best(span)


def category_codes(word: str) -> tuple[str, ...]:
    """Give the national classes that a word names (药费 → 09, 10, 11), or ()."""
    text = normalise(word)
    for wanted in (text, _NOISE.sub("", text)):
        if wanted in SHARED_CATEGORY_WORDS:
            return SHARED_CATEGORY_WORDS[wanted]
        if codes := tuple(code for code, words in CATEGORY_WORDS.items() if wanted in words):
            return codes
    return ()


def fee_words(hospital: Hospital) -> list[str]:
    """Give every word for a fee item or category, for the recogniser's lexicon."""
    words = [word for item in hospital.prices.values() for word in (item.name, *item.aliases, *item.groups)]
    words += [word for category in CATEGORY_WORDS.values() for word in category]
    return list(dict.fromkeys([*words, *SHARED_CATEGORY_WORDS]))


@lru_cache(maxsize=8)
def _index(hospital: Hospital) -> Index:
    entries = (
        Entry(item.code, item.name, (item.name, *item.aliases), item.groups) for item in hospital.prices.values()
    )
    return Index(entries, _NOISE, _STEM, _VAGUE)
