"""The worker of the house with an engine that takes its time and repeats what it was told: no model, no Rasa.

python -m benchmarks.wechat_worker SECONDS
"""

import asyncio
import logging
import os
import signal
import sys
from types import SimpleNamespace

from sqlalchemy import select

from bot.conversations.tables import inbox
from bot.dialogue.replies import Reply
from bot.dialogue.worker import Worker
from bot.serve import WORKER_NICENESS
from bot.storage.engine import reading


class Reader:
    """Understands everything as small talk."""

    def read(self, text: str, _received_at) -> SimpleNamespace:
        return SimpleNamespace(label="greet", confidence=0.9, ranking=[], entities=[], danger=None, text=text)


class Engine:
    """Answers a turn after `seconds` with every message that the turn covers."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def handle(self, _conversation_id: str, _state: dict, _parse_data: dict, metadata: dict):
        await asyncio.sleep(self._seconds)
        with reading() as conn:
            heard = conn.execute(select(inbox.c.text).where(inbox.c.id.in_(metadata["rows"])).order_by(inbox.c.id))
            said = "。".join(heard.scalars())
        return [Reply(f"收到：{said}。")], {"slots": {"memory": {}}}

    def words(self, _response: str) -> str:
        return "非常抱歉，请您稍后再试，或转人工。"


def main(seconds: float) -> None:
    """Work until SIGTERM."""
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.nice(WORKER_NICENESS)  # as the real one
    worker = Worker(Engine(seconds), Reader())

    async def work() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: setattr(worker, "stopping", True))
        await worker.run_forever()

    asyncio.run(work())


if __name__ == "__main__":
    main(float(sys.argv[1]))
