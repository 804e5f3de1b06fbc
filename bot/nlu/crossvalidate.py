"""Cross-validation of the two learners on the training data: `python -m bot.nlu.crossvalidate [--entities]`.

What it says is how well the data agree with themselves, and where the threshold of config.yml belongs. How well
patients are understood is another matter: that takes test lines by another hand.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from bot.nlu.encoder import CachedEncoder, load_encoder
from bot.nlu.evaluate import FALSE_REJECTION, Case, macro_f1
from bot.nlu.files import NLU_DATA, ROOT
from bot.nlu.head import HeadSettings, IntentHead, Practice, folds_of, held_out_odds
from bot.nlu.hearing import Hearing, dialect_words
from bot.nlu.intents import base_of
from bot.nlu.lexicon import hospital_lexicon
from bot.nlu.line import Line, read_line
from bot.nlu.merge import merged
from bot.nlu.patterns import IDENTIFIERS
from bot.nlu.tagger import CharTagger, Span
from bot.nlu.words import dictionary

FOLDS = 5


@dataclass(frozen=True)
class Example:
    """A training line with its full label and its entities, as typed."""

    text: str
    label: str
    entities: tuple[tuple[str, int, int], ...]


def examples(folder: Path = NLU_DATA) -> list[Example]:
    """Read all training lines with Rasa's own reader."""
    from rasa.shared.data import get_data_files, is_nlu_file
    from rasa.shared.nlu.training_data.loading import load_data

    files = sorted(get_data_files([str(folder)], is_nlu_file))
    return [
        Example(
            message.get("text"),
            message.get_full_intent(),
            tuple((one["entity"], one["start"], one["end"]) for one in message.get("entities") or []),
        )
        for file in files
        for message in load_data(file).intent_examples
    ]


def settings_of(component: str) -> dict[str, Any]:
    """Give a component's settings in config.yml."""
    pipeline = YAML(typ="safe").load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    return next(entry for entry in pipeline if entry["name"].endswith(f".{component}"))


def head_settings() -> HeadSettings:
    """Give the head's settings in config.yml."""
    given = settings_of("RobustIntentClassifier")
    return HeadSettings(**{name: given[name] for name in vars(HeadSettings()) if name in given})


@dataclass(frozen=True)
class HeadScore:
    """What cross-validation says of the intent head; threshold: 3 % of in-scope lines fall below it.

    found: the label of each line, read by a head that had not seen it.
    """

    lines: int
    labels: int
    accuracy: float
    intent_accuracy: float
    macro_f1: float
    threshold: float
    confusions: tuple[tuple[tuple[str, str], int], ...]
    found: tuple[str, ...]


def score_head(lines: Sequence[Line], labels: Sequence[str], settings: HeadSettings, folds: int = FOLDS) -> HeadScore:
    """Cross-validate the intent head, every label spread evenly over the folds."""
    names = sorted(set(labels))
    y = np.array([names.index(label) for label in labels])
    hearing = Hearing.of(lines, dictionary(), dialect_words())
    practice = Practice.of(lines, CachedEncoder(load_encoder()), hearing)
    odds = held_out_odds(practice, y, len(names), settings, folds)
    guess = odds.argmax(axis=1)
    bases = np.array([name.split("/")[0] for name in names])
    inside = bases[y] != "out_of_scope"
    wrong = Counter((names[a], names[b]) for a, b in zip(y, guess, strict=True) if a != b)
    return HeadScore(
        lines=len(y),
        labels=len(names),
        accuracy=float(np.mean(guess == y)),
        intent_accuracy=float(np.mean(bases[guess] == bases[y])),
        macro_f1=macro_f1(labels, [names[k] for k in guess]),
        threshold=float(np.quantile(odds[np.arange(len(y)), guess][inside], FALSE_REJECTION)),
        confusions=tuple(wrong.most_common(25)),
        found=tuple(names[k] for k in guess),
    )


def learning_curve(cases: Sequence[Case], shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0)) -> list[tuple[int, float]]:
    """Give (training lines, accuracy on the cases) of heads fitted to growing parts of nlu_data/."""
    given, encoder, lexicon = examples(), CachedEncoder(load_encoder()), hospital_lexicon()
    order = np.random.RandomState(42).permutation(len(given))
    found = []
    for share in shares:
        part = [given[at] for at in order[: int(share * len(given))]]
        lines = [read_line(one.text, lexicon) for one in part]
        head = IntentHead.train(lines, [one.label for one in part], encoder, dictionary(), head_settings())
        right = [head.rank(read_line(case.text, lexicon), load_encoder())[0][0] == case.label for case in cases]
        found.append((len(part), float(np.mean(right))))
    return found


def score_entities(
    given: Sequence[Example], lines: Sequence[Line], read_as: Sequence[str], folds: int = 3
) -> dict[str, tuple[int, int, int]]:
    """Cross-validate the entities as they come out in the end; gives (right, found, wanted) by kind, and for "all".

    read_as: the label that the head, not having seen the line, gives it.
    """
    settings = settings_of("ZhCharCrf")
    names = sorted({example.label for example in given})
    fold = folds_of(np.array([names.index(example.label) for example in given]), folds)
    counts: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(folds):
            path = Path(scratch) / f"{number}.crfsuite"
            own = [at for at in range(len(given)) if fold[at] != number]
            spans = [wanted_spans(given[at], lines[at]) for at in own]
            intents = [base_of(given[at].label) for at in own]
            CharTagger.train([lines[at] for at in own], intents, spans, path, settings["iterations"])
            tagger = CharTagger(path)
            for at in np.flatnonzero(fold == number):
                read = tagger.read(lines[at], base_of(read_as[at]))
                found = {
                    (span.entity, span.start, span.end)
                    for span, _ in merged(lines[at], read, settings["closed"])
                    if span.entity not in IDENTIFIERS
                }
                wanted = {(span.entity, span.start, span.end) for span in wanted_spans(given[at], lines[at])}
                for kind, part in (
                    (k, p) for p, group in enumerate((found & wanted, found, wanted)) for k, *_ in group
                ):
                    counts.setdefault(kind, [0, 0, 0])[part] += 1
                    counts.setdefault("all", [0, 0, 0])[part] += 1
    return {kind: (right, found, wanted) for kind, (right, found, wanted) in sorted(counts.items())}


def wanted_spans(example: Example, line: Line) -> list[Span]:
    """Give an example's learnt entities in normalised places."""
    spans = [Span(kind, *line.normal.normalised(start, end)) for kind, start, end in example.entities]
    return [span for span in spans if span.entity not in IDENTIFIERS and span.start < span.end]


def main(arguments: Sequence[str]) -> None:
    """Print the scores."""
    given = examples()
    lines = [read_line(example.text, hospital_lexicon()) for example in given]
    score = score_head(lines, [example.label for example in given], head_settings())
    for name, value in vars(score).items():
        if name not in ("confusions", "found"):
            print(f"{name:16} {value:.4f}" if isinstance(value, float) else f"{name:16} {value}")
    for (label, guess), count in score.confusions:
        print(f"  {count:3} {label} -> {guess}")
    if "--entities" in arguments:
        for kind, (right, found, wanted) in score_entities(given, lines, score.found).items():
            print(f"{kind:16} F1 {2 * right / max(found + wanted, 1):.3f}  ({right} of {wanted}, {found} found)")


if __name__ == "__main__":
    main(sys.argv[1:])
