"""One trained model and one worker for every talk of the run."""

import os
from functools import lru_cache

import pytest

from bot.nlu.lean import without_tensorflow
from bot.nlu.training import ready_model
from bot.settings import settings
from tests.conversations.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Give a stage that sets clock and database for each talk."""
    before = {name: os.environ.get(name) for name in ("DAOYI_DATABASE", "DAOYI_NOW", "DAOYI_SECRET_FILE")}
    yield Stage(tmp_path_factory.mktemp("talks"))
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    settings.cache_clear()


@pytest.fixture(scope="module")
def terminal(stage):
    """Give a terminal with the model of today's files, trained first when there is none."""
    stage.set()
    return _terminal()


@lru_cache(maxsize=1)
def _terminal():
    model = ready_model()
    without_tensorflow()
    from bot.dialogue.chat import Terminal

    return Terminal(model)
