"""`python -m benchmarks.turns --quick` goes through the real web process and worker and writes its report."""

import json
import subprocess
import sys

import pytest

from benchmarks.machine import ROOT
from benchmarks.messages import ACTION_SHARE, series


def test_every_fourth_message_of_a_mix_is_a_look_up():
    assert sum(question.action for question in series("mix", 40)) == 40 // ACTION_SHARE


@pytest.mark.timeout(240)
def test_the_quick_run_measures_daoyi_and_writes_the_table(tmp_path):
    command = [sys.executable, "-m", "benchmarks.turns", "--quick", "--only", "daoyi", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "turns.json").read_text())["systems"]["daoyi"]
    assert found["loop"]["right"] == 1
    assert found["loop"]["cpu_ms"] > 0
    assert found["utter"]["turn_p50_ms"] < found["utter"]["p95_ms"]
    assert "| 10 patients: messages a core-second |" in (tmp_path / "turns.md").read_text()
