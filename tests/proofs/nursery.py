"""A process of the house that is killed at random moments and comes back, until it is told to live on.

    python -m tests.proofs.nursery web|worker        started by test_messages.py, whose settings it shares

Everything is imported once; each life is a fork, so that a death costs milliseconds. `web` is the real web process with
chat and desk; `worker` the real Worker with an engine that repeats the messages of its turn (no Rasa). The nursery itself
sends the SIGKILL, at any moment: no handler runs, nothing is tidied. A line on stdin ends the killing: the life under way
is the last one. When stdin closes it ends and the nursery prints how many lives were killed.
"""

import asyncio
import gc
import os
import random
import signal
import sys
from collections.abc import Callable
from select import select

import sqlalchemy as sa
from sanic import Blueprint

from bot.conversations.tables import inbox
from bot.desk.routes import blueprint as desk
from bot.dialogue.replies import Reply
from bot.dialogue.worker import Worker
from bot.storage.engine import engine, reading
from bot.web.app import run
from channels.web import service
from channels.web.blueprint import blueprint as chat
from tests.proofs.lives import OWNER, Doom, Reader

LIFE = {"web": (0.3, 2.5), "worker": (0.3, 1.2)}  # seconds from the moment at which a life has begun to do its work


class Echo:
    """Answers each turn with the messages that it covers."""

    async def handle(self, _conversation_id: str, _state: dict, _parse_data: dict, metadata: dict):
        await asyncio.sleep(random.random() * 0.01)  # some deaths fall into the turn
        with reading() as conn:
            heard = conn.execute(sa.select(inbox.c.text).where(inbox.c.id.in_(metadata["rows"])).order_by(inbox.c.id))
            return [Reply(f"收到：{''.join(heard.scalars())}")], {"slots": {"memory": {}}}

    def words(self, _response: str) -> str:
        return "非常抱歉，请您稍后再试，或转人工。"


class Beginner(Worker):
    """The worker of the house, which says when it has ended a turn: three deaths in a turn would end the turn as well."""

    def __init__(self, begun: Callable[[], None]) -> None:
        super().__init__(Echo(), Reader(Doom("")), OWNER)
        self._begun = begun

    async def take(self, turn) -> None:
        await super().take(turn)
        self._begun()


def work(begun: Callable[[], None]) -> None:
    """Live as the one worker of the house, which always has the same name."""
    asyncio.run(Beginner(begun).run_forever())


def serve(begun: Callable[[], None]) -> None:
    """Live as the web process, at the port of the settings; its life begins when its door is open."""
    door = Blueprint("door")
    door.listener("after_server_start")(lambda _app, _loop: begun())
    run(chat, desk, door)


def born(live: Callable[[Callable[[], None]], None]) -> tuple[int, int]:
    """Fork a life; give its process id and the end of a pipe at which it says that it has begun."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        random.seed()
        os.close(here)
        try:
            live(lambda: os.write(there, b"."))
        finally:
            os._exit(100)
    os.close(there)
    return child, here


def main(role: str) -> None:
    live = {"web": serve, "worker": work}[role]
    service.warm_up()  # no connection to the database is open at a fork
    engine().dispose()
    gc.freeze()
    killed = 0
    while True:
        child, begun = born(live)
        heard, _, _ = select([sys.stdin, begun], [], [])
        if sys.stdin in heard or select([sys.stdin], [], [], random.uniform(*LIFE[role]))[0]:
            break
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(begun)
        if not os.WIFSIGNALED(status):
            sys.exit(f"a life of {role} ended by itself with {os.WEXITSTATUS(status)}")
        killed += 1
    sys.stdin.read()
    if os.waitpid(child, os.WNOHANG) != (0, 0):
        sys.exit(f"the last life of {role} ended by itself")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(killed, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
