"""`python -m benchmarks.nlu.speed`: what reading a message costs on one core, part by part, and what a warm training costs.

The tuning lines are read by the trained model in a process with one thread on core 0. Then a model is trained from
nothing but the sentence vectors, with all cores. Seconds of the processor change little with what else the machine does;
seconds on the wall count only where the load is small, and stand beside it.
"""

import argparse
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import machine
from benchmarks.machine import ROOT, run_timed
from benchmarks.systems import QUIET

FOLDER = ROOT / "build" / "bench" / "speed"
RESULTS = ROOT / "benchmarks" / "results"
TIMES = 3  # how often all lines are read; a line counts with its cheapest time


def main(argv: list[str] | None = None) -> int:
    """Measure and write speed.json; the exit code is 0 also when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="benchmarks.nlu.speed", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("reading", "training"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    FOLDER.mkdir(parents=True, exist_ok=True)
    if given.child:
        (FOLDER / "reading.json").write_text(json.dumps(reading()), encoding="utf-8")
        return 0
    found: dict[str, Any] = {"at": time.strftime("%Y-%m-%d %H:%M"), "commit": machine.commit(), **machine.facts()}
    if given.only != "training":
        one = {**QUIET, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        run_timed([sys.executable, "-m", __spec__.name, "--child"], FOLDER / "reading.log", ROOT, one)
        found["reading"] = json.loads((FOLDER / "reading.json").read_text(encoding="utf-8"))
    if given.only != "reading":
        found["training"] = training()
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    (RESULTS / "speed.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


def reading() -> dict[str, Any]:
    """Read the tuning lines on core 0; gives milliseconds of processor and wall, and of the processor by part."""
    os.sched_setaffinity(0, {0})
    from bot.nlu.lean import without_tensorflow

    without_tensorflow()
    import numpy as np

    from bot.nlu.evaluate import NOW, SETS, cases
    from bot.nlu.reader import Reader
    from bot.nlu.training import ready_model

    texts = [case.text for case in cases(SETS["tuning"])]
    reader = Reader.load(ready_model())
    before = machine.load()
    spent, took = np.full((2, TIMES, len(texts)), np.inf)
    for again in range(TIMES):
        for at, text in enumerate(texts):
            worked, began = time.process_time(), time.perf_counter()
            reader.read(text, NOW)
            spent[again, at] = (time.process_time() - worked) * 1000
            took[again, at] = (time.perf_counter() - began) * 1000
    figures = {
        "lines": len(texts),
        "load": [before, machine.load()],
        "first_time": {"processor_ms": _middle(spent[0]), "wall_ms": _middle(took[0])},
        "cheapest_time": {"processor_ms": _middle(spent.min(axis=0)), "wall_ms": _middle(took.min(axis=0))},
    }
    parts = _timed_parts()
    for text in texts:
        reader.read(text, NOW)
    figures["parts_processor_ms"] = {
        name: round(part / len(texts), 3) for name, part in sorted(parts.items(), key=lambda item: -item[1])
    }
    return figures


def _middle(values) -> dict[str, float]:
    import numpy as np

    return {name: round(float(np.percentile(values, share)), 2) for name, share in (("p50", 50), ("p95", 95))}


def _timed_parts() -> dict[str, float]:
    """Have the parts of a reading note their own processor time, less that of parts inside of them; it grows by ms."""
    from bot.nlu import (
        components,
        e5_weights,
        encoder,
        head,
        hearing,
        homophones,
        lexicon,
        line,
        neighbours,
        tagger,
        views,
    )
    from bot.nlu import reader as door

    parts: dict[str, float] = {}
    inner: list[float] = []

    def timed(name: str, done: Callable) -> Callable:
        def run(*args, **more):
            began = time.process_time()
            inner.append(0.0)
            try:
                return done(*args, **more)
            finally:
                whole = (time.process_time() - began) * 1000
                parts[name] = parts.get(name, 0.0) + whole - inner.pop()
                if inner:
                    inner[-1] += whole

        return run

    for name, place, attribute in (
        ("the rest", door.Reader, "read"),
        ("sentence vector: the network", encoder.OnnxEncoder, "embed"),
        ("sentence vector: pieces", e5_weights.E5Weights, "tokens"),
        ("sentence vector: word vectors", e5_weights.E5Weights, "embedded"),
        ("nearest lines", neighbours.Neighbours, "votes"),
        ("n-grams: columns", views.Views, "sparse_row"),
        ("n-grams: units", head, "reading"),
        ("linear model and ranking", head.IntentHead, "rank"),
        ("hearing", hearing.Hearing, "line"),
        ("homophones", homophones.Corrector, "correct"),
        ("entities: field", tagger.CharTagger, "read"),
        ("entities: features", tagger, "features"),
        ("entities: values", door, "_entities"),
        ("known words", lexicon.Lexicon, "matches"),
        ("jieba", line, "cut"),
        ("normalising", components, "read_line"),
        ("danger signs", door.signs, "scan"),
        ("Rasa's fields", components, "intent_fields"),
        ("parse data", door, "_parse_data"),
    ):
        setattr(place, attribute, timed(name, getattr(place, attribute)))
    return parts


def training() -> dict[str, Any]:
    """Train from the sentence vectors that the last `make train` left and nothing else; gives seconds of processor and wall."""
    from bot.nlu.files import EMBEDDINGS

    into = FOLDER / "training"
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(EMBEDDINGS, into / "embeddings")
    before, worked, began = machine.load(), _children_seconds(), time.monotonic()
    run_timed([sys.executable, "-m", "benchmarks.train_daoyi", str(into)], into / "train.log", ROOT, QUIET)
    return {
        "processor_s": round(_children_seconds() - worked, 1),
        "wall_s": round(time.monotonic() - began, 1),
        "load": [before, machine.load()],
    }


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
