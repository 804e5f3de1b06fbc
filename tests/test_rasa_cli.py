"""Rasa's own command line works in the checkout: a trainer who knows Rasa finds nothing new to learn."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import ROOT

# What actions/ say is named in Python, which Rasa's validator does not read; tests/nlu_data/ checks that side.
SAID_BY_ACTIONS = re.compile(r"The utterance '(utter_[\w/]+)' is not used in any story or rule")
# Rasa merges the retrieval intents of domain.yml with those it reads from the answers and warns about itself.
MERGED_BY_RASA = "duplicated intents have been found across multiple domain files: chitchat, complaint, faq"


@pytest.fixture(scope="module")
def validation() -> subprocess.CompletedProcess:
    """Run `rasa data validate` once."""
    rasa = Path(sys.executable).with_name("rasa")
    command = [rasa, "data", "validate", "--data", "nlu_data", "--domain", "domain.yml", "--config", "config.yml"]
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **quiet}, capture_output=True, text=True, timeout=280, check=False
    )


def test_rasa_data_validate_succeeds(validation):
    assert validation.returncode == 0, validation.stderr[-3000:]
    assert "No story structure conflicts found" in validation.stdout + validation.stderr


def test_rasa_warns_of_nothing_that_a_trainer_should_mend(validation):
    said = validation.stdout + validation.stderr
    warnings = [line for line in said.splitlines() if "rasa/shared/utils/io.py" in line and "UserWarning" in line]
    assert warnings, "Rasa names at least the answers that actions/ say"
    assert [line for line in warnings if not SAID_BY_ACTIONS.search(line) and MERGED_BY_RASA not in line] == []
