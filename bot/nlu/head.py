"""The intent head: a linear model over full labels (faq/parking, book_appointment) and the vote of the nearest lines."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.nlu.encoder import Encoder
from bot.nlu.hearing import Hearing, dialect_words
from bot.nlu.homophones import Corrector
from bot.nlu.intents import base_of
from bot.nlu.line import Line, read_line
from bot.nlu.neighbours import Neighbours
from bot.nlu.softmax import fit_softmax, softmax
from bot.nlu.views import Reading, Views, reading

log = logging.getLogger(__name__)
TAUGHT = 0.97  # the share of a line that stands in the training data word for word
CLEAR = 0.8  # from this lead on a line is not read a second time: the other reading would change nothing


@dataclass(frozen=True)
class HeadSettings:
    """What config.yml may say about the head."""

    c: float = 30.0
    vector_weight: float = 1.0
    at_least: int = 3  # lines that an n-gram must stand in
    iterations: int = 40
    vote: float = 0.5  # the share of the nearest lines in the result (neighbours.py)
    temperature: float = 1.0  # divisor of the linear model's scores
    complaint: float = 2.5  # what a complaint's odds are multiplied by: left out, it would disappoint most
    sureness: float = 1.0  # exponent of the result, measured on lines by another hand (benchmarks/nlu)


@dataclass(frozen=True)
class Fitted:
    """What was learnt from lines: the views, the linear model's weights, and the lines themselves for the vote."""

    views: Views
    dense: np.ndarray
    thin: np.ndarray
    bias: np.ndarray
    neighbours: Neighbours
    settings: HeadSettings

    def odds(self, one: Reading, vector: np.ndarray) -> np.ndarray:
        """Give each class its probability for a reading with its sentence vector."""
        row = self.views.sparse_row(one)
        dense = self.views.dense(vector[None])[0]
        scores = dense @ self.dense + np.array(row.values, dtype=np.float32) @ self.thin[row.columns] + self.bias
        linear = softmax(scores / self.settings.temperature)
        votes = self.neighbours.votes(dense, *self.views.masked_part(row))
        mixed = ((1.0 - self.settings.vote) * linear + self.settings.vote * votes) ** self.settings.sureness
        return mixed / mixed.sum()


@dataclass
class Practice:
    """Training lines ready for fitting, as they are heard."""

    readings: list[Reading]
    vectors: np.ndarray

    @classmethod
    def of(cls, lines: Sequence[Line], encoder: Encoder, hearing: Hearing) -> "Practice":
        """Prepare lines as they are heard."""
        lines = [hearing.line(line) for line in lines]
        return cls([reading(one) for one in lines], encoder.embed([line.text for line in lines]))

    def fit(self, chosen: np.ndarray, y: np.ndarray, count: int, settings: HeadSettings) -> Fitted:
        """Fit the chosen lines."""
        readings, vectors, classes = [self.readings[at] for at in chosen], self.vectors[chosen], y[chosen]
        views = Views.fit(readings, vectors, settings.vector_weight, settings.at_least)
        dense, thin = views.dense(vectors), views.sparse(readings)
        weights = fit_softmax(dense, thin, classes, count, settings.c, settings.iterations)
        neighbours = Neighbours.of(dense, thin[:, views.starts[2] :], classes, count)
        return Fitted(views, *weights, neighbours, settings)


def folds_of(classes: np.ndarray, folds: int) -> np.ndarray:
    """Give each line the number of its fold, every class spread evenly, always the same way."""
    given = np.zeros(len(classes), dtype=int)
    chance = np.random.RandomState(42)
    for label in np.unique(classes):
        places = chance.permutation(np.flatnonzero(classes == label))
        given[places] = (np.arange(len(places)) + chance.randint(folds)) % folds
    return given


def held_out_odds(practice: Practice, y: np.ndarray, count: int, settings: HeadSettings, folds: int) -> np.ndarray:
    """Give the probabilities of every line from a head that has not seen it."""
    fold = folds_of(y, folds)
    odds = np.zeros((len(y), count), dtype=np.float32)
    for number in range(folds):
        fitted = practice.fit(np.flatnonzero(fold != number), y, count, settings)
        for at in np.flatnonzero(fold == number):
            odds[at] = fitted.odds(practice.readings[at], practice.vectors[at])
    return odds


