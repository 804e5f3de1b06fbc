"""What a patient typed, made comparable: half width, Simplified, with the way back to the text as typed."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from opencc import OpenCC

from bot.safety.slips import LATIN, typed_syllables

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
SPACED_OUT = re.compile(r"(?:[\u4e00-\u9fff][ \t]){2,}[\u4e00-\u9fff]")
MARKS = "，。！？；：、（）"  # stay full width: the table and the guards are written with them
FILLER = re.compile("嗯+|呃+|(?<![没有是])那个(?!人|男|女|老|时|年|月|孩)|就是说|怎么说呢|然后呢|然后|哎呀|那啥|就那啥")
PINYIN_RUN = re.compile("[a-z]+(?: +[a-z]+)*")
BREAK = re.compile(r"[。！!？?\n;；]+")
PIECE = 160  # longer sentences are read in pieces, so that a run of words without a full stop stays cheap
OVERLAP = 40


class Plain(NamedTuple):
    """`text` to search in; `offsets[i]` is the [start, end) of its i-th character in the text as typed."""

    text: str
    offsets: tuple[tuple[int, int], ...]


class Sentence(NamedTuple):
    """A stretch of `Plain.text` and where it starts there."""

    text: str
    start: int


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


def plain(typed: str) -> Plain:
    """Give `typed` in half width, lower case and Simplified characters, one offset per character."""
    chars: list[str] = []
    offsets: list[tuple[int, int]] = []
    for place, char in enumerate(typed):
        if char in INVISIBLE:
            continue
        if "\u4e00" <= char <= "\u9fff" or char.isascii() or char in MARKS:
            chars.append(char.lower())
            offsets.append((place, place + 1))
            continue
        for part in unicodedata.normalize("NFKC", char).lower():
            chars.append(part)
            offsets.append((place, place + 1))
    joined = "".join(chars)
    simple = _converter().convert(joined)
    if len(simple) != len(joined):  # a phrase rule changed the length: convert character by character instead
        simple = "".join(one if len(one := _converter().convert(char)) == 1 else char for char in joined)
    return _spoken(_typed(_close_up(Plain(simple, tuple(offsets)))))


def _typed(found: Plain) -> Plain:
    """Put one character in the place of every typed pinyin syllable (xiongkou teng), without the blanks between them."""
    if not LATIN.search(found.text):
        return found
    chars: list[str] = []
    offsets: list[tuple[int, int]] = []
    at = 0
    for run in PINYIN_RUN.finditer(found.text):
        syllables = [
            (char, run.start() + word.start() + start, run.start() + word.start() + end)
            for word in LATIN.finditer(run.group())
            for char, start, end in typed_syllables(word.group())
        ]
        if sum(end - start for _, start, end in syllables) < sum(map(len, LATIN.findall(run.group()))):
            continue  # some word of the run is no pinyin: English, or a name
        chars.extend(found.text[at : run.start()])
        offsets.extend(found.offsets[at : run.start()])
        for char, start, end in syllables:
            chars.append(char)
            offsets.append((found.offsets[start][0], found.offsets[end - 1][1]))
        at = run.end()
    chars.extend(found.text[at:])
    offsets.extend(found.offsets[at:])
    return Plain("".join(chars), tuple(offsets))


def _spoken(found: Plain) -> Plain:
    """Leave out what speech recognition writes down of a pause: 嗯, 那个, 然后."""
    gone = {place for match in FILLER.finditer(found.text) for place in range(*match.span())}
    return _without(found, gone) if gone else found


def _without(found: Plain, gone: set[int]) -> Plain:
    kept = [place for place in range(len(found.text)) if place not in gone]
    return Plain("".join(found.text[place] for place in kept), tuple(found.offsets[place] for place in kept))


def _close_up(found: Plain) -> Plain:
    """Take the blanks out of 胸 口 疼; a blank between words stays, it is the patient's comma."""
    blanks = {
        place
        for match in SPACED_OUT.finditer(found.text)
        for place in range(match.start(), match.end())
        if found.text[place] in " \t"
    }
    return _without(found, blanks) if blanks else found


def sentences(text: str) -> list[Sentence]:
    """Cut at full stops and line ends; what is longer than PIECE characters comes in overlapping pieces."""
    found: list[Sentence] = []
    start = 0
    for end in [match.start() for match in BREAK.finditer(text)] + [len(text)]:
        found.extend(_pieces(text, start, end))
        following = BREAK.match(text, end)
        start = following.end() if following else end
    return found


def _pieces(text: str, start: int, end: int) -> list[Sentence]:
    if end - start <= PIECE:
        return [Sentence(text[start:end], start)] if text[start:end].strip() else []
    return [Sentence(text[at : min(at + PIECE, end)], at) for at in range(start, end - OVERLAP, PIECE - OVERLAP)]
