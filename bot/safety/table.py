"""Read the table of danger signs (signs.yml); how a sign is written stands at the head of that file."""

import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from bot.errors import DataError
from bot.safety.guards import Guards
from bot.safety.slips import Slips

PATH = Path(__file__).with_name("signs.yml")
CODES = (
    "chest", "stroke", "breath", "bleeding", "coma", "seizure", "poison",
    "trauma", "allergy", "maternal", "infant", "self_harm", "infection",
)  # fmt: skip
TEXTS = ("danger", "self_harm", "infection", "doubtful", "doubtful_self_harm")
ALTERNATIVE = re.compile(r"\[([^\]]+)\]|([^|\[\]]+)")
TERM = re.compile(rf"(?:{ALTERNATIVE.pattern})(?:\|(?:{ALTERNATIVE.pattern}))*")
MOST_PARTS = 3
UNDER_THREE_MONTHS, MANY_PILLS, WEEKS = "{三月内}", "{许多片}", "{孕周}"
COUNTED = (UNDER_THREE_MONTHS, MANY_PILLS, WEEKS)
HAN_DIGITS = "零一二三四五六七八九"
MANY = "十来 十几 十多 几十 二十多 三十多 二十来 三十来 上百 一百 一百多 两百 好几 好多 很多 许多 一整板".split()

Term = frozenset[str]  # words, any of which will do


class Sign(NamedTuple):
    """One row of words of a sign.

    name: what the clinician calls it. parts: of each part the terms that stand in this order. needs: all its terms.
    """

    name: str
    row: str
    definite: bool
    parts: tuple[tuple[Term, ...], ...]
    needs: frozenset[Term]


class Group(NamedTuple):
    """A group of signs; `text` names its fixed text. `by_term` gives the places in `signs` of the rows by one term."""

    code: str
    name: str
    text: str
    source: str
    signs: tuple[Sign, ...]
    by_term: dict[Term, tuple[int, ...]]


class Foreign(NamedTuple):
    """Danger in another language: the group's code and its pattern; `guard` makes it none; `line` follows the text."""

    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    guard: re.Pattern[str]
    line: str


class Table(NamedTuple):
    """The whole table; `words` gives, for a first character, the words of all rows with their terms, longest first."""

    reviewed_by: str
    valid_to: date
    groups: tuple[Group, ...]
    slips: Slips
    words: dict[str, tuple[tuple[str, tuple[Term, ...]], ...]]
    harmless: re.Pattern[str]
    guards: Guards
    foreign: Foreign
    texts: dict[str, str]
    buttons: tuple[dict[str, str], ...]


