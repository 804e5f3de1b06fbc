"""The arithmetic of `make bench`: what is counted, and when a promise is kept."""

import pytest

from benchmarks.report import long_against_new, loop, markdown, percentile, single, targets
from benchmarks.systems import epoch_seconds


def system(**given) -> dict:
    """Build what is found out about a system."""
    usual = {
        "action": {"p50_ms": 20.0, "p95_ms": 30.0},
        "loop": {"per_core_second": 80.0},
        "rss_after": {"worker": 700.0},
        "long": {"turns": 500, "utter_ratio": 1.1, "action_ratio": 1.2},
    }
    return {**usual, **given}


def kept(systems: dict) -> list:
    return [target["kept"] for target in targets(systems)]


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_the_nearest_rank(share, value):
    assert percentile(list(range(100, 0, -1)), share) == value


def test_a_percentile_of_nothing_is_an_error():
    with pytest.raises(ValueError):
        percentile([], 0.5)


def test_rounds_are_joined_before_the_percentile_is_taken():
    rounds = [
        {"ms": [10, 10, 10], "turn_ms": [5], "cpu_s": 0.03, "right": 3, "load": 0.1},
        {"ms": [99], "turn_ms": [], "cpu_s": 0.01, "right": 0, "load": 0.2},
    ]
    joined = single(rounds)
    assert joined["p50_ms"] == 10
    assert joined["p95_ms"] == 99
    assert joined["cpu_ms"] == 10
    assert joined["right"] == 0.75
    assert joined["turn_p50_ms"] == 5


def test_messages_a_core_second_count_processor_time_and_not_the_clock():
    joined = loop([{"count": 100, "ms": [1.0], "cpu_s": 2.0, "wall_s": 10.0, "right": 100, "load": 0.0}])
    assert joined["per_core_second"] == 50
    assert joined["per_wall_second"] == 10


def test_a_long_talk_is_compared_by_medians_of_the_same_kind_of_turn():
    raw = {"turns": 500, "load": 0.0, "long_utter": [13, 13, 99], "new_utter": [10, 10, 10]}
    found = long_against_new({**raw, "long_action": [20], "new_action": [40]})
    assert (found["utter_ratio"], found["action_ratio"]) == (1.3, 0.5)


def test_all_promises_are_kept_at_their_limits():
    stock = system(loop={"per_core_second": 40.0}, action={"p50_ms": 40.0})
    patched = system(action={"p50_ms": 20.1})
    daoyi = system(rss_after={"worker": 800.0}, long={"turns": 500, "utter_ratio": 1.3, "action_ratio": 1.0})
    assert kept({"daoyi": daoyi, "stock": stock, "patched": patched}) == [True] * 5


@pytest.mark.parametrize(
    ("number", "worse"),
    [
        (0, {"loop": {"per_core_second": 79.0}}),
        (1, {"action": {"p50_ms": 21.0}}),
        (2, {"action": {"p50_ms": 26.0}}),
        (3, {"rss_after": {"worker": 800.1}}),
        (4, {"long": {"turns": 500, "utter_ratio": 1.0, "action_ratio": 1.31}}),
    ],
)
def test_a_promise_missed_by_a_little_is_not_kept(number, worse):
    stock = system(loop={"per_core_second": 40.0}, action={"p50_ms": 40.0})
    patched = system(action={"p50_ms": 25.0})
    assert kept({"daoyi": system(**worse), "stock": stock, "patched": patched})[number] is False


def test_what_was_not_measured_is_neither_kept_nor_broken():
    assert kept({"daoyi": system()}) == [None, None, None, True, True]


def test_the_table_says_so_when_a_promise_is_not_kept():
    systems = {"daoyi": system(rss_after={"worker": 903.0, "web": 80.0})}
    results = {
        "date": "2026-12-01 09:00",
        "commit": "abc1234",
        "files": "0123456789ab",
        "machine": {"processor": "P", "cores": 2, "memory_gb": 8, "system": "Linux", "python": "3.10"},
        "load_before": 0.1,
        "load_after": 0.2,
        "systems": systems,
        "targets": targets(systems),
        "notes": ["a note"],
    }
    text = markdown(results)
    assert "| memory of a worker after the run, MB | ≤ 800 | 903.0 | **not kept** |" in text
    assert "worker 903 + web 80" in text


def test_the_seconds_of_an_epoch_are_those_of_all_components():
    log = "Epochs: 100%|█| 2/2 [03:12<00:00, 96.3s/it]\rEpochs: 100%|█| 2/2 [03:12<00:00]\nEpochs: 100%|█| 2/2 [01:30<00:00, 4s/it]"
    assert epoch_seconds(log) == 96 + 45
