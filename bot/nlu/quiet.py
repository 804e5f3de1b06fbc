"""Rasa without its noise: no telemetry, no debug lines with patients' words on stdout. Import before rasa."""

import logging
import os
import warnings

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
# Rasa's dependencies of 2023 warn about themselves on every import; ours are errors in tests.
for category in (DeprecationWarning, FutureWarning, UserWarning):
    warnings.filterwarnings(
        "ignore", category=category, module=r"(rasa|tensorflow|keras|jax|pkg_resources|matplotlib).*"
    )


def quiet_rasa(level: int = logging.WARNING) -> None:
    """Bind Rasa's structured log to the standard one at `level`; unbound it prints every message's text."""
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(level)
    for name in ("rasa", "rasa_sdk", "apscheduler", "matplotlib", "jieba"):
        logging.getLogger(name).setLevel(level)
