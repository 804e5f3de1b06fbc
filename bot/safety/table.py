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
UNDER_THREE_MONTHS, MANY_PILLS, WEEKS = "{三月内}", "{许多片}", "{孕周}"
COUNTED = (UNDER_THREE_MONTHS, MANY_PILLS, WEEKS)
HAN_DIGITS = "零一二三四五六七八九"
MANY = "十来 十几 十多 几十 二十多 三十多 二十来 三十来 上百 一百 一百多 两百 好几 好多 很多 许多 一整板".split()


class Sign(NamedTuple):
    """One row: the row as written, its patterns, how many parts it has, and the word sets all of which must be there."""

    row: str
    definite: bool
    patterns: tuple[re.Pattern[str], ...]
    parts: int
    needs: frozenset[frozenset[str]]


class Group(NamedTuple):
    """A group of signs; `exclude` matches the words taken out before the group is looked for.

    `by_words` gives, for a set of words, the places in `signs` of the rows that need one of these words to be there.
    """

    code: str
    name: str
    signs: tuple[Sign, ...]
    exclude: re.Pattern[str] | None
    by_words: dict[frozenset[str], tuple[int, ...]]


class Slips(NamedTuple):
    """Slips of the pen and dialect characters (错字); every one is as long as the word it stands for."""

    pattern: re.Pattern[str]
    meant: dict[str, str]

    def mend(self, text: str) -> str:
        """Give `text` with the slips mended; every character keeps its place."""
        return self.pattern.sub(lambda match: self.meant[match.group()], text)


class Table(NamedTuple):
    """The whole table.

    `guards` maps a guard's Chinese name to its words, `texts` a notice's name to its wording; `words` gives, for a
    first character, the words of all rows with the word sets they belong to.
    """

    reviewed_by: str
    valid_to: date
    groups: tuple[Group, ...]
    slips: Slips
    words: dict[str, tuple[tuple[str, tuple[frozenset[str], ...]], ...]]
    guards: dict[str, tuple[str, ...]]
    texts: dict[str, str]
    buttons: tuple[dict[str, str], ...]


