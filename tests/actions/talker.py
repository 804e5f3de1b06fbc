"""Somebody who writes through the real door: numbers are masked there, the originals wait in the inbox for the flow."""

import json
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from actions import appointments, complaints, dialogue, fees, human, privacy, tickets  # noqa: F401  (importing registers the flows)
from actions.talk import FLOWS, Talk
from bot.conversations import inbound
from bot.conversations.tables import conversations, inbox
from bot.patients.masking import mask
from bot.settings import settings
from bot.storage import engine as storage
from bot.tickets import tables
from tests.bot.fees.talking import Replies, moment

STEERING = {
    "request_human": human.request_human,
    "report_death": human.report_death,
    "stop": dialogue.stop,
    "greet": dialogue.greet,
    "thanks": dialogue.thanks,
    "nlu_fallback": dialogue.fallback,
    "abuse": dialogue.abuse,
    "out_of_scope": dialogue.out_of_scope,
}
MORNING, NIGHT = "2026-12-01T09:00:00+08:00", "2026-12-01T23:30:00+08:00"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Give an empty database of its own."""
    monkeypatch.setenv("DAOYI_DATABASE", f"sqlite:///{tmp_path}/d.db")
    monkeypatch.setenv("DAOYI_SECRET_FILE", str(tmp_path / "secret.key"))
    settings.cache_clear()
    storage.metadata.create_all(storage.engine())
    yield
    storage.engine().dispose()
    monkeypatch.undo()
    settings.cache_clear()


class Writer:
    """A visitor with one conversation; `tell` and `press` give the replies of one turn."""

    def __init__(self, now: str = MORNING) -> None:
        self.now, self.turns, self.slots = now, 0, {}
        self.id = inbound.open_conversation("web", "visitor", moment(now))
        self.last = Replies()

    def tell(self, text: str, label: str = "inform", *entities: tuple, heard: str | None = None) -> Replies:
        """Say a line that was understood as `label` with (entity, words) entities; phones are found by themselves."""
        inbound.accept_text(self.id, f"m{self.turns}", text, moment(self.now))
        shown = mask(text)
        found = [{"entity": kind, "text": words, "value": words} for kind, words in entities]
        found += [{"entity": s.kind, "text": s.masked, "value": s.masked} for s in shown.secrets]
        return self._turn(shown.text, label, found, heard=heard or label)

    def press(self, title: str) -> Replies:
        """Press a button of the last replies, as bot/dialogue/decide.py reads its payload."""
        payload = next(b["payload"] for r in self.last for b in r.buttons if b["title"] == title)
        name, _, rest = payload.lstrip("/").partition("{")
        given = json.loads("{" + rest) if rest else {}
        found = [{"entity": kind, "text": title, "value": value} for kind, value in given.items()]
        return self._turn(title, name, found, heard=name, button=True)

    def again(self) -> Replies:
        """Live the last turn a second time, as after a crash between the ticket and the turn's own commit."""
        self.turns -= 1
        self.slots = self._before
        return self._turn(*self._said[0], **self._said[1])

    def _turn(self, text: str, label: str, entities: list, **meta) -> Replies:
        self._said, self._before = ((text, label, entities), meta), self.slots
        self.turns += 1
        with storage.reading() as conn:
            row = conn.execute(select(conversations).where(conversations.c.id == self.id)).one()
            rows = conn.execute(select(inbox.c.id).where(inbox.c.conversation_id == self.id)).scalars().all()
        metadata = {"turn": f"{self.id}:{self.turns}", "now": self.now, "rows": rows[-1:], "label": label}
        latest = {"text": text, "entities": entities, "metadata": metadata | {"holder": row.holder} | meta}
        slots = json.loads(json.dumps(self.slots, ensure_ascii=False))
        self.last = Replies()
        talk = Talk(SimpleNamespace(sender_id=self.id, latest_message=latest, get_slot=slots.get), self.last)
        name = label.partition("/")[0]
        if human.hear_mood(talk):
            pass
        elif name in STEERING:
            STEERING[name](talk)
        elif name in FLOWS:
            talk.start(name)
        else:
            dialogue.proceed(talk)
        self.slots = json.loads(json.dumps(talk.slots(), ensure_ascii=False))
        return self.last

    @property
    def waits_for(self) -> str | None:
        """Give the open question."""
        return (self.slots.get("task") or {}).get("asked")

    @property
    def memory(self) -> dict:
        return self.slots["memory"]

    def tickets(self, kind: str = "complaint") -> list:
        """Give this conversation's tickets of a kind in every state, the content read."""
        with storage.reading() as conn:
            rows = conn.execute(
                select(tables.tickets).where(tables.tickets.c.conversation_id == self.id, tables.tickets.c.kind == kind)
            ).all()
        return [SimpleNamespace(**{**row._mapping, "content": json.loads(row.content)}) for row in rows]
