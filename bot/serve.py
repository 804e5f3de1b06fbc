"""`daoyi serve`: the web process and its workers as children; what dies is started again, slower each time."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

from bot.settings import settings

log = logging.getLogger("daoyi.serve")
FASTEST_RESTART = 1.0
SLOWEST_RESTART = 30.0
HEARTBEAT_SECONDS = 5


def serve(role: str) -> int:
    """Run one role, or all of them under a supervisor, until SIGTERM or SIGINT."""
    logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if role == "web":
        from bot.desk.routes import blueprint as desk
        from bot.web.app import run
        from channels.web.blueprint import blueprint as chat

        run(chat, desk)
        return 0
    if role == "worker":
        return _worker()
    return _Supervisor().run()


class _Child:
    def __init__(self, name: str, role: str):
        self.name, self.role = name, role
        self.process: subprocess.Popen | None = None
        self.started = 0.0
        self.pause = FASTEST_RESTART
        self.not_before = 0.0

    def start(self) -> None:
        environment = {**os.environ, "DAOYI_WORKER": self.name}
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


class _Supervisor:
    def __init__(self) -> None:
        host = os.uname().nodename
        self.children = [_Child(f"{host}:web", "web")]
        self.children += [_Child(f"{host}:worker-{n}", "worker") for n in range(1, settings().workers + 1)]
        self.stopping = False

    def run(self) -> int:
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._stop)
        started, announced = time.monotonic(), False
        while not self.stopping:
            for child in self.children:
                child.look()
            if not announced and _worker_ready():
                announced = True
                _announce(time.monotonic() - started)
            time.sleep(0.3)
        for child in self.children:
            if child.process and child.process.poll() is None:
                child.process.terminate()
        for child in self.children:
            if child.process:
                try:
                    child.process.wait(timeout=settings().turn_seconds + 5)
                except subprocess.TimeoutExpired:
                    child.process.kill()
        return 0

    def _stop(self, *_):
        self.stopping = True


def _worker_ready() -> bool:
    from bot.clock import now
    from bot.storage import heartbeat

    return heartbeat.fresh("worker", now(), within=timedelta(seconds=HEARTBEAT_SECONDS))


def _announce(seconds: float) -> None:
    address = f"http://{settings().host}:{settings().port}"
    print(
        f"\n  ready after {seconds:.0f} s\n  患者聊天 chat  {address}/\n  坐席工作台 desk  {address}/desk\n", flush=True
    )


def _worker() -> int:
    """Load the model and work; SIGTERM finishes the turns under way."""
    from bot.nlu.lean import without_tensorflow
    from bot.nlu.training import ready_model

    model = ready_model()
    without_tensorflow()
    from bot.dialogue.engine import Engine
    from bot.dialogue.worker import Worker
    from bot.nlu.reader import Reader

    engine = Engine(model)
    worker = Worker(engine, Reader.of_agent(engine.agent))

    async def work() -> None:
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, lambda: setattr(worker, "stopping", True))
        await worker.run_forever()

    log.info("worker %s is ready", worker.owner)
    asyncio.run(work())
    return 0
