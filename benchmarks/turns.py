"""`python -m benchmarks.turns`: Daoyi, stock Rasa and Rasa with a patched validator on this machine, in one run.

All servers of a system share core 0 and are frozen while another one is measured; the rounds alternate, so that what
else happens on the machine hits all alike. The load generator has the other cores.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import rasa.version

from benchmarks import machine, measure, report
from benchmarks.machine import ROOT
from benchmarks.systems import Daoyi, Stock, System, train_daoyi, train_stock
from bot.settings import Settings

BUILD = ROOT / "build" / "bench"
RESULTS = ROOT / "benchmarks" / "results"
IDLE_SECONDS = 5
NAMES = ("daoyi", "stock", "patched")
TRUSTED = 0.9  # share of right answers below which a table must not be quoted
STALE = ", the data have changed since"


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    epochs: int
    rounds: int
    single: int  # messages of a kind in a round, one at a time
    loop: int  # messages of a round of the closed loop
    talks: int
    long: int  # messages in the long talk before it is timed
    timed: int  # messages of a kind timed in the long talk


FULL = Size(epochs=5, rounds=2, single=60, loop=300, talks=10, long=500, timed=24)
QUICK = Size(epochs=2, rounds=1, single=8, loop=20, talks=4, long=10, timed=4)


def main(argv: list[str] | None = None) -> int:
    """Measure and write turns.json and turns.md; the exit code is 0 also when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="benchmarks.turns", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="few epochs and messages: says that it works, not how fast"
    )
    parser.add_argument("--only", choices=NAMES, action="append", help="measure only this system; may be repeated")
    parser.add_argument("--epochs", type=int, help="epochs of stock Rasa; they change its training time, not a turn's")
    parser.add_argument("--keep-models", action="store_true", help="do not train again when files have changed since")
    parser.add_argument("--out", type=Path, help="folder for turns.json and turns.md")
    given = parser.parse_args(argv)
    size = QUICK if given.quick else FULL
    if given.epochs:
        size = replace(size, epochs=given.epochs)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped, too
    names = tuple(given.only or NAMES)
    out = given.out or (BUILD / "quick" if given.quick or given.only else RESULTS)
    results = asyncio.run(run(names, size, given.quick, given.keep_models))
    out.mkdir(parents=True, exist_ok=True)
    (out / "turns.json").write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / "turns.md").write_text(report.markdown(results), encoding="utf-8")
    print(report.markdown(results))
    return 0


async def run(names: tuple[str, ...], size: Size, quick: bool, keep: bool = False) -> dict:
    """Measure the named systems; give everything that the report shows."""
    before = machine.load()
    trained = _train(names, size, quick, keep)
    systems = {name: _system(name, trained) for name in names}
    found: dict[str, dict] = {name: {"training": _without_path(trained[name][1])} for name in names}
    try:
        for name, system in systems.items():
            _say(f"starting {name} …")
            found[name]["ready_s"] = await system.ready()
            found[name]["rss_loaded"] = system.rss()
            system.pause()
        await _rounds(systems, size, found)
        for name in ("daoyi", "stock"):  # the patch changes nothing in how a talk is read back
            if name in systems:
                _say(f"{name}: a talk of {size.long} messages …")
                systems[name].resume()
                found[name]["long"] = report.long_against_new(
                    await measure.long_talk(systems[name], size.long, size.timed)
                )
                systems[name].pause()
        for name, system in systems.items():
            found[name]["rss_after"] = system.rss()
    finally:
        for system in systems.values():
            system.stop()
    if "daoyi" in names and not quick:
        found["daoyi"]["shipped"] = await _shipped(trained["daoyi"][0], size)
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "commit": machine.commit(),
        "files": machine.code_hash(),
        "machine": machine.facts(),
        "rasa": rasa.version.__version__,
        "size": vars(size),
        "load_before": before,
        "load_after": machine.load(),
        "systems": found,
        "targets": report.targets(found),
        "notes": _notes(size, found),
    }


async def _rounds(systems: dict[str, System], size: Size, found: dict) -> None:
    raw: dict[str, dict[str, list]] = {name: {"utter": [], "action": [], "loop": []} for name in systems}
    idle = dict.fromkeys(systems, 0.0)
    for number in range(size.rounds):
        for name, system in systems.items():
            _say(f"round {number + 1}: {name} …")
            system.resume()
            spent = system.cpu_seconds()
            await asyncio.sleep(IDLE_SECONDS)
            idle[name] += system.cpu_seconds() - spent
            for kind in ("utter", "action"):
                raw[name][kind].append(await measure.one_by_one(system, kind, size.single))
            raw[name]["loop"].append(await measure.closed_loop(system, size.talks, size.loop))
            system.pause()
    for name, rounds in raw.items():
        found[name]["idle_cpu_ms"] = round(idle[name] / (IDLE_SECONDS * size.rounds) * 1000, 1)
        found[name]["utter"] = report.single(rounds["utter"])
        found[name]["action"] = report.single(rounds["action"])
        found[name]["loop"] = report.loop(rounds["loop"])


