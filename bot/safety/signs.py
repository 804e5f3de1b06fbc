"""Danger signs in what a patient writes (R83-R85, hospital-domain B5). Free of Rasa, of SQL and of the clock.

`scan` says whether a fixed text is due; `notice` gives that text. Neither grades nor names a disease. What counts as
a sign is the table signs.yml, which the hospital's clinicians sign.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from bot.safety.guards import DEFINITE, NOTHING
from bot.safety.table import Group, Sign, Table, Term, load
from bot.safety.text import Plain, Sentence, plain, sentences

ORDERED_GAP = 6  # … between the words of one part
NEAR_GAP = 12  # + between parts
MOST_PLACES, MOST_TRIES = 8, 24  # of one part, and of the ways to put parts together; the rest is passed by
COUNTS = re.compile(
    r"\d|\.\d|[号室房床元块岁分天句楼层栋米斤公年月日点人个位次周页路排]"
)  # behind digits: 84号 is no bleach
NO_BRIDGE = re.compile("[，,。；;不没]")  # stands in no gap inside a part

FOREIGN = re.compile("[A-Za-z]{3}|[\u3040-\u30ff\uac00-\ud7af]")  # a word of Latin letters, kana or hangul

Span = tuple[int, int]
Hits = dict[Term, list[Span]]


class Finding(NamedTuple):
    """A sign that was seen.

    code: one of the 13 groups. definite: True = the fixed text at once, False = the short notice, then go on.
    words: (start, end) places in the text as typed. reason: the sign's name and the guard that lowered it.
    foreign: True when it was written in another language.
    """

    code: str
    definite: bool
    words: tuple[Span, ...]
    reason: str
    foreign: bool = False


class Notice(NamedTuple):
    """What the patient reads: fixed text and buttons ({"title", "uri"})."""

    text: str
    buttons: tuple[dict[str, str], ...]


class Candidate(NamedTuple):
    level: int
    rank: int
    code: str
    spans: tuple[Span, ...]
    reason: str


@lru_cache(maxsize=1)
def _ready() -> Table:
    return load()


def scan(text: str, normalise: Callable[[str], Plain] = plain) -> Finding | None:
    """Give the most serious sign in `text`, or None.

    A definite sign goes before a doubtful one; among equals self-harm goes first, then the order of the table.
    `normalise` may be any function that gives .text and .offsets, such as bot.language.normalise.normalise; a room on
    this line does not import its siblings, so the default folds width, case, Traditional characters and pinyin.
    """
    table = _ready()
    if found := _foreign(text, table):
        return found
    shown = normalise(text)
    mended = table.slips.mend(shown.text)
    parts = sentences(mended)
    best = _best(_candidates(_each_once(parts), table))
    if best is None or best.level < DEFINITE:  # 孩子发烧。翻白眼。 is one story in two sentences
        pairs = _each_once(_joined(mended, one, two) for one, two in itertools.pairwise(parts))
        best = _best([*([best] if best else []), *_candidates(pairs, table, together=True)])
    if best is None:
        return None
    words = tuple((shown.offsets[start][0], shown.offsets[end - 1][1]) for start, end in best.spans)
    return Finding(best.code, best.level == DEFINITE, words, best.reason)


def notice(finding: Finding, hospital_name: str, ed_phone: str) -> Notice:
    """Give the fixed text for `finding`, with the hospital's name and the number of its emergency department (急诊)."""
    table = _ready()
    name = next(group.text for group in table.groups if group.code == finding.code)
    if not finding.definite:
        name = "doubtful_self_harm" if finding.code == "self_harm" else "doubtful"
    text = table.texts[name].format(hospital=hospital_name, ed_phone=ed_phone)
    return Notice(f"{text}\n{table.foreign.line}" if finding.foreign else text, table.buttons)


def _foreign(text: str, table: Table) -> Finding | None:
    """Give a definite sign in another language, unless words of that language say that it is none."""
    if not FOREIGN.search(text):
        return None
    lower = text.lower().replace("’", "'")
    for code, pattern in table.foreign.patterns:
        if match := pattern.search(lower):
            if table.foreign.guard.search(lower) or len(lower) != len(text):
                return None
            return Finding(code, True, (match.span(),), "外语", foreign=True)
    return None


