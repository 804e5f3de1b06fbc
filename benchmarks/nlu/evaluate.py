"""Measure understanding: `python -m benchmarks.nlu.evaluate --set tuning|test [--offline] [--json F] [--failing]`.

The trained model of today's files reads the lines through the dialogue's own door (Reader). `--offline` fits only the
intent head from nlu_data, for search. tuning.yml is for choosing settings; test.yml is looked at once, at the end.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bot.clock import UTC
from bot.nlu.intents import FALLBACK, base_of, weight_of

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
OUTSIDE = "out_of_scope"
GROUPS = ("emergency", "complaint", "human", "task", "question", "answer", "courtesy", "outside")


@dataclass(frozen=True)
class Case:
    """A line of a set: what it means, who might say it, and its entities where they were written down."""

    text: str
    label: str
    voice: str
    entities: frozenset[tuple[str, str]] | None


@dataclass(frozen=True)
class Answer:
    """What was understood: the first label, its confidence, the label after the threshold, entities, milliseconds."""

    first: str
    confidence: float
    label: str
    entities: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    took: float = 0.0


def cases(name: str) -> list[Case]:
    """Give the lines of a set."""
    entries = yaml.safe_load((HERE / f"{name}.yml").read_text(encoding="utf-8"))
    return [
        Case(
            entry["text"],
            entry["intent"],
            entry["voice"],
            frozenset((one["entity"], one["text"]) for one in entry["entities"]) if "entities" in entry else None,
        )
        for entry in entries
    ]


def read_by_model(given: Sequence[Case]) -> list[Answer]:
    """Read lines with the trained model; raises FileNotFoundError when there is none of today's files."""
    from bot.nlu.reader import Reader
    from bot.nlu.training import find_model, model_path

    model = find_model()
    if model is None:
        raise FileNotFoundError(f"{model_path()}: run `daoyi train`, or measure with --offline")
    reader, answers = Reader.load(model), []
    for case in given:
        began = time.perf_counter()
        reading = reader.read(case.text, NOW)
        took = (time.perf_counter() - began) * 1000
        first = "emergency" if reading.danger_definite else reading.ranking[0][0]
        found = frozenset((entity.entity, entity.text) for entity in reading.entities)
        answers.append(Answer(first, reading.confidence, reading.label, found, took))
    return answers


def read_offline(given: Sequence[Case]) -> list[Answer]:
    """Fit the intent head to nlu_data and read lines with it and the danger signs; no entities, no latency."""
    from bot.nlu.encoder import CachedEncoder, load_encoder
    from bot.nlu.evaluate import examples, head_settings, settings_of
    from bot.nlu.head import IntentHead
    from bot.nlu.lexicon import hospital_lexicon
    from bot.nlu.line import read_line
    from bot.nlu.words import dictionary
    from bot.safety import signs

    lexicon, encoder = hospital_lexicon(), CachedEncoder(load_encoder())
    lines = examples()
    head = IntentHead.train(
        [read_line(one.text, lexicon) for one in lines],
        [one.label for one in lines],
        encoder,
        dictionary(),
        head_settings(),
    )
    threshold, answers = settings_of("RobustIntentClassifier")["threshold"], []
    for case in given:
        label, confidence = head.rank(read_line(case.text, lexicon), load_encoder())[0]
        danger = signs.scan(case.text)
        if danger is not None and danger.definite:
            label, confidence = "emergency", 1.0
        answers.append(Answer(label, confidence, label if confidence >= threshold else FALLBACK))
    return answers


def group_of(label: str) -> str:
    """Give the group of a label in the order of what must not be left out."""
    return GROUPS[weight_of(label)]


def shares(given: Sequence[Case], right: np.ndarray, keys: Sequence[str]) -> dict[str, float]:
    """Give the share of right lines by key."""
    names = np.array(keys)
    return {name: round(float(right[names == name].mean()), 4) for name in sorted(set(keys))}


def macro_f1(wanted: Sequence[str], found: Sequence[str]) -> float:
    """Give the mean F1 over the labels that the set has."""
    hits = Counter(a for a, b in zip(wanted, found, strict=True) if a == b)
    both = Counter(wanted) + Counter(found)
    return float(np.mean([2 * hits[label] / both[label] for label in set(wanted)]))


