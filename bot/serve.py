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

from sqlalchemy.exc import SQLAlchemyError

from bot.clock import now
from bot.settings import check_wechat, settings
from bot.storage import heartbeat
from bot.workbench import models
from bot.workbench.project import Project
from bot.workbench.takeover import Takeover

log = logging.getLogger("daoyi.serve")
CHILD = "worker-process"  # the role of one worker that a supervisor keeps
FASTEST_RESTART = 1.0
SLOWEST_RESTART = 30.0
HEARTBEAT_SECONDS = 5
WORKER_NICENESS = 5  # danger texts are answered by the web process: it goes first when processors are scarce


def serve(role: str, prepare: Callable[[], object]) -> int:
    """Run until SIGTERM or SIGINT: the web process, or the workers of this host, or both after migrating and `prepare`."""
    logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if role == "web":
        return _web()
    if role == CHILD:
        return _worker()
    return _Supervisor(role).run(prepare)


def _web() -> int:
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
        if "DAOYI_NOW" in environment:
            environment["DAOYI_NOW"] = now().isoformat()  # one clock: it must not start again with each process
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve", "--role", self.role], env=environment
        )
        self.started = time.monotonic()

    def look(self) -> None:
        """Start it when it is not running; a child that keeps dying is started less and less often."""
        if self.process is not None and self.process.poll() is None:
            return
        moment = time.monotonic()
        if self.process is not None:
            log.error("%s ended with code %s", self.name, self.process.returncode)
            self.pause = FASTEST_RESTART if moment - self.started > 60 else min(self.pause * 2, SLOWEST_RESTART)
            self.not_before, self.process = moment + self.pause, None
        if moment >= self.not_before:
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
    """Keeps this host's workers, and with the role "all" the web process, running on the promoted model."""

    def __init__(self, role: str) -> None:
        host = os.uname().nodename
        self.role = role
        self.takeover = Takeover(Project(), lambda name, model: _Child(name, CHILD, model), _heard)
        self.web = [_Child(f"{host}:web", "web")] if role == "all" else []
        # Workers alone may be a second set on one host: a name that another one bears would void his leases.
        base = f"{host}:worker" if role == "all" else f"{host}:{os.getpid()}"
        names = [f"{base}-{n}" for n in range(1, settings().workers + 1)]
        self.workers = [_Child(name, CHILD, self.takeover.model) for name in names]
        self.stopping = False

    def run(self, prepare: Callable[[], object]) -> int:
        """Run until SIGTERM or SIGINT; with the role "all" migrate first, and `prepare` while the workers load their model."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._stop)
        started, announced = time.monotonic(), False
        if self.role == "all":
            from bot.storage.migrate import migrate

            migrate()
        try:
            self._look()
            if self.role == "all":
                prepare()
            while not self.stopping:
                self._look()
                if not announced and self._ready():
                    announced = True
                    _announce(time.monotonic() - started, self.role)
                time.sleep(0.3)
        finally:
            self._end()
        return 0

    def _look(self) -> None:
        try:
            self.workers = self.takeover.look(self.workers)
        except SQLAlchemyError as error:  # the workers go on with the model they have
            log.warning("the heartbeats cannot be read: %s", type(error).__name__)
        for child in (*self.web, *self.workers):
            child.look()

    def _ready(self) -> bool:
        try:
            return not {child.name for child in self.workers}.isdisjoint(_heard())
        except SQLAlchemyError:
            return False

    def _end(self) -> None:
        children = [*self.web, *self.workers, *self.takeover.everyone()]
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


def _heard() -> dict[str, str | None]:
    return heartbeat.heard("worker", now(), within=timedelta(seconds=HEARTBEAT_SECONDS))


def _announce(seconds: float, role: str) -> None:
    address = f"http://{settings().host}:{settings().port}"
    pages = (
        f"\n  患者聊天 chat  {address}/\n  坐席工作台 desk  {address}/desk\n  训练工作台 workbench  {address}/workbench"
        if role == "all"
        else ""
    )
    print(f"\n  ready after {seconds:.0f} s{pages}\n", flush=True)


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
    worker = Worker(engine, Reader.of_agent(engine), model=model.name.removesuffix(".tar.gz"))

    async def work() -> None:
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, lambda: setattr(worker, "stopping", True))
        await worker.run_forever()

    log.info("worker %s is ready", worker.owner)
    asyncio.run(work())
    return 0
