"""Daoyi's worker on a given model, as `daoyi serve --role worker` runs it, writing down how long each turn took."""

import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path

from bot.nlu.lean import without_tensorflow
from bot.settings import settings


def main(model: Path, times: Path) -> None:
    """Load the model and work until SIGTERM."""
    logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    without_tensorflow()
    from bot.dialogue.engine import Engine
    from bot.dialogue.worker import Worker
    from bot.nlu.reader import Reader

    engine = Engine(model)
    worker = Worker(engine, Reader.of_agent(engine))
    worker.take = _timed(worker.take, times)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: setattr(worker, "stopping", True))
        await worker.run_forever()

    asyncio.run(work())


def _timed(take, times: Path):
    """Give `take` that appends {"at", "ms"} for each turn, from the lease to the commit."""
    out = times.open("w", buffering=1)

    async def timed(turn) -> None:
        started = time.perf_counter()
        await take(turn)
        out.write(json.dumps({"at": time.time(), "ms": (time.perf_counter() - started) * 1000}) + "\n")

    return timed


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
