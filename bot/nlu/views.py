"""The views of a line for the intent head: sentence vector, and n-grams of characters, of sounds, and of what is left
when known words and numbers stand as their kind only (我想挂<department><date>的号)."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

from bot.nlu.characters import syllable
from bot.nlu.line import Line
from bot.nlu.patterns import HINTS

NGRAM = 3
MASKED_KINDS = frozenset(
    "department doctor doctor_title date period symptom body_part insurance_type hospital_level care_setting fee_item "
    "staff relation".split()
)
MASKED_HINTS = ("date", "period", "amount", "doctor", "ordinal")
_NUMBER = re.compile(r"[\d*]+(?:[.:/-][\d*]+)*")


def plain(text: str) -> str:
    """Give a line as the n-gram views see it: every number is one 0, no spaces."""
    return _NUMBER.sub("0", text).replace(" ", "")


def grams(units: Sequence[str]) -> list[str]:
    """Give all runs of one to three units, the line's ends marked."""
    padded = ["^", *units, "$"]
    found = list(units)
    for size in range(2, NGRAM + 1):
        found += [" ".join(padded[at : at + size]) for at in range(len(padded) - size + 1)]
    return found


class TfIdf:
    """Sublinear tf-idf with unit rows, kept as JSON-able words and plain numbers."""

    def __init__(self, words: list[str], idf: np.ndarray) -> None:
        self.words = words
        self.idf = idf.astype(np.float32)
        self._known = {word: (at, weight) for at, (word, weight) in enumerate(zip(words, idf.tolist(), strict=True))}

    @classmethod
    def fit(cls, lines: Sequence[list[str]], at_least: int) -> "TfIdf":
        """Learn the words that stand in at least so many lines."""
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(set(line))
        words = sorted(word for word, count in counts.items() if count >= at_least)
        idf = [np.log((1 + len(lines)) / (1 + counts[word])) + 1.0 for word in words]
        return cls(words, np.array(idf))

    def row(self, line: Iterable[str]) -> tuple[list[int], list[float]]:
        """Give the columns and values of one line. Plain numbers: for thirty of them numpy costs three times as much."""
        counts: dict[tuple[int, float], int] = {}
        for word in line:
            if found := self._known.get(word):
                counts[found] = counts.get(found, 0) + 1
        columns = [at for at, _ in counts]
        values = [weight if count == 1 else weight * (1.0 + log(count)) for (_, weight), count in counts.items()]
        length = sqrt(sum(value * value for value in values)) or 1.0
        return columns, [value / length for value in values]


def masked(line: Line) -> list[str]:
    """Give the characters of a line in which known words, days, times and sums stand as their kind."""
    spans = [(match.start, match.end, match.kind) for match in line.known if match.kind in MASKED_KINDS]
    spans += [(*hit.span(), name) for name in MASKED_HINTS for hit in HINTS[name].finditer(line.text)]
    units = ["0" if char.isdigit() else char for char in line.text]
    free = [True] * len(units)
    for start, end, kind in sorted(spans, key=lambda span: span[0] - span[1]):
        if end - start > 1 and all(free[start:end]):
            free[start:end] = [False] * (end - start)
            units[start:end] = [f"<{kind}>", *[""] * (end - start - 1)]
    return [unit for unit in units if unit.strip()]


@dataclass(frozen=True)
class Reading:
    """One way to read a line: its units for the three sparse views."""

    chars: list[str]
    sounds: list[str]
    masked: list[str]


class SparseRow(NamedTuple):
    """The sparse columns of a reading and their values; the masked n-grams stand from `masked_from` on."""

    columns: list[int]
    values: list[float]
    masked_from: int


def reading(line: Line) -> Reading:
    """Give the units of a line; known words stand beside the characters by their kind."""
    text = plain(line.text)
    kinds = sorted({match.kind for match in line.known})
    chars = grams(list(text)) + [f"<{kind}>" for kind in kinds]
    return Reading(chars, grams([syllable(char) for char in text]), grams(masked(line)))


class Views:
    """Turns readings and sentence vectors into the columns of the linear head: chars, sounds, masked, in this order."""

    def __init__(self, parts: Sequence[TfIdf], centre: np.ndarray, vector_weight: float) -> None:
        self.parts = tuple(parts)
        self.centre = centre.astype(np.float32)
        self.vector_weight = vector_weight
        self.starts = [0, *itertools.accumulate(len(part.words) for part in self.parts)]

    @classmethod
    def fit(cls, readings: Sequence[Reading], vectors: np.ndarray, vector_weight: float, at_least: int = 2) -> "Views":
        """Learn vocabularies and the mean sentence vector."""
        units = zip(*((one.chars, one.sounds, one.masked) for one in readings), strict=True)
        return cls([TfIdf.fit(list(part), at_least) for part in units], vectors.mean(axis=0), vector_weight)

    def dense(self, vectors: np.ndarray) -> np.ndarray:
        """Give centred unit vectors, weighted. Raw e5 vectors all lie within a narrow cone."""
        centred = vectors - self.centre
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        return (centred / np.maximum(lengths, 1e-9) * self.vector_weight).astype(np.float32)

    def sparse_row(self, one: Reading) -> SparseRow:
        """Give the sparse columns and values of one reading."""
        columns: list[int] = []
        values: list[float] = []
        masked_from = 0
        for start, part, units in zip(self.starts, self.parts, (one.chars, one.sounds, one.masked), strict=False):
            masked_from = len(columns)
            found, weights = part.row(units)
            columns += [start + at for at in found]
            values += weights
        return SparseRow(columns, values, masked_from)

    def masked_part(self, row: SparseRow) -> tuple[list[int], list[float]]:
        """Give the columns and values of a row that are masked n-grams, counted from the first of them."""
        first = self.starts[2]
        return [at - first for at in row.columns[row.masked_from :]], row.values[row.masked_from :]

    def sparse(self, readings: Sequence[Reading]) -> sparse.csr_matrix:
        """Give the sparse columns of many readings."""
        rows = [self.sparse_row(one) for one in readings]
        ends = np.cumsum([0, *(len(row.columns) for row in rows)])
        columns = np.fromiter((at for row in rows for at in row.columns), dtype=np.int32, count=ends[-1])
        values = np.fromiter((value for row in rows for value in row.values), dtype=np.float32, count=ends[-1])
        return sparse.csr_matrix((values, columns, ends), shape=(len(readings), self.starts[-1]), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write vocabularies as JSON and numbers as npz."""
        words = {"parts": [part.words for part in self.parts], "vector_weight": self.vector_weight}
        (folder / "vocabulary.json").write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        idf = {f"idf{at}": part.idf for at, part in enumerate(self.parts)}
        np.savez(folder / "views.npz", centre=self.centre, **idf)

    @classmethod
    def load(cls, folder: Path) -> "Views":
        """Read what save wrote."""
        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        with np.load(folder / "views.npz", allow_pickle=False) as numbers:
            parts = [TfIdf(part, numbers[f"idf{at}"]) for at, part in enumerate(words["parts"])]
            return cls(parts, numbers["centre"], words["vector_weight"])
