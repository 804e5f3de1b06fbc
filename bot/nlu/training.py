"""Train the model of today's files, or find it already trained: models/daoyi-<fingerprint>.tar.gz."""

import asyncio
import fcntl
import hashlib
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import DataError
from bot.nlu.answers import ANSWERS, read_answers
from bot.nlu.build_encoder import build_encoder, recipe_hash
from bot.nlu.files import MODELS, NLU_DATA, ROOT, content_hash
from bot.nlu.lean import without_tensorflow
from bot.nlu.quiet import quiet_rasa
from bot.nlu.words import lexicon_hash

# Code that runs a model but does not shape one: a change here needs no new training.
MEASURES = {"evaluate.py", "report.py", "crossvalidate.py"}
SERVES = MEASURES | {"reader.py", "sentences.py", "training.py", "lean.py", "quiet.py", "values.py", "answers.py"}
CONFIG, DOMAIN = ROOT / "config.yml", ROOT / "domain.yml"


def model_fingerprint() -> str:
    """Give sixteen hexadecimal digits that change when anything changes that a model is made from.

    These are config.yml, domain.yml, nlu_data/, this room's code, the normaliser, the hospital's words and the encoder.
    Of the answers only their names count: the worker reads their texts from the files (bot/nlu/answers.py).
    """
    files = [
        CONFIG,
        DOMAIN,
        ROOT / "bot" / "language" / "normalise.py",
        *(p for p in Path(__file__).parent.glob("*.py") if p.name not in SERVES),
    ]
    files += [path for path in NLU_DATA.rglob("*") if path.is_file() and path.name != ANSWERS]
    names = "\n".join(sorted(read_answers()))
    parts = content_hash(path for path in files if path.exists()), names, lexicon_hash(), recipe_hash()
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def model_path() -> Path:
    """Give the place of the model of today's files, trained or not."""
    return MODELS / f"daoyi-{model_fingerprint()}.tar.gz"


def find_model() -> Path | None:
    """Give the trained model of today's files, or None when they have changed since the last training."""
    path = model_path()
    return path if path.exists() else None


def train(progress: Callable[[str], None] = print) -> Path:
    """Train understanding and dialogue and give the model's path; an up-to-date model is given as it is.

    progress: gets one line a stage. Raises DataError when Rasa finds nothing to train from. What has not changed since
    the last training comes from Rasa's cache, sentence vectors from build/embeddings/.
    """
    found = find_model()
    if found is not None:
        progress(f"model is up to date: {found.name}")
        return found
    with _one_at_a_time(progress):
        return find_model() or _train(progress)


@contextmanager
def _one_at_a_time(progress: Callable[[str], None]) -> Iterator[None]:
    """Two trainings share Rasa's cache and would spoil it: the second waits, and then finds the model."""
    MODELS.mkdir(exist_ok=True)
    with open(MODELS / ".training", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another training is under way: waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _train(progress: Callable[[str], None]) -> Path:
    os.environ.setdefault("RASA_CACHE_DIRECTORY", str(ROOT / ".rasa" / "cache"))
    os.environ.setdefault("LOG_LEVEL", "WARNING")  # or Rasa draws a bar for every rule
    build_encoder(say=progress)
    path = model_path()
    progress("loading Rasa …")
    without_tensorflow()
    from rasa import model_training
    from rasa.core.policies import rule_policy  # noqa: F401, the only part of Rasa's own that config.yml names

    quiet_rasa()
    progress("training the model (a few minutes the first time) …")
    _with_own_loop()
    with warnings.catch_warnings():
        # Rasa misses components of its own: our classifier gives the responses, our field the entities.
        warnings.filterwarnings("ignore", message=".*does not include a response selector.*")
        warnings.filterwarnings("ignore", message=".*does not include an entity extractor.*")
        result = model_training.train(
            domain=str(DOMAIN),
            config=str(CONFIG),
            training_files=[str(NLU_DATA)],
            output=str(MODELS / "unfinished"),
            fixed_model_name=path.name.removesuffix(".tar.gz"),
        )
    made = MODELS / "unfinished" / path.name
    if result.code == 0 and made.exists():
        made.replace(path)  # a model is there whole or not at all
    if result.code != 0 or not path.exists():
        raise DataError(f"Rasa trained no model from {NLU_DATA.name}/: run `rasa data validate` to see why")
    progress(f"model trained: {path.name}, {path.stat().st_size / 1e6:.0f} MB")
    return path


def ready_model(progress: Callable[[str], None] = print) -> Path:
    """Give today's model, trained in a process of its own when there is none, so that this one may stay lean."""
    found = find_model()
    if found is None:
        progress("no model fits today's files: training one (a few minutes)")
        code = subprocess.run([sys.executable, "-m", "bot.cli", "train"], cwd=ROOT, stdout=sys.stderr).returncode
        found = find_model()
        if code or found is None:
            raise DataError("training failed: run `daoyi train` to see why")
    return found


def _with_own_loop() -> None:
    # Rasa's training asks for the thread's event loop and does not make one outside the main thread.
    try:
        asyncio.get_event_loop_policy().get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())
