"""How well patients are understood: the figures of a set of lines by another hand, and two results compared.

A set is a YAML list of {intent: full label, voice, text, entities?: [{entity, text}]}, as benchmarks/nlu/test.yml. The
trained model reads it through the dialogue's own door (reader.py). report.py makes a page of the figures.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bot.clock import UTC
from bot.errors import DataError
from bot.language.normalise import normalise
from bot.nlu.files import ROOT
from bot.nlu.intents import FALLBACK, base_of, weight_of
from bot.nlu.values import entity_value

SETS = {name: ROOT / "benchmarks" / "nlu" / f"{name}.yml" for name in ("tuning", "test")}
SIGNS = ROOT / "tests" / "bot" / "safety"
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
OUTSIDE, EMERGENCY = "out_of_scope", "emergency"
FALSE_REJECTION = 0.03
KINDS_OF_LABEL = ("emergency", "complaint", "human", "task", "question", "answer", "courtesy", "outside")
GROUPS = {
    "appointment": "book_appointment query_schedule query_my_appointments cancel_appointment reschedule_appointment",
    "fee": "query_price query_bill",
    "insurance": "estimate_reimbursement query_insurance_policy check_insurance_coverage",
    "complaint": "complaint",
}
"""The guideline's groups: a line is found when any label of its group is."""
BY_VALUE = ("date", "department", "amount")
BINS = 10


@dataclass(frozen=True)
class Case:
    """A line of a set: what it means, who might say it, and its entities (kind, words) where they were written down."""

    text: str
    label: str
    voice: str
    entities: frozenset[tuple[str, str]] | None


@dataclass(frozen=True)
class Answer:
    """What was understood of a line.

    first: the best label, `confidence` its own. label: after the threshold. outside: how far out of scope, from 0 to 1.
    took: milliseconds by the clock on the wall. spent: milliseconds of the processor, which other work hardly changes.
    """

    first: str
    confidence: float
    label: str
    outside: float = 0.0
    entities: frozenset[tuple[str, str]] = frozenset()
    took: float = 0.0
    spent: float = 0.0


def cases(path: Path) -> list[Case]:
    """Give the lines of a set; DataError says what is wrong with the file."""
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return [
            Case(
                entry["text"],
                entry["intent"],
                entry.get("voice", "-"),
                frozenset((one["entity"], one["text"]) for one in entry["entities"]) if "entities" in entry else None,
            )
            for entry in entries
        ]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise DataError(f"{path}: give a YAML list of {{intent, voice, text, entities}} ({error!r})") from error


def read_all(given: Sequence[Case], model: Path) -> list[Answer]:
    """Read lines with a trained model, one after the other as patients' messages are read."""
    from bot.nlu.reader import Reader

    reader, answers = Reader.load(model), []
    for case in given:
        began, worked = time.perf_counter(), time.process_time()
        reading = reader.read(case.text, NOW)
        spent, took = (time.process_time() - worked) * 1000, (time.perf_counter() - began) * 1000
        first = EMERGENCY if reading.danger_definite else reading.ranking[0][0]
        inside = 1.0 if reading.danger_definite else max(odds for name, odds in reading.ranking if name != OUTSIDE)
        found = frozenset((entity.entity, entity.text) for entity in reading.entities)
        answers.append(Answer(first, reading.confidence, reading.label, 1.0 - inside, found, took, spent))
    return answers


def measure(given: Sequence[Case], answers: Sequence[Answer]) -> dict[str, Any]:
    """Give all figures of a set, JSON throughout.

    accuracy: the first label is right. answered: after the threshold, where asking back is right out of scope only.
    """
    wanted, first = [case.label for case in given], [answer.first for answer in answers]
    right = np.array([a == b for a, b in zip(wanted, first, strict=True)])
    took, spent = [answer.took for answer in answers], [answer.spent for answer in answers]
    return {
        "lines": len(given),
        "accuracy": _share(right),
        "macro_f1": round(macro_f1(wanted, first), 4),
        "intent_accuracy": _share([base_of(a) == base_of(b) for a, b in zip(wanted, first, strict=True)]),
        **_scope(given, answers),
        "groups": _groups(wanted, first),
        "voices": _shares(right, [case.voice for case in given]),
        "kinds": _shares(right, [KINDS_OF_LABEL[weight_of(label)] for label in wanted]),
        "entities": entity_scores(given, answers),
        "by_value": entity_scores(given, answers, by_value=True),
        "values_right": values_right(given, answers),
        "calibration": calibration(right, [answer.confidence for answer in answers]),
        "p50_ms": round(float(np.percentile(took, 50)), 2),
        "p95_ms": round(float(np.percentile(took, 95)), 2),
        "p50_processor_ms": round(float(np.percentile(spent, 50)), 2),
        "p95_processor_ms": round(float(np.percentile(spent, 95)), 2),
        "confused": [
            [a, b, n]
            for (a, b), n in Counter((a, b) for a, b in zip(wanted, first, strict=True) if a != b).most_common()
        ],
        "each": [
            {"text": c.text, "voice": c.voice, "label": c.label, "found": a.first, "confidence": round(a.confidence, 4)}
            for c, a in zip(given, answers, strict=True)
        ],
    }


