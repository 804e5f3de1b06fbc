"""The worker: takes turns one after another, lets Rasa act on them, commits. It also sweeps what is due."""

import asyncio
import logging
import math
import os
import re
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.clock import now
from bot.conversations import person, turns
from bot.conversations.turns import Outcome, Turn
from bot.dialogue.decide import decide
from bot.dialogue.decision import rank
from bot.dialogue.outgoing import prepare
from bot.dialogue.replies import ActionFailed, Reply
from bot.dialogue.several import IDENTIFYING
from bot.dialogue.sweeper import sweep
from bot.language.script import is_traditional, to_simplified
from bot.patients.masking import mask
from bot.settings import settings
from bot.storage import heartbeat
from bot.storage.engine import changes

if TYPE_CHECKING:  # the worker itself starts without Rasa: tests give it an engine of their own
    from bot.dialogue.engine import Engine

log = logging.getLogger(__name__)
HAN = re.compile(r"[\u4e00-\u9fff]")
HELP_COMES = re.compile(
    r"(叫|打|拨|喊)(了|过|好了|完了).{0,6}(120|救护车|急救)|(120|救护车|急救车).{0,8}(叫|打|拨|来|到|路上)|已经?.{0,4}(叫|打|拨)了?"
)
MAX_ATTEMPTS = 3
MOST_ENTITIES = 20  # kept with a line for the desk
AT_ONCE = 8  # turns that may be under way in one worker; only waiting actions overlap
SWEEP_SECONDS = 1.0  # also the longest pause between two looks at what waits
BEAT_SECONDS = 3.0
CLAIM_SECONDS = heartbeat.FRESH.total_seconds() - BEAT_SECONDS  # who was not heard for so long takes no turn


class Worker:
    """Runs turns with one model. `reader` understands text, `engine` acts on it, `model` is its name for others.

    It takes turns only while others hear that it lives: once no worker with another model is heard, none takes a turn.
    """

    def __init__(self, engine: "Engine", reader, name: str | None = None, model: str | None = None) -> None:
        self.engine = engine
        self.reader = reader
        self.model = model
        self.owner = (name or os.environ.get("DAOYI_WORKER") or f"{socket.gethostname()}:{os.getpid()}")[:80]
        self.stopping = False
        self._under_way: set[asyncio.Task] = set()
        self._beaten = self._swept = -math.inf
        self._beating: asyncio.Task | None = None
        self._sweeping: asyncio.Task | None = None

    async def run_forever(self) -> None:
        """Work until `stopping` is set; then finish what is under way."""
        turns.void_leases(self.owner)
        await asyncio.to_thread(self._beat, time.monotonic())
        news = changes()
        try:
            while not self.stopping:
                self._keep_time()
                news.catch_up()
                if self._may_claim() and self._start_one():
                    await asyncio.sleep(0)
                else:
                    await news.wait(self._pause())
        finally:
            news.close()
        if under_way := self._under_way | ({self._beating, self._sweeping} - {None}):
            await asyncio.wait(under_way, timeout=settings().turn_seconds)
        await asyncio.to_thread(self._say_gone)

    def _may_claim(self) -> bool:
        return len(self._under_way) < AT_ONCE and self._is_heard()

    def _is_heard(self) -> bool:
        return time.monotonic() - self._beaten < CLAIM_SECONDS

    def _keep_time(self) -> None:
        """Beat and sweep when it is time, each in a thread: what is due may send an SMS, and a slow gateway must not keep
        patients waiting."""
        moment, loop = time.monotonic(), asyncio.get_running_loop()
        if moment - self._beaten >= BEAT_SECONDS and (self._beating is None or self._beating.done()):
            self._beating = loop.create_task(asyncio.to_thread(self._beat, moment))
        if moment - self._swept >= SWEEP_SECONDS and (self._sweeping is None or self._sweeping.done()):
            self._swept = moment
            self._sweeping = loop.create_task(asyncio.to_thread(self._sweep))

    def _beat(self, moment: float) -> None:
        try:
            heartbeat.beat("worker", self.owner, now(), model=self.model)
            self._beaten = moment
        except Exception:
            log.exception("heartbeat failed")

    def _say_gone(self) -> None:
        try:
            heartbeat.gone("worker", self.owner)
        except Exception:
            log.exception("heartbeat not taken back: it is forgotten by itself")

    def _sweep(self) -> None:
        try:
            sweep(now())
        except Exception:
            log.exception("sweep failed")

    def _pause(self) -> float:
        """Give how long nothing will be ripe unless the database changes, in seconds."""
        if not self._may_claim():
            return SWEEP_SECONDS
        try:
            ripe = turns.ripe_in(now(), _quiet())
        except Exception:
            log.exception("could not look for work")
            return SWEEP_SECONDS
        return SWEEP_SECONDS if ripe is None else min(ripe.total_seconds(), SWEEP_SECONDS)

    def _start_one(self) -> bool:
        try:
            turn = turns.claim(self.owner, now(), _quiet())
        except Exception:
            log.exception("could not look for work")
            return False
        if turn is None:
            return False
        if not self._is_heard():  # the database kept us waiting
            turns.release(turn)
            return False
        task = asyncio.get_running_loop().create_task(self.take(turn))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return True

    async def run_until_idle(self) -> None:
        """Take every turn that waits, without the pause for more (for `daoyi chat` and tests)."""
        while (turn := turns.claim(self.owner, now(), timedelta(0))) is not None:
            await self.take(turn)

    async def take(self, turn: Turn) -> None:
        """Run one turn to its end: an answer, an apology, or nothing when a person took the talk meanwhile."""
        started = time.perf_counter()
        try:
            if any(row.kind == "text" for row in turn.rows) and await asyncio.to_thread(
                person.follow, turn.conversation_id, now()
            ):
                return  # the words stand in the talk, a person answers them
            if turn.attempts > MAX_ATTEMPTS:
                raise DeadlyTurn(f"{turn.attempts - 1} attempts")
            wrote = turns.commit(turn, await self._think(turn), now())
        except Exception as error:
            log.error("turn %s failed: %s", turn.key, _kind(error), exc_info=log.isEnabledFor(logging.DEBUG))
            if turn.attempts < MAX_ATTEMPTS - 1:
                turns.release(turn)
                return
            wrote = turns.commit(turn, self._apology(turn, _kind(error)), now())
        if not wrote:
            log.info("turn %s was overtaken and thrown away", turn.key)
        else:
            log.info("turn %s took %.0f ms", turn.key, (time.perf_counter() - started) * 1000)

    async def _think(self, turn: Turn) -> Outcome:
        state = turn.tracker or {}
        slots = {k: v for k, v in (state.get("slots") or {}).items() if v is not None}
        memory = dict(slots.get("memory") or {})
        clear = False
        if turn.suspended_by:
            clear = True
            if slots.get("task"):
                slots["suspended"] = [*(slots.get("suspended") or []), slots.pop("task")]
        _note_script(memory, turn)
        slots["memory"] = memory
        decision = decide(list(turn.rows), slots, self.reader.read, turn.received_at)
        staying = None
        if turn.suspended_by and not _moves_on(decision):  # no business with somebody in danger (B5)
            staying, decision.label, clear = turn.suspended_by, "emergency", False
        metadata = {
            "staying": staying,
            "turn": turn.key,
            "now": turn.received_at.isoformat(),
            "rows": [r.id for r in turn.rows],
            "label": decision.label,
            "heard": decision.heard,
            "more": decision.more,
            "ranking": [list(r) for r in decision.ranking[:3]],
            "button": decision.button,
            "stale": decision.stale,
            "ellipsis": decision.ellipsis,
            "elder": decision.elder,
            "wait": decision.wait,
            "resume": decision.resume,
            "last_said": (state.get("last") or {}).get("said"),
            "holder": turn.holder,
        }
        replies, state = await asyncio.wait_for(
            self.engine.handle(turn.conversation_id, {"slots": slots}, decision.parse_data(), metadata),
            settings().turn_seconds,
        )
        if not replies:
            raise SilentTurn(decision.label)
        kept = state["slots"]
        memory = kept.get("memory") or {}
        meta = {"turn": turn.key, "intent": decision.label, "confidence": round(float(decision.confidence), 3)}
        heard = heard_entities(decision.entities) if not decision.button else []
        out = prepare(replies, memory, {**meta, "entities": heard} if heard else meta)
        kept["memory"] = memory
        asked = (kept.get("task") or {}).get("asked")
        return Outcome(
            tracker={"slots": kept, "last": {**meta, "said": replies[-1].text[:600]}},
            lines=out.lines,
            code_expected=asked == "code",
            clear_suspension=clear,
            buttons=out.buttons,
            images=out.images,
        )

    def _apology(self, turn: Turn, kind: str) -> Outcome:
        """The patient is told, a person is offered, the technical department has a row (R31, R81)."""
        slots = (turn.tracker or {}).get("slots") or {}
        reply = Reply(self.engine.words("utter_failed_turn"), [{"title": "转人工", "payload": "/request_human"}])
        out = prepare([reply], dict(slots.get("memory") or {}), {"turn": turn.key, "failed": kind})
        return Outcome(
            turn.tracker or {},
            out.lines,
            code_expected=(slots.get("task") or {}).get("asked") == "code",
            buttons=out.buttons,
            incident=kind,
        )


