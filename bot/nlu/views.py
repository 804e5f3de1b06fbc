"""The views of a line for the intent head: sentence vector, and n-grams of characters, of sounds, and of what is left
when known words and numbers stand as their kind only (我想挂<department><date>的号)."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

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
        self._index = {word: at for at, word in enumerate(words)}

    @classmethod
    def fit(cls, lines: Sequence[list[str]], at_least: int) -> "TfIdf":
        """Learn the words that stand in at least so many lines."""
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(set(line))
        words = sorted(word for word, count in counts.items() if count >= at_least)
        idf = [np.log((1 + len(lines)) / (1 + counts[word])) + 1.0 for word in words]
        return cls(words, np.array(idf))

    def row(self, line: Iterable[str]) -> tuple[list[int], np.ndarray]:
        """Give the columns and values of one line."""
        counts = Counter(at for word in line if (at := self._index.get(word)) is not None)
        columns = sorted(counts)
        values = np.array([1.0 + np.log(counts[at]) for at in columns], dtype=np.float32)
        values *= self.idf[columns] if columns else 1.0
        length = float(np.sqrt((values**2).sum()))
        return columns, values / length if length else values


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
        self.starts = np.cumsum([0, *(len(part.words) for part in self.parts)])

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

    def sparse_row(self, one: Reading) -> tuple[list[int], np.ndarray]:
        """Give the sparse columns and values of one reading."""
        rows = [part.row(units) for part, units in zip(self.parts, (one.chars, one.sounds, one.masked), strict=True)]
        columns = [int(start) + at for start, (found, _) in zip(self.starts, rows, strict=False) for at in found]
        return columns, np.concatenate([values for _, values in rows])

    def masked_part(self, columns: Sequence[int], values: np.ndarray) -> tuple[list[int], np.ndarray]:
        """Give the columns and values of a row that are masked n-grams, counted from the first of them."""
        first = int(self.starts[2])
        before = sum(at < first for at in columns)
        return [at - first for at in columns[before:]], values[before:]

    def sparse(self, readings: Sequence[Reading]) -> sparse.csr_matrix:
        """Give the sparse columns of many readings."""
        rows = [self.sparse_row(one) for one in readings]
        ends = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([np.array(columns, dtype=np.int32) for columns, _ in rows])
        values = np.concatenate([values for _, values in rows])
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