def danger_sets(given: Sequence[Case]) -> dict[str, tuple[bool, list[str]]]:
    """Give (danger or not, texts) by name: every file of signs and near misses in SIGNS, then the lines of a set."""
    files = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted(SIGNS.glob("*.tsv"))}
    sets = {name: ("positives" in name, [row.split("\t")[-1] for row in rows]) for name, rows in files.items()}
    sets["emergencies of the set"] = (True, [case.text for case in given if case.label == EMERGENCY])
    sets["all other lines of the set"] = (False, [case.text for case in given if case.label != EMERGENCY])
    return sets


def danger(sets: dict[str, tuple[bool, list[str]]], warning: Callable[[str], str]) -> dict[str, Any]:
    """Give, by set, how many lines bring the fixed text (`alarm`) or that or the notice (`any`), and the lines gone wrong.

    Of danger both are recalls, of all other lines false alarms. warning: "alarm", "notice" or "", as the patient is told.
    """
    found = {}
    for name, (is_danger, texts) in sets.items():
        brought = [warning(text) for text in texts]
        found[name] = {
            "danger": is_danger,
            "lines": len(texts),
            "alarm": _share([one == "alarm" for one in brought]),
            "any": _share([bool(one) for one in brought]),
            "wrong": [[one, text] for one, text in zip(brought, texts, strict=True) if bool(one) != is_danger],
        }
    return found