def heard_entities(entities: list[dict]) -> list[dict]:
    """Give what the desk may see of the entities: kind, words as they stand masked in the transcript, value.

    Of what identifies a person only the kind is kept, and of a name its first character.
    """
    found = []
    for each in entities[:MOST_ENTITIES]:
        kind, text = each["entity"], str(each.get("text") or "")
        if kind == "person_name":
            found.append({"entity": kind, "text": text[:1] + "*" * (len(text) - 1)})
        elif kind in IDENTIFYING:
            found.append({"entity": kind, "text": mask(text).text})
        else:
            found.append({"entity": kind, "text": text, "value": each.get("value")})
    return found


def _quiet() -> timedelta:
    return timedelta(milliseconds=settings().merge_ms)


class SilentTurn(Exception):
    """Rasa gave no reply: a missing rule or response."""


class DeadlyTurn(Exception):
    """Earlier lives of the worker ended in this turn; it is not tried again."""


def _kind(error: Exception) -> str:
    cause = error.__cause__
    return (
        f"{type(error).__name__}: {error}" + (f" ({type(cause).__name__})" if cause else "")
        if isinstance(error, (ActionFailed, SilentTurn, DeadlyTurn))
        else type(error).__name__
    )


def _moves_on(decision) -> bool:
    """After a danger sign only a clear request counts as one; a person may always be asked for."""
    clear = rank(decision.label) in (1, 3, 4) and decision.confidence >= 0.7
    if decision.label == "faq/ambulance" and HELP_COMES.search(decision.text):
        return False  # 救护车叫了 asks for none
    return decision.resume or decision.button or decision.label == "request_human" or clear


def _note_script(memory: dict, turn: Turn) -> None:
    """Answer in the script the patient writes; a line without telling characters changes nothing (R46)."""
    for row in turn.rows:
        if row.kind != "text":
            continue
        if is_traditional(row.text):
            memory["script"] = "hant"
        elif to_simplified(row.text) == row.text and len(HAN.findall(row.text)) >= 5 and memory.get("script") == "hant":
            memory["script"] = "hans"
