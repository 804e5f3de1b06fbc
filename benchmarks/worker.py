"""Daoyi's worker on a given model, as `daoyi serve --role worker` runs it, writing down how long each turn took."""

import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path

from bot.dialogue.engine import Engine
from bot.dialogue.worker import Worker
from bot.nlu.reader import Reader
from bot.settings import settings


class TimedWorker(Worker):
    """Appends {"at", "ms"} for each turn, from the lease to the commit."""

    def __init__(self, engine: Engine, reader: Reader, times: Path) -> None:
        super().__init__(engine, reader)
        self._times = times.open("w", buffering=1)

    async def take(self, turn) -> None:
        started = time.perf_counter()
        await super().take(turn)
        self._times.write(json.dumps({"at": time.time(), "ms": (time.perf_counter() - started) * 1000}) + "\n")


def main(model: Path, times: Path) -> None:
    """Load the model and work until SIGTERM."""
    logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    engine = Engine(model)
    worker = TimedWorker(engine, Reader.of_agent(engine.agent), times)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: setattr(worker, "stopping", True))
        await worker.run_forever()

    asyncio.run(work())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