def entity_scores(given: Sequence[Case], answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    """Give exact F1 by entity kind and for "all", over the lines whose entities were written down."""
    counts: dict[str, list[int]] = {}
    for case, answer in zip(given, answers, strict=True):
        if case.entities is None:
            continue
        for part, group in enumerate((case.entities & answer.entities, answer.entities, case.entities)):
            for kind, _ in group:
                for name in ("all", kind):
                    counts.setdefault(name, [0, 0, 0])[part] += 1
    return {
        kind: {"f1": round(2 * right / (found + wanted), 4), "right": right, "found": found, "wanted": wanted}
        for kind, (right, found, wanted) in sorted(counts.items())
    }


def measure(given: Sequence[Case], answers: Sequence[Answer]) -> dict[str, Any]:
    """Give all figures of a set.

    accuracy: the first label is right. answered: after the threshold, where asking back is right out of scope only.
    """
    wanted, first = [case.label for case in given], [answer.first for answer in answers]
    right = np.array([a == b for a, b in zip(wanted, first, strict=True)])
    outside = np.array([label == OUTSIDE for label in wanted])
    refused = np.array([answer.label in (OUTSIDE, FALLBACK) for answer in answers])
    answered = np.where(outside, refused, [a.label == c.label for a, c in zip(answers, given, strict=True)])
    took = [answer.took for answer in answers]
    return {
        "lines": len(given),
        "accuracy": round(float(right.mean()), 4),
        "macro_f1": round(macro_f1(wanted, first), 4),
        "intent_accuracy": round(
            float(np.mean([base_of(a) == base_of(b) for a, b in zip(wanted, first, strict=True)])), 4
        ),
        "answered": round(float(answered.mean()), 4),
        "out_of_scope_recall": round(float(refused[outside].mean()), 4),
        "false_rejection": round(float(refused[~outside].mean()), 4),
        "voices": shares(given, right, [case.voice for case in given]),
        "groups": shares(given, right, [group_of(case.label) for case in given]),
        "entities": entity_scores(given, answers),
        "p50_ms": round(float(np.percentile(took, 50)), 2),
        "p95_ms": round(float(np.percentile(took, 95)), 2),
        "confused": Counter((a, b) for a, b in zip(wanted, first, strict=True) if a != b).most_common(25),
    }


def rejection_table(given: Sequence[Case], answers: Sequence[Answer]) -> list[tuple[float, float, float]]:
    """Give (threshold, out-of-scope recall, false rejection) for choosing the threshold."""
    outside = np.array([case.label == OUTSIDE for case in given])
    called = np.array([answer.first == OUTSIDE for answer in answers])
    sure = np.array([answer.confidence for answer in answers])
    rows = []
    for threshold in np.arange(0.05, 0.6, 0.05):
        refused = called | (sure < threshold)
        rows.append((round(float(threshold), 2), float(refused[outside].mean()), float(refused[~outside].mean())))
    return rows


def main() -> None:
    """Print the figures of a set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=("tuning", "test"), default="tuning", dest="name")
    parser.add_argument("--offline", action="store_true", help="fit only the intent head, from nlu_data")
    parser.add_argument("--failing", action="store_true", help="print the lines that were misunderstood")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    options = parser.parse_args()
    given = cases(options.name)
    answers = (read_offline if options.offline else read_by_model)(given)
    figures = measure(given, answers)
    for name, value in figures.items():
        if name == "confused":
            for (label, guess), count in value:
                print(f"  {count:3} {label} -> {guess}")
        elif isinstance(value, dict):
            print(name, *(f"\n  {key:24} {share}" for key, share in value.items()))
        else:
            print(f"{name:20} {value}")
    if options.name == "tuning":
        for threshold, recall, refused in rejection_table(given, answers):
            print(f"  threshold {threshold:.2f}: out of scope {recall:.3f}, false rejection {refused:.3f}")
    if options.failing:
        for case, answer in zip(given, answers, strict=True):
            if case.label != answer.first:
                print(f"{case.label} -> {answer.first} {answer.confidence:.2f} {case.voice}: {case.text}")
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
