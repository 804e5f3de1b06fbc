"""Traditional and Simplified characters: the script of the reply is the script of the patient (R46).

To Traditional goes by OpenCC's `s2hk`: it changes characters and leaves words alone. `s2twp` would also change words
(打印 → 列印, 信息科 → 資訊科), and then the reply would no longer name what the signs in a mainland hospital say.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from opencc import OpenCC

# The Hong Kong list prefers a few forms that hardly anyone types; the everyday ones read easier.
_EVERYDAY = str.maketrans("羣牀麪竈", "群床麵灶")
# 范 and 于 are surnames as they stand, OpenCC would write 範醫生 and 於主任.
_SURNAMES = re.compile(
    r"(?:(?<![规模示防师典])范|(?:(?<![\u4e00-\u9fff])|(?<=[和与、找约挂由向给]))于)(?=医生|主任|大夫|教授|护士|先生|女士)"
)
_HALVES = re.compile("[\u3400-\u9fff]")


@lru_cache(maxsize=4)
def _converter(config: str) -> OpenCC:
    return OpenCC(config)


def is_traditional(text: str) -> bool:
    """Say whether a text is written in Traditional characters; False where its characters are the same in both."""
    characters = _HALVES.findall(text)
    if not characters:
        return False
    plain = "".join(characters)
    traditional = _different(plain, to_simplified(plain))
    return traditional > 0 and traditional > _different(plain, _converter("s2t").convert(plain))


def _different(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=False))


def to_traditional(text: str, keep: Sequence[str] = ()) -> str:
    """Give the text in Traditional characters; the names in `keep` (doctors, patients) stay as they are written."""
    shields = [re.escape(name) for name in sorted(keep, key=len, reverse=True) if name]
    pattern = re.compile("|".join([*shields, _SURNAMES.pattern]))
    pieces, at = [], 0
    for match in pattern.finditer(text):
        pieces += [_traditional(text[at : match.start()]), match.group()]
        at = match.end()
    return "".join([*pieces, _traditional(text[at:])])


def _traditional(text: str) -> str:
    return _converter("s2hk").convert(text).translate(_EVERYDAY) if text else text


def to_simplified(text: str) -> str:
    """Give the text in Simplified characters, whether it came from Taiwan, Hong Kong or elsewhere."""
    return _converter("hk2s").convert(_converter("t2s").convert(text))