@lru_cache(maxsize=4)
def load(path: Path = PATH) -> Table:
    """Give the table; raise DataError that names the row when it cannot be read."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        slips = _slips(raw["错字"], path)
        lists = _lists(raw["词表"], slips, path)
        groups = tuple(_group(one, lists, slips, path) for one in raw["组"])
        guards = {name: tuple(slips.mend(words).split()) for name, words in raw["护栏"].items()}
        table = Table(
            raw["reviewed_by"], raw["valid_to"], groups, slips, _by_first_character(groups), guards,
            raw["文本"], tuple(raw["按钮"]),
        )  # fmt: skip
    except (KeyError, AttributeError, TypeError) as error:
        raise DataError(f"{path.name}: 缺少或写错了 {error}") from error
    if missing := set(CODES) ^ {group.code for group in groups}:
        raise DataError(f"{path.name}: 组 must hold each of the 13 codes once; look at {sorted(missing)}")
    if missing := set(TEXTS) - set(table.texts):
        raise DataError(f"{path.name}: 文本 lacks {sorted(missing)}")
    return table


def _slips(raw: dict[str, str], path: Path) -> Slips:
    meant = {slip: word for word, slips in raw.items() for slip in slips.split()}
    if wrong := [slip for slip, word in meant.items() if len(slip) != len(word)]:
        raise DataError(f"{path.name}: 错字 must be as long as the word they stand for; look at {wrong}")
    longest_first = sorted(meant, key=len, reverse=True)
    return Slips(re.compile("|".join(map(re.escape, longest_first))), meant)


def _lists(raw: dict[str, str], slips: Slips, path: Path) -> dict[str, tuple[str, ...]]:
    """Read 词表; a list may take in others that stand above it, written as [胸]."""
    lists: dict[str, tuple[str, ...]] = {}
    for name, words in raw.items():
        found: dict[str, None] = {}
        for word in slips.mend(str(words).lower()).split():
            if word.startswith("[") and word[1:-1] not in lists:
                raise DataError(f"{path.name}: 词表 {name}: {word} must stand above it")
            found.update(dict.fromkeys(lists[word[1:-1]] if word.startswith("[") else (word,)))
        lists[name] = tuple(found)
    return lists


def _by_first_character(groups: tuple[Group, ...]) -> dict[str, tuple[tuple[str, tuple[frozenset[str], ...]], ...]]:
    sets = {needed for group in groups for sign in group.signs for needed in sign.needs}
    of_word: dict[str, list[frozenset[str]]] = {}
    for needed in sets:
        for word in needed:
            of_word.setdefault(word, []).append(needed)
    words: dict[str, list[tuple[str, tuple[frozenset[str], ...]]]] = {}
    for word, belongs_to in of_word.items():
        words.setdefault(word[0], []).append((word, tuple(belongs_to)))
    return {first: tuple(some) for first, some in words.items()}


def _group(raw: dict, lists: dict[str, tuple[str, ...]], slips: Slips, path: Path) -> Group:
    rows = [(row, True) for row in raw["明确"]] + [(row, False) for row in raw["存疑"]]
    signs = tuple(_sign(row, definite, lists, slips, f"{path.name} 组 {raw['code']}") for row, definite in rows)
    where = f"{path.name} 组 {raw['code']} 除外"
    exclude = [_part(slips.mend(str(row)), lists, where)[0] for row in raw["除外"].split()]
    by_words: dict[frozenset[str], tuple[int, ...]] = {}
    for place, sign in enumerate(signs):
        rarest = min(sign.needs, key=len)
        by_words[rarest] = (*by_words.get(rarest, ()), place)
    return Group(raw["code"], raw["name"], signs, re.compile("|".join(exclude)) if exclude else None, by_words)


def _sign(row: str, definite: bool, lists: dict[str, tuple[str, ...]], slips: Slips, where: str) -> Sign:
    parts = [_part(slips.mend(part.strip()), lists, where) for part in str(row).split(" + ")]
    if len(parts) > 3:
        raise DataError(f"{where}: {row!r} has more than three parts; split it into rows")
    gap = f".{{0,{NEAR_GAP}}}?"
    orders = itertools.permutations(source for source, _ in parts)
    patterns = tuple(re.compile(gap.join(f"({source})" for source in order)) for order in orders)
    return Sign(row, definite, patterns, len(parts), frozenset(needed for _, some in parts for needed in some))


def _part(part: str, lists: dict[str, tuple[str, ...]], where: str) -> tuple[str, list[frozenset[str]]]:
    """Give the regular expression of one part and its sets of words, of each of which one must be there."""
    pieces: list[str] = []
    needs: list[frozenset[str]] = []
    for name, gap, literal in TOKEN.findall(part):
        if gap:
            pieces.append(f"[^，,。；;不没]{{0,{ORDERED_GAP}}}?")
            continue
        if name and name not in lists:
            raise DataError(f"{where}: {part!r} names the list {name!r}, which 词表 does not have")
        words = _counted(literal) if literal in COUNTED else lists[name] if name else [literal]
        words = sorted((word.lower() for word in words), key=len, reverse=True)
        pieces.append("(?:" + "|".join(map(re.escape, words)) + ")")
        needs.append(frozenset(words))
    if not needs:
        raise DataError(f"{where}: the row {part!r} is empty")
    return "".join(pieces), needs


def _counted(mark: str) -> list[str]:
    """Give the words of a mark: an age in days under three months, more pills than are taken at once, weeks gone."""
    if mark == UNDER_THREE_MONTHS:
        return days_under_three_months()
    if mark == WEEKS:
        return [f"{number}周" for count in range(12, 43) for number in (count, _han(count))]
    counts = [str(count) for count in range(6, 101)] + [_han(count) for count in range(6, 100)] + MANY
    return [count + pill for count in counts for pill in "片颗粒"]


def _han(count: int) -> str:
    tens, ones = divmod(count, 10)
    return ("" if tens < 2 else HAN_DIGITS[tens]) + ("十" if tens else "") + (HAN_DIGITS[ones] if ones else "")


def days_under_three_months() -> list[str]:
    """Give 15天 … 91天 in digits and in Han numerals: an age, since a fever of two weeks is not told in days."""
    return [f"{number}天" for days in range(15, 92) for number in (days, _han(days))]


def is_reviewed(table: Table, on: date) -> bool:
    """Say whether the clinicians' signature still holds on the day `on`.

    A table past its day is still used (a late warning is better than none); the staff's pages show that it is due.
    """
    return on <= table.valid_to
