"""Read the table of danger signs (signs.yml) into patterns; how a row is read stands at the head of that file."""

import itertools
import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from bot.errors import DataError

PATH = Path(__file__).with_name("signs.yml")
CODES = (
    "chest", "stroke", "breath", "bleeding", "coma", "seizure", "poison",
    "trauma", "allergy", "maternal", "infant", "self_harm", "infection",
)  # fmt: skip
ORDERED_GAP = 6  # …
NEAR_GAP = 12  # +
TEXTS = ("danger", "self_harm", "infection", "doubtful", "doubtful_self_harm")
TOKEN = re.compile(r"\[([^\]]+)\]|(…)|([^\[\]…]+)")
UNDER_THREE_MONTHS = "{三月内}"
HAN_DIGITS = "零一二三四五六七八九"


class Sign(NamedTuple):
    """One row: the row as written, its patterns, and for each part the characters it can start with."""

    row: str
    definite: bool
    patterns: tuple[re.Pattern[str], ...]
    starts: tuple[frozenset[str], ...]


class Group(NamedTuple):
    """A group of signs; `exclude` matches the words taken out before the group is looked for.

    `by_char` gives, for a character, the places in `signs` of the rows that need one such character to be there.
    """

    code: str
    name: str
    signs: tuple[Sign, ...]
    exclude: re.Pattern[str] | None
    by_char: dict[str, tuple[int, ...]]


class Table(NamedTuple):
    """The whole table. `guards` maps a guard's Chinese name to its words, `texts` a notice's name to its wording."""

    reviewed_by: str
    valid_to: date
    groups: tuple[Group, ...]
    guards: dict[str, tuple[str, ...]]
    texts: dict[str, str]
    buttons: tuple[dict[str, str], ...]


@lru_cache(maxsize=4)
def load(path: Path = PATH) -> Table:
    """Give the table; raise DataError that names the row when it cannot be read."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        lists = {name: tuple(words.split()) for name, words in raw["词表"].items()}
        groups = tuple(_group(one, lists, path) for one in raw["组"])
        guards = {name: tuple(words.split()) for name, words in raw["护栏"].items()}
        table = Table(raw["reviewed_by"], raw["valid_to"], groups, guards, raw["文本"], tuple(raw["按钮"]))
    except (KeyError, AttributeError, TypeError) as error:
        raise DataError(f"{path.name}: 缺少或写错了 {error}") from error
    if missing := set(CODES) ^ {group.code for group in groups}:
        raise DataError(f"{path.name}: 组 must hold each of the 13 codes once; look at {sorted(missing)}")
    if missing := set(TEXTS) - set(table.texts):
        raise DataError(f"{path.name}: 文本 lacks {sorted(missing)}")
    return table


def _group(raw: dict, lists: dict[str, tuple[str, ...]], path: Path) -> Group:
    rows = [(row, True) for row in raw["明确"]] + [(row, False) for row in raw["存疑"]]
    signs = tuple(_sign(row, definite, lists, f"{path.name} 组 {raw['code']}") for row, definite in rows)
    exclude = [_part(str(row), lists, f"{path.name} 组 {raw['code']} 除外")[0] for row in raw["除外"] or ()]
    by_char: dict[str, tuple[int, ...]] = {}
    for place, sign in enumerate(signs):
        for char in min(sign.starts, key=len):
            by_char[char] = (*by_char.get(char, ()), place)
    return Group(raw["code"], raw["name"], signs, re.compile("|".join(exclude)) if exclude else None, by_char)


def _sign(row: str, definite: bool, lists: dict[str, tuple[str, ...]], where: str) -> Sign:
    parts = [_part(part.strip(), lists, where) for part in str(row).split(" + ")]
    if len(parts) > 3:
        raise DataError(f"{where}: {row!r} has more than three parts; split it into rows")
    gap = f".{{0,{NEAR_GAP}}}?"
    orders = itertools.permutations(source for source, _ in parts)
    patterns = tuple(re.compile(gap.join(f"({source})" for source in order)) for order in orders)
    return Sign(row, definite, patterns, tuple(starts for _, starts in parts))


def _part(part: str, lists: dict[str, tuple[str, ...]], where: str) -> tuple[str, frozenset[str]]:
    """Give the regular expression of one part and the characters it can start with."""
    pieces: list[str] = []
    starts: frozenset[str] | None = None
    for name, gap, literal in TOKEN.findall(part):
        if gap:
            pieces.append(f"[^，,。；;不没]{{0,{ORDERED_GAP}}}?")
            continue
        if name and name not in lists:
            raise DataError(f"{where}: {part!r} names the list {name!r}, which 词表 does not have")
        words = days_under_three_months() if literal == UNDER_THREE_MONTHS else lists[name] if name else [literal]
        words = sorted(words, key=len, reverse=True)
        pieces.append("(?:" + "|".join(re.escape(word.lower()) for word in words) + ")")
        starts = frozenset(word[0].lower() for word in words) if starts is None else starts
    if not starts:
        raise DataError(f"{where}: the row {part!r} is empty")
    return "".join(pieces), starts


def days_under_three_months() -> list[str]:
    """Give 15天 … 91天 in digits and in Han numerals: an age, since a fever of two weeks is not told in days."""
    words = []
    for days in range(15, 92):
        tens, ones = divmod(days, 10)
        han = ("" if tens == 1 else HAN_DIGITS[tens]) + "十" + (HAN_DIGITS[ones] if ones else "")
        words += [f"{days}天", f"{han}天"]
    return words


def is_reviewed(table: Table, on: date) -> bool:
    """Say whether the clinicians' signature still holds on the day `on`.

    A table past its day is still used (a late warning is better than none); the staff's pages show that it is due.
    """
    return on <= table.valid_to
