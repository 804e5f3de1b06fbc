"""The arithmetic of the comparison and its table. Plain data in and out: no process, no clock, no file."""

import math
from collections.abc import Sequence

LIMITS = {"throughput": 2.0, "action": 0.5, "rss_mb": 800.0, "long": 1.3}
TITLES = {"daoyi": "Daoyi", "stock": "stock Rasa 3.6.21", "patched": "Rasa, validator patched"}


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which `share` (0 to 1) of the values lie, nearest rank. Raises ValueError when empty."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def single(rounds: Sequence[dict]) -> dict:
    """Join rounds of one message at a time: p50 and p95 in ms, CPU ms a message, share of right answers."""
    ms = [value for r in rounds for value in r["ms"]]
    turn = [value for r in rounds for value in r["turn_ms"]]
    return {
        "messages": len(ms),
        "p50_ms": round(percentile(ms, 0.5), 1),
        "p95_ms": round(percentile(ms, 0.95), 1),
        "turn_p50_ms": round(percentile(turn, 0.5), 1) if turn else None,
        "turn_p95_ms": round(percentile(turn, 0.95), 1) if turn else None,
        "cpu_ms": round(sum(r["cpu_s"] for r in rounds) / len(ms) * 1000, 1),
        "right": round(sum(r["right"] for r in rounds) / len(ms), 3),
        "load": [r["load"] for r in rounds],
    }


def loop(rounds: Sequence[dict]) -> dict:
    """Join rounds of the closed loop: messages a second of processor time and of wall time, p50 and p95 in ms."""
    count = sum(r["count"] for r in rounds)
    ms = [value for r in rounds for value in r["ms"]]
    cpu = sum(r["cpu_s"] for r in rounds)
    return {
        "messages": count,
        "per_core_second": round(count / cpu, 1),
        "per_wall_second": round(count / sum(r["wall_s"] for r in rounds), 1),
        "cpu_ms": round(cpu / count * 1000, 1),
        "p50_ms": round(percentile(ms, 0.5), 1),
        "p95_ms": round(percentile(ms, 0.95), 1),
        "right": round(sum(r["right"] for r in rounds) / count, 3),
        "load": [r["load"] for r in rounds],
    }


def long_against_new(raw: dict) -> dict:
    """Give the medians of the long talk and of new ones, and how many times as long a turn takes in the long talk."""
    result = {"turns": raw["turns"], "load": raw["load"]}
    for kind in ("utter", "action"):
        long, new = percentile(raw[f"long_{kind}"], 0.5), percentile(raw[f"new_{kind}"], 0.5)
        result[f"{kind}_long_ms"], result[f"{kind}_new_ms"] = round(long, 1), round(new, 1)
        result[f"{kind}_ratio"] = round(long / new, 2)
    return result


def targets(systems: dict) -> list[dict]:
    """Judge what was promised: {"promise", "value", "limit", "kept"}; kept is None where a side was not measured."""
    daoyi, stock, patched = (systems.get(name) for name in ("daoyi", "stock", "patched"))
    found = []

    def judge(promise: str, limit: str, value: float | None, kept: bool | None) -> None:
        shown = None if value is None else round(value, 2)  # judged as measured, shown rounded
        found.append({"promise": promise, "limit": limit, "value": shown, "kept": kept if value is not None else None})

    def ratio(of: dict | None, to: dict | None, *path: str) -> float | None:
        if not of or not to:
            return None
        for key in path:
            of, to = of[key], to[key]
        return of / to

    value = ratio(daoyi, stock, "loop", "per_core_second")
    judge(
        "messages per core-second against stock", "≥ 2.0 ×", value, value is not None and value >= LIMITS["throughput"]
    )
    value = ratio(daoyi, stock, "action", "p50_ms")
    judge("action turn (p50) against stock", "≤ 0.5 ×", value, value is not None and value <= LIMITS["action"])
    value = ratio(daoyi, patched, "action", "p50_ms")
    judge("action turn (p50) against patched stock", "< 1.0 ×", value, value is not None and value < 1)
    value = daoyi["rss_after"]["worker"] if daoyi else None
    judge("memory of a worker after the run, MB", "≤ 800", value, value is not None and value <= LIMITS["rss_mb"])
    long = (daoyi or {}).get("long")
    value = max(long["utter_ratio"], long["action_ratio"]) if long else None
    turns = long["turns"] if long else 500
    judge(
        f"turn after {turns} messages against a new talk",
        "≤ 1.3 ×",
        value,
        value is not None and value <= LIMITS["long"],
    )
    return found


