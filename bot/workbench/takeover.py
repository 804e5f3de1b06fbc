"""A promoted model takes over: its workers warm up beside the old ones, and only when they are ready the old ones go.

The supervisor of each host (bot/serve.py) calls `look` a few times a second. A worker that is told to go finishes its turns;
the new ones are already taking the others, so no message waits and none is lost.
"""

import logging
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from bot.clock import now
from bot.workbench import models
from bot.workbench.project import Project

log = logging.getLogger("daoyi.serve")
PATIENCE = 300.0  # seconds in which a new worker must be ready
GRACE = 60.0  # seconds in which an old one may finish its turns


class Child(Protocol):
    """A worker process as the supervisor keeps it."""

    name: str

    def start(self) -> None: ...
    def alive(self) -> bool: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Takeover:
    """Follows models/live.json. make: (name, model) → a child not yet started; heard: name → model of those heard of."""

    def __init__(self, project: Project, make: Callable[[str, str], Child], heard: Callable[[], dict]) -> None:
        self.project, self.make, self.heard = project, make, heard
        self.model = models.live(project).get("model", "")  # "": the model of today's files
        self.failed = ""
        self.wanted = ""
        self.warming: list[Child] = []
        self.leaving: list[tuple[Child, float]] = []
        self.until = 0.0

    def look(self, workers: list[Child]) -> list[Child]:
        """Give the workers to keep running: the old ones, or the new ones once all of them are ready."""
        self._see_off()
        if self.warming:
            return self._wait(workers)
        wanted = models.live(self.project).get("model", "")
        if wanted != self.failed:
            self.failed = ""
        if not wanted or wanted in (self.model, self.failed):
            return workers
        if not self.model and self.heard().get(workers[0].name) == wanted:
            self.model = wanted  # the model of today's files has been promoted: it serves already
            return workers
        log.info("model %s warms up", wanted)
        self.wanted = wanted
        self.until = time.monotonic() + PATIENCE
        base = workers[0].name.partition("~")[0].rpartition("-")[0]
        self.warming = [self.make(f"{base}-{n}~{secrets.token_hex(3)}", wanted) for n in range(1, len(workers) + 1)]
        for child in self.warming:
            child.start()
        return workers

    def _wait(self, workers: list[Child]) -> list[Child]:
        if any(not child.alive() for child in self.warming) or time.monotonic() > self.until:
            self._give_up()
            return workers
        if not {child.name for child in self.warming} <= self.heard().keys():
            return workers
        log.info("model %s takes over", self.wanted)
        for child in workers:
            child.stop()
            self.leaving.append((child, time.monotonic() + GRACE))
        fresh, self.warming, self.model = self.warming, [], self.wanted
        return fresh

    def _give_up(self) -> None:
        """The new model does not come up: the old one stays, in the pointer too."""
        log.error("model %s did not come up; the old one goes on", self.wanted)
        for child in self.warming:
            child.kill()
        self.warming, self.failed = [], self.wanted
        models.give_up(self.project, self.wanted, now())

    def _see_off(self) -> None:
        for child, until in self.leaving:
            if child.alive() and time.monotonic() > until:
                child.kill()
        self.leaving = [(child, until) for child, until in self.leaving if child.alive()]

    def everyone(self) -> list[Child]:
        """Give the children that are neither old nor new yet: they must go with the supervisor."""
        return [*self.warming, *(child for child, _ in self.leaving)]