@lru_cache(maxsize=2)
def load(path: Path = PATH) -> Table:
    """Give the table. Raises DataError, with the place, when a sign cannot be read."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        slips = _slips(raw["错字"], path)
        lists = _lists(raw["词表"], slips, path)
        groups = tuple(_group(one, lists, slips, path) for one in raw["组"])
        words = _by_first_character(groups)
        slips.listen_for(_in_order(groups))
        table = Table(
            raw["reviewed_by"], raw["valid_to"], groups, slips, words, _either(raw["无关词"]),
            Guards(raw["情境"], raw["护栏"]), _foreign(raw["外语"]), raw["文本"], tuple(raw["按钮"]),
        )  # fmt: skip
    except (KeyError, AttributeError, TypeError) as error:
        raise DataError(f"{path.name}: 缺少或写错了 {error}") from error
    if missing := set(CODES) ^ {group.code for group in groups}:
        raise DataError(f"{path.name}: 组 must hold each of the 13 codes once; look at {sorted(missing)}")
    if missing := {*TEXTS, *(group.text for group in groups)} - set(table.texts):
        raise DataError(f"{path.name}: 文本 lacks {sorted(missing)}")
    return table


def _either(words: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(words.split(), key=len, reverse=True))))


def _slips(raw: dict[str, str], path: Path) -> Slips:
    meant = {slip: word for word, slips in raw.items() for slip in slips.split()}
    if wrong := [slip for slip, word in meant.items() if len(slip) != len(word)]:
        raise DataError(f"{path.name}: 错字 must be as long as the word they stand for; look at {wrong}")
    return Slips(meant)


def _lists(raw: dict[str, str], slips: Slips, path: Path) -> dict[str, Term]:
    """Read 词表; a list may take in others that stand above it, written as [胸]."""
    lists: dict[str, Term] = {}
    for name, words in raw.items():
        found: set[str] = set()
        for word in slips.by_pairs(str(words).lower()).split():
            if word.startswith("[") and word[1:-1] not in lists:
                raise DataError(f"{path.name}: 词表 {name}: {word} must stand above it")
            found |= lists[word[1:-1]] if word.startswith("[") else {word}
        lists[name] = frozenset(found)
    return lists


def _in_order(groups: tuple[Group, ...]) -> list[str]:
    """Give the words of all rows once, as the table has them: of two words of one sound (想死, 像是) the first is meant."""
    terms = (term for group in groups for sign in group.signs for part in sign.parts for term in part)
    return list(dict.fromkeys(word for term in terms for word in sorted(term)))


def _by_first_character(groups: tuple[Group, ...]) -> dict[str, tuple[tuple[str, tuple[Term, ...]], ...]]:
    of_word: dict[str, list[Term]] = {}
    for term in {needed for group in groups for sign in group.signs for needed in sign.needs}:
        for word in term:
            of_word.setdefault(word, []).append(term)
    words: dict[str, list[tuple[str, tuple[Term, ...]]]] = {}
    for word in sorted(of_word, key=len, reverse=True):
        words.setdefault(word[0], []).append((word, tuple(of_word[word])))
    return {first: tuple(some) for first, some in words.items()}


def _group(raw: dict, lists: dict[str, Term], slips: Slips, path: Path) -> Group:
    signs = tuple(
        _sign(name, row.strip(), level == "明确", lists, slips, f"{path.name} 组 {raw['code']} {name}")
        for level in ("明确", "存疑")
        for name, rows in raw[level].items()
        for row in rows.split("；")
    )
    by_term: dict[Term, tuple[int, ...]] = {}
    for place, sign in enumerate(signs):
        rarest = min(sign.needs, key=len)
        by_term[rarest] = (*by_term.get(rarest, ()), place)
    return Group(raw["code"], raw["name"], raw["text"], raw["source"], signs, by_term)


def _sign(name: str, row: str, definite: bool, lists: dict[str, Term], slips: Slips, where: str) -> Sign:
    parts = tuple(
        tuple(_term(slips.by_pairs(term.strip()), lists, where) for term in part.split("…"))
        for part in str(row).split(" + ")
    )
    if len(parts) > MOST_PARTS:
        raise DataError(f"{where}: {row!r} has more than three parts; split it into rows")
    return Sign(name, row, definite, parts, frozenset(term for part in parts for term in part))


def _term(written: str, lists: dict[str, Term], where: str) -> Term:
    """Give the words of [甲|乙]|丙: those of the lists 甲 and 乙, and 丙 itself."""
    if not TERM.fullmatch(written):
        raise DataError(f"{where}: {written!r} must be words or [lists] with | between them")
    found: set[str] = set()
    for names, word in ALTERNATIVE.findall(written):
        for name in names.split("|") if names else ():
            if name not in lists:
                raise DataError(f"{where}: {written!r} names the list {name!r}, which 词表 does not have")
            found |= lists[name]
        if word:
            found.update(_counted(word) if word in COUNTED else [word.lower()])
    return frozenset(found)


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


def _foreign(raw: dict) -> Foreign:
    """Read 外语: phrases in which * stands for at most thirty characters, as whole words where they are Latin."""
    patterns = tuple((code, _phrases(some)) for code, some in raw["信号"].items())
    return Foreign(patterns, _phrases(raw["护栏"]), raw["加一句"])


def _phrases(some: list[str]) -> re.Pattern[str]:
    def one(phrase: str) -> str:
        inside = ".{0,30}?".join(map(re.escape, phrase.lower().split("*")))
        return rf"\b{inside}\b" if phrase.isascii() else inside

    return re.compile("|".join(map(one, some)))


def is_reviewed(table: Table, on: date) -> bool:
    """Say whether the clinicians' signature still holds on the day `on`.

    A table past its day is still used (a late warning is better than none); the staff's pages show that it is due.
    """
    return on <= table.valid_to
