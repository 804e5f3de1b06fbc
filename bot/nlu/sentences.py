"""Long messages: cut into sentences that are read one by one, and merged by what must not be left out."""

import re
from collections.abc import Sequence
from itertools import pairwise

from bot.nlu.intents import FALLBACK, Ranking, weight_of

LONG = 80  # characters; up to here a message is read whole
MOST_PIECES = 20  # what bounds the cost of a long letter
LONGEST_PIECE = 160
SURE = 0.45  # a sentence has a say of its own only from here on, or where it is the surest of all
_END = re.compile(r"[。！？!?\n\r；;…]+")
_BREAK = re.compile(r"[，,、\s]+")


def pieces(text: str) -> list[tuple[int, int]]:
    """Give the [start, end) of the pieces in which a text is read: one for a short text, at most twenty otherwise."""
    if len(text) <= LONG:
        return [(0, len(text))]
    spans: list[tuple[int, int]] = []
    for start, end in _cut(text, 0, len(text), _END):
        spans += [(start, end)] if end - start <= LONG else _packed(_cut(text, start, end, _BREAK), LONG // 2)
    short = [hard for span in spans if text[span[0] : span[1]].strip() for hard in _hard(*span)]
    size = max(12, -(-len(text) // (MOST_PIECES - 4)))
    while len(short) > MOST_PIECES:
        short, size = _packed(short, size), size * 5 // 4
    return short or [(0, min(len(text), LONG))]


def _cut(text: str, start: int, end: int, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    stops = [match.end() for match in pattern.finditer(text, start, end)]
    edges = [start, *stops, *([end] if not stops or stops[-1] < end else [])]
    return [(left, right) for left, right in pairwise(edges) if left < right]


def _packed(spans: Sequence[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """Join neighbours as long as they stay within a size."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and end - joined[-1][0] <= size:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _hard(start: int, end: int) -> list[tuple[int, int]]:
    return [(at, min(at + LONGEST_PIECE, end)) for at in range(start, end, LONGEST_PIECE)]


def merged_ranking(rankings: Sequence[Ranking], threshold: float) -> tuple[str, list[tuple[str, float]], int]:
    """Give the label of a long message, its ranking (each label's best confidence) and the deciding piece's number.

    Emergency goes before complaint, a person, task, question and courtesy; a piece below the threshold says nothing.
    """
    if len(rankings) == 1:
        label, confidence = rankings[0][0]
        return (label if confidence >= threshold else FALLBACK), list(rankings[0]), 0
    best: dict[str, float] = {}
    for ranking in rankings:
        for label, confidence in ranking:
            best[label] = max(best.get(label, 0.0), confidence)
    firsts = [(weight_of(r[0][0]), -r[0][1], number) for number, r in enumerate(rankings)]
    top = min((confidence, number) for _, confidence, number in firsts)[1]
    sure = [one for one in firsts if -one[1] >= max(threshold, SURE) or one[2] == top]
    decides = min(sure)[2]
    label, confidence = rankings[decides][0]
    order = sorted(best.items(), key=lambda item: (item[0] != label, -item[1], item[0]))
    return (label if confidence >= threshold else FALLBACK), order, decides
