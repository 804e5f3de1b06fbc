"""Homophones: 预越 read as 预约, and practice lines with such slips for training.

A patient's input method writes the right sound with the wrong character. The corrector looks at each window of two to
five characters whose sound is that of a word of the trade and, unless jieba already sees a real word there, puts the
word in its place. It is wrong now and then, so both readings are scored (intent.py) and entities keep the original.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from bot.nlu.characters import cut, is_word, syllable

SHORTEST, LONGEST = 2, 5


def _is_chinese(text: str) -> bool:
    return all("一" <= char <= "鿿" for char in text)


class Corrector:
    """Puts words of the trade in the place of what sounds the same."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted({w for w in words if SHORTEST <= len(w) <= LONGEST and _is_chinese(w)})
        self._known = frozenset(self.words)
        self._by_sound: dict[tuple[str, ...], str] = {}
        for word in self.words:  # the first in order keeps the sound: the result never depends on chance
            self._by_sound.setdefault(tuple(map(syllable, word)), word)

    def correct(self, text: str, sounds: Sequence[str], words: Sequence[tuple[int, int]]) -> str:
        """Give the corrected reading of a normalised text; the same text when nothing was to correct."""
        taken = [False] * len(text)
        for start, end in words:
            if end - start > 1 and is_word(text[start:end]):  # jieba also guesses words: 预越
                taken[start:end] = [True] * (end - start)
        chars = list(text)
        for size in range(min(LONGEST, len(text)), SHORTEST - 1, -1):
            for start in range(len(text) - size + 1):
                end = start + size
                piece = text[start:end]
                if piece in self._known:
                    taken[start:end] = [True] * size
                    continue
                word = self._by_sound.get(tuple(sounds[start:end]))
                if word is None or any(taken[start:end]):
                    continue
                # A single wrong character is a slip; a pair that differs altogether is more often a phrase of its own.
                if size == 2 and word[0] != piece[0] and word[1] != piece[1]:
                    continue
                chars[start:end] = word
                taken[start:end] = [True] * size
        return "".join(chars)


def sound_table(texts: Iterable[str]) -> dict[str, list[str]]:
    """Give, for each syllable, the characters of these texts that have it, in a fixed order."""
    table: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        for char in text:
            if "一" <= char <= "鿿":
                table[syllable(char)].add(char)
    return {sound: sorted(chars) for sound, chars in table.items()}


def misspelt(text: str, table: dict[str, list[str]], swaps: int = 1) -> str:
    """Give a line with some characters swapped for ones of the same sound, always the same for the same line.

    Words of two characters and more are hit first, as input methods do.
    """
    chance = random.Random(hashlib.sha256(text.encode()).digest())
    chars = list(text)
    inside = [at for start, end in cut(text) if end - start > 1 for at in range(start, end)]
    places = [at for at in inside or range(len(chars)) if len(table.get(syllable(chars[at]), ())) > 1]
    chance.shuffle(places)
    for at in places[:swaps]:
        chars[at] = chance.choice([char for char in table[syllable(chars[at])] if char != chars[at]])
    return "".join(chars)
