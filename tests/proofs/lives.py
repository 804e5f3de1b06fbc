"""A worker that is killed again and again at one point of its work, and comes back under the same name.

    python -m tests.proofs.lives POINT ROUNDS        started by test_kill.py, whose settings it shares

Everything is imported once; each life is a fork, so that a death costs milliseconds. A life is the real Worker on the
real database with an engine and a reader of its own (no Rasa): the engine books an opening in the turn's name, writes the
receipt in the same commit, and answers. At `POINT` the life kills itself with SIGKILL: no handler runs, nothing is tidied.
"""

import asyncio
import gc
import os
import signal
import sys
from types import SimpleNamespace

from sqlalchemy import func, select

from bot.appointments import service
from bot.appointments.tables import openings
from bot.clock import now
from bot.conversations import inbound, transcript
from bot.conversations.tables import conversations, inbox
from bot.conversations.transcript import Line
from bot.dialogue.replies import Reply
from bot.dialogue.worker import Worker
from bot.patients.tables import patients
from bot.storage.engine import engine, reading, writing

POINTS = ("inbox", "nlu", "action", "turn", "sent")
OWNER = "house:worker-1"
WORDS = "请帮我挂一个号"


class Doom:
    """Where this life ends; it is armed once the work that the last life left is done."""

    def __init__(self, point: str) -> None:
        self.point = point
        self.armed = False

    def at(self, point: str) -> None:
        """Die here, as if the power had gone, if this is the place."""
        if self.armed and point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


class Reader:
    """Understands everything as a booking."""

    def __init__(self, doom: Doom) -> None:
        self.doom = doom

    def read(self, text: str, _received_at) -> SimpleNamespace:
        self.doom.at("nlu")
        return SimpleNamespace(
            label="book_appointment", confidence=0.9, ranking=[], entities=[], danger=None, text=text
        )


class Engine:
    """Books the opening that belongs to the visitor's number, once for each turn, with the receipt in the same commit."""

    def __init__(self, doom: Doom) -> None:
        self.doom = doom

    async def handle(self, conversation_id: str, _state: dict, _parse_data: dict, metadata: dict):
        opening, patient = whose(conversation_id)
        with writing() as conn:
            booking, made = service.book(conn, opening, patient, conversation_id, f"{metadata['turn']}:book", now())
            if made:
                receipt = Line("system", f"预约成功\n预约号：{booking.number}", meta={"turn": metadata["turn"]})
                transcript.append(conn, conversation_id, [receipt], now())
        self.doom.at("action")
        return [Reply(f"已为您约好，预约号{booking.number}。")], {"slots": {"memory": {}}}

    def words(self, _response: str) -> str:
        return "非常抱歉，请您稍后再试，或转人工。"


class MortalWorker(Worker):
    """The worker of the house, which can die around its commit."""

    def __init__(self, doom: Doom) -> None:
        super().__init__(Engine(doom), Reader(doom), OWNER)
        self.doom = doom

    async def _think(self, turn):
        outcome = await super()._think(turn)
        self.doom.at("turn")
        return outcome

    async def take(self, turn) -> None:
        await super().take(turn)
        self.doom.at("sent")


def whose(conversation_id: str) -> tuple[int, int]:
    """Give opening and patient of a conversation: the n-th visitor is the n-th patient and wants the n-th opening."""
    with reading() as conn:
        visitor = conn.execute(
            select(conversations.c.visitor).where(conversations.c.id == conversation_id)
        ).scalar_one()
        place = int(visitor.rpartition("-")[2])
        first = conn.execute(select(func.min(openings.c.id))).scalar_one()
        patient = conn.execute(select(func.min(patients.c.id))).scalar_one()
    return first + place, patient + place


def write(point: str, place: int) -> inbound.Accepted:
    """The n-th visitor writes; the message keeps its client's id when it is sent again."""
    chat = inbound.open_conversation("web", f"{point}-{place}", now())
    return inbound.accept_text(chat, f"message-{place}", WORDS, now())


async def life(point: str, place: int, last: bool) -> None:
    """Start as a worker does, finish what was left, take one more message, and die; the last life ends in peace.

    Without a point it ends in peace, too, with its message answered.
    """
    doom = Doom(point)
    worker = MortalWorker(doom)
    task = asyncio.get_running_loop().create_task(worker.run_forever())
    if place and point == "inbox":  # the browser has had no answer from the process that died: it sends again
        assert write(point, place - 1).duplicate
    await idle()
    if not last:
        doom.armed = True
        write(point, place)
        doom.at("inbox")
        await idle()
    worker.stopping = True
    await asyncio.wait_for(task, 10)


async def idle() -> None:
    """Wait until nobody waits for the bot, at most ten seconds."""
    for _ in range(1000):
        with reading() as conn:
            if not conn.execute(select(func.count()).where(inbox.c.state == "waiting")).scalar_one():
                return
        await asyncio.sleep(0.01)
    raise TimeoutError("a message still waits")


def live(point: str, place: int, last: bool = False) -> int:
    """Fork, let the child live, and give the number of the signal that ended it (0: it ended in peace)."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(life(point, place, last))
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(100)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def main(point: str, rounds: int) -> None:
    # A rehearsal reads the files and compiles the statements; no connection to the database is open at a fork.
    asyncio.run(life("", rounds, last=False))
    engine().dispose()
    gc.freeze()  # a child that collects would copy every page it looks at
    gc.disable()
    for place in range(rounds):
        if (ended := live(point, place)) != signal.SIGKILL:
            sys.exit(f"life {place} was not killed but ended with {ended}")
    if ended := live(point, rounds, last=True):
        sys.exit(f"the last life ended with {ended}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
