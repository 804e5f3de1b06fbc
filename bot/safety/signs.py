"""Danger signs in what a patient writes (R83-R85, hospital-domain B5). Free of Rasa, of SQL and of the clock.

`scan` says whether a fixed text is due; `notice` gives that text. Neither grades nor names a disease. What counts as
a sign is the table signs.yml, which the hospital's clinicians sign.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from bot.safety import guards as guard_rules
from bot.safety.guards import DEFINITE, NOTHING, Guards
from bot.safety.table import Group, Sign, Table, load
from bot.safety.text import Plain, Sentence, plain, sentences

RETRIES = 5  # a guarded place is passed by so often in one sentence before the row is given up


class Finding(NamedTuple):
    """A sign that was seen.

    code: one of the 13 groups. definite: True = the fixed text at once, False = the short notice, then go on.
    words: (start, end) places in the text as typed. reason: the row of the table and the guard that lowered it.
    """

    code: str
    definite: bool
    words: tuple[tuple[int, int], ...]
    reason: str


class Notice(NamedTuple):
    """What the patient reads: fixed text and buttons ({"title", "uri"})."""

    text: str
    buttons: tuple[dict[str, str], ...]


class Candidate(NamedTuple):
    level: int
    rank: int
    code: str
    spans: tuple[tuple[int, int], ...]
    reason: str


@lru_cache(maxsize=1)
def _ready() -> tuple[Table, Guards]:
    table = load()
    return table, guard_rules.build(table.guards)


def scan(text: str, normalise: Callable[[str], Plain] = plain) -> Finding | None:
    """Give the most serious sign in `text`, or None.

    A definite sign goes before a doubtful one; among equals self-harm goes first, then the order of the table.
    `normalise` may be any function that gives .text and .offsets, such as bot.language.normalise.normalise; a room on
    this line does not import its siblings, so the default only folds width, case and Traditional characters.
    """
    shown = normalise(text)
    table, guards = _ready()
    # A saying is blanked out before anything is looked for; every other character keeps its place.
    searched = guards.saying.sub(lambda match: "＊" * len(match.group()), table.slips.mend(shown.text))
    parts = sentences(searched)
    best = _best(_candidates(_each_once(parts)))
    if best is None or best.level < DEFINITE:  # 孩子发烧。翻白眼。 is one story in two sentences
        pairs = _each_once(_joined(searched, one, two) for one, two in pairwise(parts))
        best = _best([*([best] if best else []), *_candidates(pairs, together=True)])
    if best is None:
        return None
    words = tuple((shown.offsets[start][0], shown.offsets[end - 1][1]) for start, end in best.spans)
    return Finding(best.code, best.level == DEFINITE, words, best.reason)


def notice(finding: Finding, hospital_name: str, ed_phone: str) -> Notice:
    """Give the fixed text for `finding`, with the hospital's name and the number of its emergency department (急诊)."""
    table, _ = _ready()
    special = finding.code if finding.code in ("self_harm", "infection") else "danger"
    if not finding.definite:
        special = "doubtful_self_harm" if finding.code == "self_harm" else "doubtful"
    return Notice(table.texts[special].format(hospital=hospital_name, ed_phone=ed_phone), table.buttons)


def _joined(text: str, one: Sentence, two: Sentence) -> Sentence:
    return Sentence(re.sub(r"[\n。]", "，", text[one.start : two.start + len(two.text)]), one.start)


def _each_once(some: Iterable[Sentence]) -> list[Sentence]:
    """Leave out what was said before in the same words: a message of one sentence a thousand times stays cheap."""
    return list({sentence.text: sentence for sentence in some}.values())


def _best(candidates: Iterable[Candidate]) -> Candidate | None:
    return max(candidates, key=lambda one: (one.level, -one.rank), default=None)


def _candidates(some: Iterable[Sentence], together: bool = False) -> Iterator[Candidate]:
    """Give the strongest candidate of each group; `together` looks only at rows whose parts may stand apart."""
    table, guards = _ready()
    for sentence in some:
        there = _word_sets(sentence.text, table)
        for rank, group in enumerate(table.groups):
            places = sorted(place for words in there & group.by_words.keys() for place in group.by_words[words])
            rows = [sign for sign in (group.signs[place] for place in places) if sign.needs <= there]
            if found := _strongest([sign for sign in rows if sign.parts > 1 or not together], sentence, group, guards):
                level, spans, reason = found
                placed = tuple((start + sentence.start, end + sentence.start) for start, end in spans)
                yield Candidate(level, rank, group.code, placed, reason)


def _word_sets(text: str, table: Table) -> set[frozenset[str]]:
    """Give the sets of words of which at least one word stands in `text`."""
    there: set[frozenset[str]] = set()
    for place, char in enumerate(text):
        for word, belongs_to in table.words.get(char, ()):
            if text.startswith(word, place):
                there.update(belongs_to)
    return there


def _strongest(
    rows: list[Sign], sentence: Sentence, group: Group, guards: Guards
) -> tuple[int, tuple[tuple[int, int], ...], str] | None:
    """Give (level, spans, reason) of the first definite row, else of the first doubtful one, else None."""
    best = None
    searched = _without_excluded(sentence.text, group) if rows else ""
    for sign in rows:
        found = _level_of(sign, searched, sentence.text, group.code, guards)
        if found and (best is None or found[0] > best[0]):
            level, spans, guard = found
            best = (level, spans, f"{sign.row}（{guard}）" if guard else sign.row)
            if level == DEFINITE:
                break
    return best


def _without_excluded(text: str, group: Group) -> str:
    return group.exclude.sub(lambda match: "＊" * len(match.group()), text) if group.exclude else text


def _level_of(
    sign: Sign, searched: str, text: str, code: str, guards: Guards
) -> tuple[int, tuple[tuple[int, int], ...], str] | None:
    """Give (level, spans, guard) of the strongest place where the sign stands, or None where nothing is left.

    `searched` is `text` without the group's excluded words; the guards read the text with them.
    """
    best = None
    for pattern in sign.patterns:
        position = 0
        for _ in range(RETRIES):
            match = pattern.search(searched, position)
            if not match:
                break
            spans = tuple(match.span(number) for number in range(1, pattern.groups + 1))
            level, guard = guard_rules.level(text, spans, code, sign.definite, guards)
            if level > NOTHING and (best is None or level > best[0]):
                best = (level, spans, guard)
            if not guard:
                return best
            position = match.start() + 1
    return best
