"""`daoyi serve`: the database made ready, the web process and its workers as children; what dies is started again."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bot.clock import now
from bot.settings import check_wechat, settings
from bot.storage import heartbeat
from bot.workbench import models
from bot.workbench.project import Project
from bot.workbench.takeover import Takeover

log = logging.getLogger("daoyi.serve")
FASTEST_RESTART = 1.0
SLOWEST_RESTART = 30.0
HEARTBEAT_SECONDS = 5
WORKER_NICENESS = 5  # danger texts are answered by the web process: it goes first when processors are scarce


def serve(role: str, prepare: Callable[[], object]) -> int:
    """Run one role, or all of them under a supervisor that migrates and calls `prepare`, until SIGTERM or SIGINT."""
    logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if role == "web":
        from bot.desk.routes import blueprint as desk
        from bot.web.app import run
        from bot.workbench.routes import blueprint as workbench
        from channels.web.blueprint import blueprint as chat

        rooms = [chat, desk, workbench]
        if check_wechat(settings()):
            from channels.wechat.blueprint import blueprint as wechat

            rooms.append(wechat)
        run(*rooms)
        return 0
    if role == "worker":
        return _worker()
    return _Supervisor().run(prepare)


class _Child:
    def __init__(self, name: str, role: str, model: str = ""):
        self.name, self.role, self.model = name, role, model
        self.process: subprocess.Popen | None = None
        self.started = 0.0
        self.pause = FASTEST_RESTART
        self.not_before = 0.0

    def start(self) -> None:
        environment = {**os.environ, "DAOYI_WORKER": self.name}
        if self.model:
            environment["DAOYI_MODEL"] = self.model
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve", "--role", self.role], env=environment
        )
        self.started = time.monotonic()

    def look(self) -> None:
        """Start it when it is not running; a child that keeps dying is started less and less often."""
        if self.process is not None and self.process.poll() is None:
            return
        now = time.monotonic()
        if self.process is not None:
            log.error("%s ended with code %s", self.name, self.process.returncode)
            self.pause = FASTEST_RESTART if now - self.started > 60 else min(self.pause * 2, SLOWEST_RESTART)
            self.not_before, self.process = now + self.pause, None
        if now >= self.not_before:
            self.start()

    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ask the process to finish its turns and go."""
        if self.alive():
            self.process.terminate()

    def kill(self) -> None:
        """End the process at once."""
        if self.alive():
            self.process.kill()


class _Supervisor:
    def __init__(self) -> None:
        host = os.uname().nodename
        self.takeover = Takeover(Project(), lambda name, model: _Child(name, "worker", model), _heard_of)
        self.web = _Child(f"{host}:web", "web")
        names = [f"{host}:worker-{n}" for n in range(1, settings().workers + 1)]
        self.workers = [_Child(name, "worker", self.takeover.model) for name in names]
        self.stopping = False

    def run(self, prepare: Callable[[], object]) -> int:
        """Run until SIGTERM or SIGINT; `prepare` fills the database while the workers load their model."""
        from bot.storage.migrate import migrate

        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._stop)
        started, announced = time.monotonic(), False
        migrate()
        try:
            self._look()
            prepare()
            while not self.stopping:
                self._look()
                if not announced and _worker_ready():
                    announced = True
                    _announce(time.monotonic() - started)
                time.sleep(0.3)
        finally:
            self._end()
        return 0

    def _look(self) -> None:
        self.workers = self.takeover.look(self.workers)
        for child in (self.web, *self.workers):
            child.look()

    def _end(self) -> None:
        children = [self.web, *self.workers, *self.takeover.everyone()]
        for child in children:
            child.stop()
        for child in children:
            if child.process:
                try:
                    child.process.wait(timeout=settings().turn_seconds + 5)
                except subprocess.TimeoutExpired:
                    child.process.kill()

    def _stop(self, *_):
        self.stopping = True


def _worker_ready() -> bool:
    return heartbeat.fresh("worker", now(), within=timedelta(seconds=HEARTBEAT_SECONDS))


def _heard_of(name: str) -> bool:
    return heartbeat.fresh("worker", now(), within=timedelta(seconds=HEARTBEAT_SECONDS), name=name)


def _announce(seconds: float) -> None:
    address = f"http://{settings().host}:{settings().port}"
    print(
        f"\n  ready after {seconds:.0f} s\n  患者聊天 chat  {address}/\n  坐席工作台 desk  {address}/desk\n"
        f"  训练工作台 workbench  {address}/workbench\n",
        flush=True,
    )


def _chosen_model() -> Path | None:
    """Give the model that the supervisor names, else the promoted one; None: that of today's files."""
    name = os.environ.get("DAOYI_MODEL")
    return models.path_of(Project(), name) if name else models.live_path()


def _worker() -> int:
    """Load the model and work; SIGTERM finishes the turns under way."""
    os.nice(WORKER_NICENESS)
    from bot.nlu.lean import without_tensorflow
    from bot.nlu.training import ready_model

    model = _chosen_model() or ready_model()
    without_tensorflow()
    from bot.dialogue.engine import Engine
    from bot.dialogue.worker import Worker
    from bot.nlu.reader import Reader

    engine = Engine(model)
    worker = Worker(engine, Reader.of_agent(engine))

    async def work() -> None:
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, lambda: setattr(worker, "stopping", True))
        await worker.run_forever()

    facts = {"model": model.name.removesuffix(".tar.gz"), "state": "live", "at": now().isoformat()}
    models.say_serving(Project(), facts)
    log.info("worker %s is ready", worker.owner)
    asyncio.run(work())
    return 0