def _joined(text: str, one: Sentence, two: Sentence) -> Sentence:
    return Sentence(re.sub(r"[\n。]", "，", text[one.start : two.start + len(two.text)]), one.start)


def _each_once(some: Iterable[Sentence]) -> list[Sentence]:
    """Leave out what was said before in the same words: a message of one sentence a thousand times stays cheap."""
    return list({sentence.text: sentence for sentence in some}.values())


def _best(candidates: Iterable[Candidate]) -> Candidate | None:
    return max(candidates, key=lambda one: (one.level, -one.rank), default=None)


def _candidates(some: Iterable[Sentence], table: Table, together: bool = False) -> Iterator[Candidate]:
    """Give the strongest candidate of each group; `together` looks only at rows whose parts may stand apart."""
    for sentence in some:
        searched = table.harmless.sub(lambda match: "＊" * len(match.group()), sentence.text)
        hits = _hits(searched, table)
        for rank, group in enumerate(table.groups):
            places = sorted(place for term in hits.keys() & group.by_term.keys() for place in group.by_term[term])
            rows = [sign for sign in (group.signs[place] for place in places) if sign.needs <= hits.keys()]
            rows = [sign for sign in rows if len(sign.parts) > 1 or not together]
            if found := _strongest(rows, hits, searched, sentence.text, group, table):
                level, spans, reason = found
                placed = tuple((start + sentence.start, end + sentence.start) for start, end in spans)
                yield Candidate(level, rank, group.code, placed, reason)


def _hits(text: str, table: Table) -> Hits:
    """Give where the words of each term stand, of words that start at one place the longest."""
    hits: Hits = {}
    for place, char in enumerate(text):
        for word, terms in table.words.get(char, ()):
            if text.startswith(word, place) and not (word.isdecimal() and _is_other_number(text, place, word)):
                for term in terms:
                    spans = hits.setdefault(term, [])
                    if not spans or spans[-1][0] != place:
                        spans.append((place, place + len(word)))
    return hits


def _is_other_number(text: str, place: int, word: str) -> bool:
    """Tell whether the digits of `word` are a piece of a longer number, or count something (84号, 502室, 40块)."""
    end = place + len(word)
    return text[place - 1 : place].isdecimal() or bool(COUNTS.match(text, end))


def _strongest(
    rows: list[Sign], hits: Hits, searched: str, text: str, group: Group, table: Table
) -> tuple[int, tuple[Span, ...], str] | None:
    """Give (level, spans, reason) of the first definite row, else of the first doubtful one, else None."""
    best = None
    for sign in rows:
        if best is not None and not sign.definite:
            break  # definite rows stand first: a doubtful one can add nothing
        for spans in _places(sign, hits, searched):
            level, guard = table.guards.level(text, spans, group.code, sign.definite)
            if level > NOTHING and (best is None or level > best[0]):
                best = (level, spans, f"{sign.name}（{guard}）" if guard else sign.name)
            if level == DEFINITE:
                return best
    return best


def _places(sign: Sign, hits: Hits, text: str) -> Iterator[tuple[Span, ...]]:
    """Give the ways in which the parts of a sign stand near each other, in the order of the text."""
    parts = [_chains(part, hits, text) for part in sign.parts]
    if not all(parts):
        return
    for chosen in itertools.islice(itertools.product(*parts), MOST_TRIES):
        spans = tuple(sorted(chosen))
        if all(0 <= two[0] - one[1] <= NEAR_GAP for one, two in itertools.pairwise(spans)):
            yield spans


def _chains(part: tuple[Term, ...], hits: Hits, text: str) -> list[Span]:
    """Give where the terms of one part stand in order."""
    found = hits[part[0]]
    for term in part[1:]:
        found = [
            (start, nearest)
            for start, end in found
            if (nearest := next((stop for at, stop in hits[term] if 0 <= at - end <= ORDERED_GAP
                                 and not NO_BRIDGE.search(text, end, at)), None))
        ]  # fmt: skip
    return found[:MOST_PLACES]