def macro_f1(wanted: Sequence[str], found: Sequence[str]) -> float:
    """Give the mean F1 over the labels that the set has."""
    hits = Counter(a for a, b in zip(wanted, found, strict=True) if a == b)
    both = Counter(wanted) + Counter(found)
    return float(np.mean([2 * hits[label] / both[label] for label in set(wanted)]))


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Give the share of pairs in which the positive scores higher, ties counting half; 0.5 when a side is empty."""
    if not len(positive) or not len(negative):
        return 0.5
    below = np.searchsorted(np.sort(negative), positive, side="left")
    upto = np.searchsorted(np.sort(negative), positive, side="right")
    return float((below + upto).mean() / 2 / len(negative))


def _scope(given: Sequence[Case], answers: Sequence[Answer]) -> dict[str, float]:
    outside = np.array([case.label == OUTSIDE for case in given])
    refused = np.array([answer.label in (OUTSIDE, FALLBACK) for answer in answers])
    answered = np.where(outside, refused, [a.label == c.label for a, c in zip(answers, given, strict=True)])
    # Told out of scope, or too unsure: the two ways to refuse, on one scale.
    score = np.array([1.0 + a.confidence if a.first == OUTSIDE else 1.0 - a.confidence for a in answers])
    figures = {"answered": _share(answered), "false_rejection": _share(refused[~outside])}
    if outside.any() and not outside.all():
        limit = max(float(np.quantile(score[~outside], 1 - FALSE_REJECTION)), 0.0)
        figures["out_of_scope_recall"] = _share(refused[outside])
        figures["out_of_scope_auroc"] = round(auroc(score[outside], score[~outside]), 4)
        figures["out_of_scope_recall_at_3_percent"] = _share(score[outside] > limit)
    return figures


def _groups(wanted: Sequence[str], first: Sequence[str]) -> dict[str, float]:
    found = {}
    for group, names in GROUPS.items():
        pairs = [(a, b) for a, b in zip(wanted, first, strict=True) if base_of(a) in names.split()]
        if pairs:
            found[group] = _share([base_of(b) in names.split() for _, b in pairs])
    return found


def _share(right: Sequence[bool] | np.ndarray) -> float:
    return round(float(np.mean(right)), 4) if len(right) else 0.0


def _shares(right: np.ndarray, keys: Sequence[str]) -> dict[str, float]:
    names = np.array(keys)
    return {name: _share(right[names == name]) for name in sorted(set(keys))}


def _meaning(kind: str, words: str) -> tuple[str, str]:
    value = entity_value(kind, words, NOW)
    return kind, str(value) if value is not None else normalise(words).text.lower()


def entity_scores(
    given: Sequence[Case], answers: Sequence[Answer], by_value: bool = False
) -> dict[str, dict[str, float]]:
    """Give F1 by entity kind and for "all", over the lines whose entities were written down.

    by_value: 周五 found for 这周五 is right, since both mean one day; words without a known value count as written.
    """
    counts: dict[str, list[int]] = {}
    for case, answer in zip(given, answers, strict=True):
        if case.entities is None:
            continue
        wanted, found = case.entities, answer.entities
        if by_value:
            wanted, found = ({_meaning(*one) for one in group} for group in (wanted, found))
        for part, group in enumerate((wanted & found, found, wanted)):
            for kind, _ in group:
                for name in ("all", kind):
                    counts.setdefault(name, [0, 0, 0])[part] += 1
    return {
        kind: {"f1": round(2 * right / (found + wanted), 4), "right": right, "found": found, "wanted": wanted}
        for kind, (right, found, wanted) in sorted(counts.items())
    }


def values_right(given: Sequence[Case], answers: Sequence[Answer]) -> dict[str, float]:
    """Give the share of wanted dates, departments and amounts whose value was found in their line."""
    hits: dict[str, list[bool]] = {}
    for case, answer in zip(given, answers, strict=True):
        found = {_meaning(*one) for one in answer.entities}
        for kind, words in case.entities or ():
            if kind in BY_VALUE:
                hits.setdefault(kind, []).append(_meaning(kind, words) in found)
    return {kind: _share(right) for kind, right in sorted(hits.items())}


def calibration(right: np.ndarray, sure: Sequence[float]) -> dict[str, Any]:
    """Give the expected calibration error and, for ten bins of confidence, [lines, mean confidence, share right]."""
    sure = np.array(sure)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [(int((place == k).sum()), sure[place == k], right[place == k]) for k in range(BINS)]
    error = sum(n * abs(float(c.mean()) - float(r.mean())) for n, c, r in bins if n) / max(len(sure), 1)
    table = [[n, round(float(c.mean()), 4), round(float(r.mean()), 4)] if n else [0, None, None] for n, c, r in bins]
    return {"ece": round(error, 4), "bins": table}


def compare(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Give the difference of two results on the same lines, with McNemar's exact test and a bootstrap of macro-F1.

    p: the chance of a difference this large where both were equally good. Raises DataError for different sets.
    """
    from scipy.stats import binomtest

    pairs = list(zip(one["each"], other["each"], strict=False))
    if len(one["each"]) != len(other["each"]) or any(a["text"] != b["text"] for a, b in pairs):
        raise DataError("the two results are not of the same lines: measure both with the same --set")
    mended = [b for a, b in pairs if a["found"] != a["label"] and b["found"] == b["label"]]
    broken = [b for a, b in pairs if a["found"] == a["label"] and b["found"] != b["label"]]
    decided = len(mended) + len(broken)
    chance = np.random.RandomState(42)
    wanted, first, second = (
        np.array(column) for column in zip(*((a["label"], a["found"], b["found"]) for a, b in pairs), strict=True)
    )
    gains = []
    for _ in range(400):
        pick = chance.randint(0, len(pairs), len(pairs))
        gains.append(macro_f1(wanted[pick], second[pick]) - macro_f1(wanted[pick], first[pick]))
    return {
        "accuracy": [one["accuracy"], other["accuracy"]],
        "macro_f1": [one["macro_f1"], other["macro_f1"]],
        "p": float(binomtest(len(mended), decided).pvalue) if decided else 1.0,
        "macro_f1_gain_95": [round(float(edge), 4) for edge in np.quantile(gains, (0.025, 0.975))],
        "mended": mended,
        "broken": broken,
    }


def read_result(path: Path) -> dict[str, Any]:
    """Give a result that --json wrote; DataError when it is none."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if {"each", "accuracy", "macro_f1"} <= set(result):
            return result
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    raise DataError(f"{path} is no result of `daoyi evaluate --json`")
