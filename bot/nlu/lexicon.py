"""Known words in a line: spaCy's PhraseMatcher over single characters, free of any learning.

Its matches are features of the character CRF and, for closed kinds, entities where the CRF found nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

import spacy
from spacy.matcher import PhraseMatcher

from bot.nlu.words import lexicons


@dataclass(frozen=True)
class Match:
    """A known word, [start, end) in the text that was read."""

    kind: str
    start: int
    end: int


class Lexicon:
    """Finds words of known kinds in normalised lower-case text."""

    def __init__(self, words: dict[str, list[str]]) -> None:
        self._nlp = spacy.blank("zh")  # its default segmenter takes every character by itself
        self._matcher = PhraseMatcher(self._nlp.vocab)
        for kind, entries in words.items():
            self._matcher.add(kind, [self._doc(entry) for entry in entries])

    def _doc(self, text: str) -> spacy.tokens.Doc:
        return spacy.tokens.Doc(self._nlp.vocab, words=list(text), spaces=[False] * len(text))

    def matches(self, text: str) -> list[Match]:
        """Give the words of every kind, left to right; within one kind the longest wins and none overlap."""
        if not text:
            return []
        names = self._nlp.vocab.strings
        spans = [Match(names[key], start, end) for key, start, end in self._matcher(self._doc(text))]
        kept: list[Match] = []
        for span in sorted(spans, key=lambda one: (one.start - one.end, one.start, one.kind)):
            if not any(span.kind == other.kind and span.start < other.end and other.start < span.end for other in kept):
                kept.append(span)
        return sorted(kept, key=lambda one: (one.start, one.end, one.kind))


@lru_cache(maxsize=1)
def hospital_lexicon() -> Lexicon:
    """Give the lexicon of this hospital's words, built once per process."""
    return Lexicon(lexicons())
