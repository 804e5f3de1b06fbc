"""The intent head: one linear model over full labels (faq/parking, book_appointment) with calibrated confidence."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.nlu.encoder import Encoder
from bot.nlu.hearing import Hearing, dialect_words
from bot.nlu.homophones import Corrector, misspelt, sound_table
from bot.nlu.line import Line, read_line
from bot.nlu.softmax import fit_softmax, softmax
from bot.nlu.views import Reading, Views, reading

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeadSettings:
    """What config.yml may say about the head."""

    c: float = 30.0
    vector_weight: float = 1.0
    misspelt_weight: float = 0.5  # a practice line with homophones counts as half a line
    at_least: int = 3  # lines that an n-gram must stand in
    iterations: int = 60
    temperature: float = 1.0  # divisor of scores, measured on lines by another hand (benchmarks/nlu)


@dataclass(frozen=True)
class Fitted:
    """The numbers of a trained head, without vocabularies."""

    views: Views
    dense: np.ndarray
    thin: np.ndarray
    bias: np.ndarray

    def scores(self, readings: Sequence[Reading], vectors: np.ndarray) -> np.ndarray:
        """Give one row of raw scores per reading."""
        return self.views.dense(vectors) @ self.dense + self.views.sparse(readings) @ self.thin + self.bias


@dataclass
class Practice:
    """Training lines ready for fitting: each line, and the same line with a homophone slip."""

    readings: list[Reading]
    vectors: np.ndarray
    slips: list[Reading]
    slip_vectors: np.ndarray

    @classmethod
    def of(cls, lines: Sequence[Line], encoder: Encoder, hearing: Hearing) -> "Practice":
        """Prepare lines as they are heard; the slips are always the same for the same lines."""
        lines = [hearing.line(line) for line in lines]
        table = sound_table(line.text for line in lines)
        slips = [read_line(misspelt(line.text, table), line.lexicon) for line in lines]
        vectors = encoder.embed([line.text for line in lines] + [slip.text for slip in slips])
        half = len(lines)
        return cls([reading(one) for one in lines], vectors[:half], [reading(one) for one in slips], vectors[half:])

    def fit(self, chosen: np.ndarray, y: np.ndarray, count: int, settings: HeadSettings) -> Fitted:
        """Fit the chosen lines and their slips."""
        readings = [self.readings[at] for at in chosen]
        vectors, classes, weights = self.vectors[chosen], y[chosen], np.ones(len(chosen))
        views = Views.fit(readings, vectors, settings.vector_weight, settings.at_least)
        if settings.misspelt_weight > 0:
            readings += [self.slips[at] for at in chosen]
            vectors = np.concatenate([vectors, self.slip_vectors[chosen]])
            classes = np.concatenate([classes, classes])
            weights = np.concatenate([weights, np.full(len(chosen), settings.misspelt_weight)])
        dense, thin = views.dense(vectors), views.sparse(readings)
        return Fitted(views, *fit_softmax(dense, thin, classes, weights, count, settings.c, settings.iterations))


def folds_of(classes: np.ndarray, folds: int) -> np.ndarray:
    """Give each line the number of its fold, every class spread evenly, always the same way."""
    given = np.zeros(len(classes), dtype=int)
    chance = np.random.RandomState(42)
    for label in np.unique(classes):
        places = chance.permutation(np.flatnonzero(classes == label))
        given[places] = (np.arange(len(places)) + chance.randint(folds)) % folds
    return given


def held_out_scores(practice: Practice, y: np.ndarray, count: int, settings: HeadSettings, folds: int) -> np.ndarray:
    """Give the scores of every line from a head that has not seen it."""
    fold = folds_of(y, folds)
    scores = np.zeros((len(y), count), dtype=np.float32)
    for number in range(folds):
        fitted = practice.fit(np.flatnonzero(fold != number), y, count, settings)
        out = np.flatnonzero(fold == number)
        scores[out] = fitted.scores([practice.readings[at] for at in out], practice.vectors[out])
    return scores


def temperature_of(scores: np.ndarray, y: np.ndarray) -> float:
    """Give the divisor of scores that makes their probabilities fit best (Guo et al., 2017)."""
    candidates = np.geomspace(0.2, 5.0, 80)
    pick = np.arange(len(y))
    losses = [-np.log(np.maximum(softmax(scores / t)[pick, y], 1e-9)).mean() for t in candidates]
    return float(candidates[int(np.argmin(losses))])


class IntentHead:
    """Reads the intent of a line. Train it, keep it in a folder, load it again."""

    def __init__(
        self,
        labels: list[str],
        fitted: Fitted,
        temperature: float,
        hearing: Hearing,
        corrector: Corrector,
        encoder: str,
    ) -> None:
        self.labels, self.fitted, self.temperature = labels, fitted, temperature
        self.hearing, self.corrector, self.encoder_name = hearing, corrector, encoder

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
        return cls(names, fitted, settings.temperature, hearing, corrector, encoder.name)

    def rank(self, line: Line, encoder: Encoder) -> list[tuple[str, float]]:
        """Give all labels with their confidence, best first.

        The line is heard first (hearing.py). A line that sounds like other words of the trade is read both ways, and the clearer reading counts.

        A text without any character that counts leaves all labels equal.
        """
        if not line.text:
            return [(label, 1.0 / len(self.labels)) for label in self.labels]
        line = self.hearing.line(line)
        odds = self._odds(line, encoder)
        corrected = self.corrector.correct(line.text, line.syllables, line.words)
        if corrected != line.text:
            other = self._odds(read_line(corrected, line.lexicon), encoder)
            if _margin(other) > _margin(odds):
                odds = other
        return [(self.labels[at], float(odds[at])) for at in np.argsort(-odds, kind="stable")]

    def _odds(self, line: Line, encoder: Encoder) -> np.ndarray:
        one = reading(line)
        columns, values = self.fitted.views.sparse_row(one)
        vector = self.fitted.views.dense(encoder.embed([line.text]))[0]
        scores = vector @ self.fitted.dense + values @ self.fitted.thin[columns] + self.fitted.bias
        return softmax(scores / self.temperature)

    def save(self, folder: Path) -> None:
        """Write JSON and npz files into a folder."""
        self.fitted.views.save(folder)
        np.savez(
            folder / "head.npz",
            dense=self.fitted.dense.astype(np.float32),
            thin=self.fitted.thin.astype(np.float16),
            bias=self.fitted.bias.astype(np.float32),
        )
        facts = {
            "labels": self.labels,
            "temperature": self.temperature,
            "encoder": self.encoder_name,
            "words": self.corrector.words,
            "counts": self.hearing.counts,
            "dialect": self.hearing.dialect,
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
            )
        hearing, corrector = Hearing(facts["counts"], facts["dialect"]), Corrector(facts["words"])
        return cls(facts["labels"], fitted, facts["temperature"], hearing, corrector, facts["encoder"])


def _margin(odds: np.ndarray) -> float:
    second, first = np.partition(odds, -2)[-2:]
    return float(first - second)


def _frequent_words(lines: Sequence[Line], at_least: int = 8) -> list[str]:
    counts: dict[str, int] = {}
    for line in lines:
        for start, end in line.words:
            word = line.text[start:end]
            counts[word] = counts.get(word, 0) + 1
    return [word for word, count in counts.items() if count >= at_least and len(word) > 1]
