"""How a line is heard before its intent is read: pinyin becomes characters, dialect becomes the common language.

Patients type wo yao guahao, 你哋喺邊度 and 啥子时候. The sentence encoder and the n-grams know the common language best,
so training lines and messages are both heard the same way. Entities are read from the line as typed.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from bot.nlu.characters import syllable
from bot.nlu.files import NLU_DATA, read_lines
from bot.nlu.line import Line, read_line

DIALECT = NLU_DATA / "userdict" / "dialect.tsv"
LONGEST = 6  # syllables in a word
_LATIN = re.compile(r"[a-z]+(?:[ '][a-z]+)*")
_RUN = re.compile(r"[a-z]+")
_GAP = re.compile(r"(?<=[一-鿿]) +(?=[一-鿿])")
_ENGLISH = frozenset("ai app can he hi me nice one she bye hello you".split())  # words that look like pinyin


def dialect_words() -> dict[str, str]:
    """Give dialect word -> common word, in simplified characters."""
    return dict(line.split("\t") for line in read_lines(DIALECT))


class Hearing:
    """Hears lines; knows how often each word is said, so that of words that sound alike the frequent one is heard."""

    def __init__(self, counts: Mapping[str, int], dialect: Mapping[str, str]) -> None:
        self.counts, self.dialect = dict(counts), dict(dialect)
        total = sum(counts.values()) or 1
        self._best: dict[tuple[str, ...], tuple[float, str]] = {}
        for word, count in sorted(counts.items()):
            sounds = tuple(map(syllable, word))
            cost = math.log(total / count)
            if sounds not in self._best or cost < self._best[sounds][0]:
                self._best[sounds] = (cost, word)
        self._syllables = {sound for sounds in self._best for sound in sounds}
        longest_first = sorted(self.dialect, key=lambda word: (-len(word), word))
        shapes = [rf"(?<![a-z]){word}(?![a-z])" if word.isascii() else re.escape(word) for word in longest_first]
        self._dialect = re.compile("|".join(shapes) or r"(?!)")

    @classmethod
    def of(cls, lines: Iterable[Line], words: Iterable[str], dialect: Mapping[str, str]) -> "Hearing":
        """Learn from lines how often their words are said; other words of the trade are known, but rare."""
        counts: dict[str, int] = {}
        for line in lines:
            for start, end in line.words:
                word = line.text[start:end]
                for part in {word, *word}:
                    counts[part] = counts.get(part, 0) + (2 if part == word else 1)
        for word in words:
            counts.setdefault(word, 1)
        chinese = {word: count for word, count in counts.items() if word and all("一" <= char <= "鿿" for char in word)}
        return cls({word: count for word, count in chinese.items() if len(word) <= LONGEST}, dialect)

    def heard(self, text: str) -> str:
        """Give a normalised lower-case text in characters and in the common language."""
        if "a" <= max(text, default="") and _RUN.search(text):
            spoken = _LATIN.sub(lambda found: self._spoken(found.group()), text)
            text = text if spoken == text else _GAP.sub("", spoken)
        return self._dialect.sub(lambda found: self.dialect[found.group()], text)

    def line(self, line: Line) -> Line:
        """Give a line as heard; the same line where nothing changes."""
        text = self.heard(line.text)
        return line if text == line.text else read_line(text, line.lexicon)

    def _spoken(self, text: str) -> str:
        """Give runs of Latin letters as characters, each run that is no pinyin as it stands."""
        given: list[str] = []
        group: list[str] = []
        for run in re.split(r"[ ']", text):
            sounds = self._cut(run)
            if sounds:
                group += sounds
                continue
            given += [self._words(group)] if group else []
            given.append(run)
            group = []
        given += [self._words(group)] if group else []
        return " ".join(given)

    def _cut(self, run: str) -> list[str]:
        """Give the fewest syllables that make up a run; none where it is no pinyin or a single letter."""
        if len(run) < 2 or run in _ENGLISH:
            return []
        ways: list[list[str] | None] = [[]]
        for end in range(1, len(run) + 1):
            best = None
            for start in range(max(0, end - 6), end):
                before, piece = ways[start], run[start:end]
                if before is not None and piece in self._syllables and len(piece) + (piece in "aeo") > 1:
                    if best is None or len(before) < len(best):
                        best = [*before, piece]
            ways.append(best)
        return ways[-1] or []

    def _words(self, sounds: Sequence[str]) -> str:
        """Give the most likely words with these sounds."""
        ways: list[tuple[float, tuple[str, ...]]] = [(0.0, ())]
        for end in range(1, len(sounds) + 1):
            choices = []
            for start in range(max(0, end - LONGEST), end):
                found = self._best.get(tuple(sounds[start:end]))
                if found and start < len(ways):
                    choices.append((ways[start][0] + found[0], (*ways[start][1], found[1])))
            # Some sounds stand only inside of words.
            ways.append(min(choices, default=(ways[-1][0] + 20.0, (*ways[-1][1], sounds[end - 1]))))
        return "".join(ways[-1][1])