def markdown(results: dict) -> str:
    """Give the report as Markdown."""
    machine, systems = results["machine"], results["systems"]
    names = [name for name in TITLES if name in systems]
    head = [
        "# Turns against stock Rasa",
        "",
        f"{results['date']} · commit {results['commit']} (files {results['files']}) · {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB · {machine['system']} · Python {machine['python']}",
        f"Load average before the run {results['load_before']}, after it {results['load_after']} "
        f"(a quiet machine has below 0.5; the load generator adds up to 2).",
        "",
        "| | " + " | ".join(TITLES[name] for name in names) + " |",
        "| --- |" + " ---: |" * len(names),
    ]
    rows = [
        f"| {title} | " + " | ".join(_shown(systems[name], path) for name in names) + " |"
        for title, path in ROWS
        if any(_value(systems[name], path[0]) is not None for name in names)
    ]
    judged = ["", "| promised | limit | measured | |", "| --- | --- | ---: | --- |"]
    marks = {True: "kept", False: "**not kept**", None: "not measured"}
    judged += [
        f"| {t['promise']} | {t['limit']} | {'' if t['value'] is None else t['value']} | {marks[t['kept']]} |"
        for t in results["targets"]
    ]
    notes = ["", *[f"- {note}" for note in results["notes"]], ""]
    return "\n".join([*head, *rows, *judged, *notes])


ROWS = (
    ("fixed answer, send to answer: p50 / p95 ms", (("utter", "p50_ms"), ("utter", "p95_ms"))),
    ("look-up, send to answer: p50 / p95 ms", (("action", "p50_ms"), ("action", "p95_ms"))),
    ("fixed answer, lease to commit: p50 / p95 ms", (("utter", "turn_p50_ms"), ("utter", "turn_p95_ms"))),
    ("look-up, lease to commit: p50 / p95 ms", (("action", "turn_p50_ms"), ("action", "turn_p95_ms"))),
    ("fixed answer, CPU ms a message", (("utter", "cpu_ms"),)),
    ("look-up, CPU ms a message", (("action", "cpu_ms"),)),
    ("10 patients: messages a core-second", (("loop", "per_core_second"),)),
    ("10 patients: messages a second on the clock", (("loop", "per_wall_second"),)),
    ("10 patients: p50 / p95 ms", (("loop", "p50_ms"), ("loop", "p95_ms"))),
    ("idle, CPU ms a second", (("idle_cpu_ms",),)),
    ("memory when loaded, MB", (("rss_loaded",),)),
    ("memory after the run, MB", (("rss_after",),)),
    ("start to first answer, s", (("ready_s",),)),
    ("training, s", (("training", "seconds"),)),
    ("model file, MB", (("training", "model_mb"),)),
    ("long talk, fixed answer: long / new ms", (("long", "utter_long_ms"), ("long", "utter_new_ms"))),
    ("long talk, look-up: long / new ms", (("long", "action_long_ms"), ("long", "action_new_ms"))),
    ("right answers in the closed loop", (("loop", "right"),)),
    ("as shipped (pause for more text): fixed answer p50 ms", (("shipped", "utter", "p50_ms"),)),
    ("as shipped (pause for more text): look-up p50 ms", (("shipped", "action", "p50_ms"),)),
)


def _value(system: dict, path: Sequence[str]):
    value = system
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _shown(system: dict, paths: Sequence[Sequence[str]]) -> str:
    values = [_value(system, path) for path in paths]
    if any(value is None for value in values):
        return "–"
    return " / ".join(
        " + ".join(f"{name} {mb:.0f}" for name, mb in value.items()) if isinstance(value, dict) else f"{value:g}"
        for value in values
    )