async def _shipped(model: Path, size: Size) -> dict:
    """Measure what a patient waits with the pause for more text that the settings ship with."""
    _say("daoyi as shipped …")
    system = Daoyi(BUILD / "shipped", _server_cores(), model, Settings().merge_ms)
    try:
        await system.ready()
        kinds = ("utter", "action")
        return {kind: report.single([await measure.one_by_one(system, kind, size.single // 4)]) for kind in kinds}
    finally:
        system.stop()


def _train(names: tuple[str, ...], size: Size, quick: bool, keep: bool) -> dict[str, tuple[Path, dict | None]]:
    trained: dict[str, tuple[Path, dict | None]] = {}
    if "daoyi" in names:
        if quick:
            trained["daoyi"] = (_known_model(), None)
        else:
            _say("training Daoyi from nothing …")
            trained["daoyi"] = train_daoyi(BUILD, keep)
    if {"stock", "patched"} & set(names):
        _say(f"training stock Rasa, {size.epochs} epochs …")
        model = train_stock(BUILD, size.epochs, keep)
        trained.update({name: model for name in ("stock", "patched") if name in names})
    return trained


def _without_path(training: dict | None) -> dict | None:
    return training and {name: value for name, value in training.items() if name != "model"}


def _known_model() -> Path:
    """Give the model of today's files, else the newest one. Raises NotReady when there is none."""
    from bot.nlu.training import find_model

    models = sorted((ROOT / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    found = find_model() or (models[-1] if models else None)
    if found is None:
        raise machine.NotReady("no model in models/: run `make train`")
    return found


def _system(name: str, trained: dict) -> System:
    model = trained[name][0]
    if name == "daoyi":
        return Daoyi(BUILD / "daoyi", _server_cores(), model, merge_ms=0)
    return Stock(BUILD / name, _server_cores(), model, patched=name == "patched")


def _server_cores() -> set[int]:
    """Give the core for the servers and leave the others to this process, the load generator."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
        _SERVER.update(cores[:1])
    return _SERVER or set(cores)


_SERVER: set[int] = set()


def _notes(size: Size, found: dict) -> list[str]:
    notes = [
        f"{size.rounds} rounds alternating between the systems; in each {size.single} fixed answers and {size.single} "
        f"schedule look-ups one at a time, then {size.talks} patients with {size.loop} messages (a quarter look-ups), "
        f"a new conversation every {measure.TURNS_A_TALK} messages.",
        "All server processes of a system are pinned to one core together: Daoyi's worker and web process, Rasa and its "
        "action server. CPU is user and system time of all of them. SQLite everywhere.",
        "Daoyi's way of a message is the widget's: WebSocket, inbox, worker, transcript, WebSocket. Rasa's is its REST "
        "channel: it stores only its tracker, masks nothing, scans for no danger sign and does not answer a message "
        "again that it lost.",
        f"Daoyi was measured with DAOYI_MERGE_MS=0; as shipped a turn waits {Settings().merge_ms} ms "
        "for more text after a message of up to six characters that ends no sentence.",
        f"Stock pipeline: JiebaTokenizer, RegexFeaturizer, LexicalSyntacticFeaturizer, CountVectors (word, char_wb 1-4), "
        f"DIETClassifier and one ResponseSelector ({size.epochs} epochs each), EntitySynonymMapper, FallbackClassifier; "
        "RulePolicy; the examples of nlu_data/. Epochs change what a model answers, not how long a turn takes.",
        "Patched: jsonschema validates action answers with a validator made once, otherwise the same server.",
    ]
    trained = [
        f"{name} {t['at']} (load {t['load_before']}{STALE if t['stale'] else ''})"
        for name in found
        if (t := found[name]["training"])
    ]
    for name, system in found.items():
        if system["loop"]["right"] < TRUSTED:
            notes.append(
                f"**{name} gave the right answer to only {system['loop']['right']:.0%} of the messages** (too few epochs): "
                "where it fell back it did less work than it should, so its figures flatter it."
            )
    stock = next((found[name]["training"] for name in ("stock", "patched") if name in found), None)
    if stock and stock.get("epoch_s"):
        full = stock["seconds"] + (100 - size.epochs) * stock["epoch_s"]
        notes.append(
            f"An epoch of stock Rasa took {stock['epoch_s']:g} s (DIET and selector together): 100 epochs would take "
            f"about {full / 60:.0f} minutes (reckoned, not measured)."
        )
    return [*notes, "Trained on all cores: " + ", ".join(trained) + "."] if trained else notes


def _say(line: str) -> None:
    print(f"[load {machine.load():.1f}] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
