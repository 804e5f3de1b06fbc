"""The folder that a trainer changes: training data, answers, models. One writer at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import DaoyiError
from bot.settings import ROOT


class Stale(DaoyiError):
    """What was to be changed is no longer there: somebody changed the file meanwhile. Nothing was written."""


class NotSaved(DaoyiError):
    """A change that would spoil a file was not made; the text says in Chinese what to do."""


@dataclass(frozen=True)
class Project:
    """Where a project lies."""

    root: Path = ROOT

    @property
    def data(self) -> Path:
        """Give the folder of training data and answers."""
        return self.root / "nlu_data"

    @property
    def models(self) -> Path:
        """Give the folder of trained models."""
        return self.root / "models"

    @property
    def own(self) -> Path:
        """Give the workbench's own folder: drafts of files, the state of the running training."""
        folder = self.root / "var" / "workbench"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def inside(self, file: str) -> Path:
        """Give the path of a YAML file named relative to nlu_data. Raises NotSaved for anything else."""
        path = (self.data / file).resolve()
        if not path.is_relative_to(self.data.resolve()) or path.suffix != ".yml" or not path.is_file():
            raise NotSaved(f"没有找到文件 {file}，请刷新页面后再选。")
        return path

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Wait until nobody else of the house writes; people with an editor are met by looking again."""
        with open(self.own / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def write(self, path: Path, text: str) -> None:
        """Put a file in place, whole or not at all. The draft lies outside nlu_data, which Rasa reads as it is."""
        draft = self.own / f"{path.name}.{os.getpid()}.draft"
        draft.write_bytes(text.encode("utf-8"))
        os.chmod(draft, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(draft, path)
