"""Entities by character: a conditional random field over characters, syllables, known words and jieba's words.

Labels are per character (B-date, I-date, O), so a wrong word boundary can never lose an entity. What the line wants has
a say: 医生 is `staff` in a complaint and nothing in a question about opening hours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pycrfsuite

from bot.nlu.line import Line
from bot.nlu.patterns import HINTS

OUTSIDE = "O"


@dataclass(frozen=True)
class Span:
    """An entity, [start, end) in the normalised text."""

    entity: str
    start: int
    end: int
    confidence: float = 1.0


def _marks(size: int, spans: Iterable[tuple[str, int, int]]) -> list[list[str]]:
    """Give each character the names of the spans it begins (B:) or goes on (I:)."""
    marks: list[list[str]] = [[] for _ in range(size)]
    for name, start, end in spans:
        marks[start].append(f"B:{name}")
        for at in range(start + 1, end):
            marks[at].append(f"I:{name}")
    return marks


def _shape(char: str) -> str:
    if char.isdigit():
        return "0"
    if "a" <= char <= "z":
        return "a"
    return "字" if "一" <= char <= "鿿" else "."


def features(line: Line, intent: str) -> list[list[str]]:
    """Give the features of every character of a line that was read as an intent (without its key)."""
    text, size = line.text, len(line.text)
    chars = ["<2", "<1", *text, "1>", "2>"]  # chars[i + 2] is character i
    sounds = ["<", *line.syllables, ">"]
    known = _marks(size, ((match.kind, match.start, match.end) for match in line.known))
    hints = _marks(size, ((name, *hit.span()) for name, pattern in HINTS.items() for hit in pattern.finditer(text)))
    place, words = ["S"] * size, [""] * size
    before, after = ["<"] * size, [">"] * size
    cuts = line.words
    for at, (start, end) in enumerate(cuts):
        if end - start > 1:
            place[start:end] = ["B", *"M" * (end - start - 2), "E"]
        words[start:end] = [text[start:end]] * (end - start)
        if at:
            before[start:end] = [text[slice(*cuts[at - 1])]] * (end - start)
        if at + 1 < len(cuts):
            after[start:end] = [text[slice(*cuts[at + 1])]] * (end - start)
    found = []
    for i in range(size):
        a, b, c, d, e = chars[i : i + 5]
        row = [
            "bias",
            f"-2={a}",
            f"-1={b}",
            f"0={c}",
            f"1={d}",
            f"2={e}",
            f"-2-1={a}{b}",
            f"-10={b}{c}",
            f"01={c}{d}",
            f"12={d}{e}",
            f"-101={b}{c}{d}",
            f"p0={sounds[i + 1]}",
            f"p-10={sounds[i]} {sounds[i + 1]}",
            f"p01={sounds[i + 1]} {sounds[i + 2]}",
            f"s={_shape(c)}",
            f"w={place[i]}",
            f"w0={words[i]}",
            f"w0={place[i]}{words[i]}",
            f"w-1={before[i]}",
            f"w1={after[i]}",
            f"w-1w0={before[i]} {words[i]}",
            f"w0w1={words[i]} {after[i]}",
        ]
        for where, at in (("", i), ("-", i - 1), ("+", i + 1)):
            if 0 <= at < size:
                row += [f"k{where}{mark}" for mark in known[at]]
                row += [f"h{where}{mark}" for mark in hints[at]]
        row += [
            f"t={intent}",
            *(f"t={intent} {what}" for what in (c, words[i], *(f"k{mark}" for mark in known[i]))),
            *(f"t={intent} h{mark}" for mark in hints[i]),
        ]
        found.append(row)
    return found


def labels(size: int, spans: Iterable[Span]) -> list[str]:
    """Give each character its label; of overlapping spans the longer one counts."""
    given = [OUTSIDE] * size
    for span in sorted(spans, key=lambda one: (one.start - one.end, one.start)):
        if span.start < span.end and all(label == OUTSIDE for label in given[span.start : span.end]):
            given[span.start : span.end] = [f"B-{span.entity}", *[f"I-{span.entity}"] * (span.end - span.start - 1)]
    return given


def spans_of(given: Sequence[str]) -> list[tuple[str, int, int]]:
    """Give (entity, start, end) of a sequence of labels."""
    found: list[tuple[str, int, int]] = []
    for at, label in enumerate(given):
        if label == OUTSIDE:
            continue
        kind, entity = label.split("-", 1)
        if kind == "I" and found and found[-1][0] == entity and found[-1][2] == at:
            found[-1] = (entity, found[-1][1], at + 1)
        else:
            found.append((entity, at, at + 1))
    return found


class CharTagger:
    """A trained field, ready to read lines."""

    def __init__(self, path: Path) -> None:
        self._content = path.read_bytes()  # the tagger reads from this memory as long as it lives
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(self._content)

    @staticmethod
    def train(
        lines: Sequence[Line],
        intents: Sequence[str],
        spans: Sequence[Sequence[Span]],
        path: Path,
        iterations: int = 15,
    ) -> None:
        """Fit a field to lines with their intents and entities and write it to a CRFsuite file.

        The averaged perceptron finds as much as L-BFGS in a fifth of the time (benchmarks/nlu/README.md).
        """
        trainer = pycrfsuite.Trainer(algorithm="ap", verbose=False)
        trainer.set_params({"max_iterations": iterations})
        for line, intent, entities in zip(lines, intents, spans, strict=True):
            if line.text:
                trainer.append(features(line, intent), labels(len(line.text), entities))
        trainer.train(str(path))

    def read(self, line: Line, intent: str) -> list[Span]:
        """Give the entities of a line that was read as an intent, left to right, with the mean of their marginals."""
        if not line.text:
            return []
        given = self._tagger.tag(features(line, intent))
        found = []
        for entity, start, end in spans_of(given):
            sure = sum(self._tagger.marginal(given[at], at) for at in range(start, end)) / (end - start)
            found.append(Span(entity, start, end, sure))
        return found
