"""Homophones: 预越 read as 预约.

A patient's input method writes the right sound with the wrong character. The corrector looks at each window of two to
five characters whose sound is that of a word of the trade and, unless jieba already sees a real word there, puts the
word in its place. It is wrong now and then, so both readings are scored (head.py) and entities keep the original.
"""

from collections.abc import Iterable, Sequence

from bot.nlu.characters import is_word, syllable

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
