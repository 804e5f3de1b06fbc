"""A stage for talks: one loaded model for all, a fresh copy of the sample hospital's database for each."""

import os
import shutil
import time
from pathlib import Path

import bot.clock
from bot.demo import prepare_demo
from bot.settings import settings
from bot.storage.engine import engine, engine_for
from bot.storage.migrate import migrate

MORNING = "2026-12-01T09:00:00+08:00"  # a Tuesday


class Stage:
    """Sets clock and database for one talk after another. `folder` holds the databases."""

    def __init__(self, folder: Path, environ=os.environ) -> None:
        self.folder = folder
        self.environ = environ
        self.made: dict[str, Path] = {}
        self.count = 0
        environ["DAOYI_SECRET_FILE"] = str(folder / "secret.key")

    def set(self, now: str | None = None) -> None:
        """Begin a talk: the clock at `now`, a database as `daoyi demo` leaves it."""
        now = now or MORNING
        self._clock(now)
        if now not in self.made:
            template = self.folder / f"template-{len(self.made)}.db"
            self._database(template)
            migrate()
            prepare_demo()
            engine().dispose()
            self.made[now] = template
        self.count += 1
        copy = self.folder / f"talk-{self.count}.db"
        shutil.copy(self.made[now], copy)
        self._database(copy)
        self._clock(now)

    def end(self) -> None:
        """Close the talk's database and remove it."""
        engine().dispose()
        engine_for.cache_clear()
        (self.folder / f"talk-{self.count}.db").unlink(missing_ok=True)

    def _clock(self, now: str) -> None:
        self.environ["DAOYI_NOW"] = now
        bot.clock._started = time.monotonic()

    def _database(self, path: Path) -> None:
        self.environ["DAOYI_DATABASE"] = f"sqlite:///{path}"
        settings.cache_clear()