class IntentHead:
    """Reads the intent of a line. Train it, keep it in a folder, load it again."""

    def __init__(
        self,
        labels: list[str],
        fitted: Fitted,
        hearing: Hearing,
        corrector: Corrector,
        encoder: str,
        taught: dict[str, str],
    ) -> None:
        self.labels, self.fitted = labels, fitted
        self.hearing, self.corrector, self.encoder_name, self.taught = hearing, corrector, encoder, taught
        gain = fitted.settings.complaint
        self._gains = np.array([gain if base_of(label) == "complaint" else 1.0 for label in labels], dtype=np.float32)

    @classmethod
    def train(
        cls,
        lines: Sequence[Line],
        labels: Sequence[str],
        encoder: Encoder,
        trade_words: Sequence[str],
        settings: HeadSettings,
    ) -> "IntentHead":
        """Fit labelled lines; words of the trade and frequent words of the lines feed the homophone corrector."""
        names = sorted(set(labels))
        y = np.array([names.index(label) for label in labels])
        hearing = Hearing.of(lines, trade_words, dialect_words())
        fitted = Practice.of(lines, encoder, hearing).fit(np.arange(len(y)), y, len(names), settings)
        corrector = Corrector([*trade_words, *_frequent_words(lines)])
        return cls(names, fitted, hearing, corrector, encoder.name, _taught(lines, labels))

    def rank(self, line: Line, encoder: Encoder) -> list[tuple[str, float]]:
        """Give all labels with their confidence, best first.

        What has been taught word for word is read as taught. Else the line is heard first (hearing.py). An unclear line
        that sounds like other words of the trade is read both ways, and the clearer reading counts.

        A text without any character that counts leaves all labels equal.
        """
        if not line.text:
            return [(label, 1.0 / len(self.labels)) for label in self.labels]
        taught = self.taught.get(line.text)
        line = self.hearing.line(line)
        odds = self._odds(line, encoder)
        lead = _margin(odds)
        if lead < CLEAR:
            corrected = self.corrector.correct(line.text, line.syllables, line.words)
            if corrected != line.text:
                other = self._odds(read_line(corrected, line.lexicon), encoder)
                if _margin(other) > lead:
                    odds = other
        if taught is not None:
            odds = odds * (1 - TAUGHT)
            odds[self.labels.index(taught)] += TAUGHT
        order, sure = np.argsort(-odds, kind="stable").tolist(), odds.tolist()
        return [(self.labels[at], sure[at]) for at in order]

    def _odds(self, line: Line, encoder: Encoder) -> np.ndarray:
        odds = self.fitted.odds(reading(line), encoder.embed([line.text])[0]) * self._gains
        return odds / odds.sum()

    def save(self, folder: Path) -> None:
        """Write JSON and npz files into a folder."""
        self.fitted.views.save(folder)
        self.fitted.neighbours.save(folder)
        np.savez(
            folder / "head.npz",
            dense=self.fitted.dense.astype(np.float32),
            thin=self.fitted.thin.astype(np.float16),
            bias=self.fitted.bias.astype(np.float32),
        )
        facts = {
            "labels": self.labels,
            "settings": vars(self.fitted.settings),
            "encoder": self.encoder_name,
            "words": self.corrector.words,
            "counts": self.hearing.counts,
            "dialect": self.hearing.dialect,
            "taught": self.taught,
        }
        (folder / "head.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "IntentHead":
        """Read what save wrote."""
        facts = json.loads((folder / "head.json").read_text(encoding="utf-8"))
        with np.load(folder / "head.npz", allow_pickle=False) as numbers:
            fitted = Fitted(
                Views.load(folder),
                numbers["dense"],
                numbers["thin"].astype(np.float32),
                numbers["bias"],
                Neighbours.load(folder),
                HeadSettings(**facts["settings"]),
            )
        hearing, corrector = Hearing(facts["counts"], facts["dialect"]), Corrector(facts["words"])
        return cls(facts["labels"], fitted, hearing, corrector, facts["encoder"], facts["taught"])


def _margin(odds: np.ndarray) -> float:
    second, first = np.partition(odds, -2)[-2:]
    return float(first - second)


def _taught(lines: Sequence[Line], labels: Sequence[str]) -> dict[str, str]:
    """Give the label of every text that stands under one label only."""
    known: dict[str, set[str]] = {}
    for line, label in zip(lines, labels, strict=True):
        known.setdefault(line.text, set()).add(label)
    return {text: min(given) for text, given in known.items() if len(given) == 1 and text}


def _frequent_words(lines: Sequence[Line], at_least: int = 8) -> list[str]:
    counts: dict[str, int] = {}
    for line in lines:
        for start, end in line.words:
            word = line.text[start:end]
            counts[word] = counts.get(word, 0) + 1
    return [word for word, count in counts.items() if count >= at_least and len(word) > 1]
