"""A talk without Rasa: flows run on a plain tracker, replies are the wordings of nlu_data with their values."""

import json
import string
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

from ruamel.yaml import YAML
from sqlalchemy import insert

from actions import dialogue
from actions.talk import FLOWS, Talk
from bot.conversations.tables import conversations
from bot.hospital.load import load_hospital
from bot.patients.tables import links, patients
from bot.storage import engine as storage

ROOT = Path(__file__).resolve().parents[3]
SLOTS = ("task", "suspended", "later", "memory")
NOW = "2026-11-30T10:00:00+08:00"


@lru_cache(maxsize=1)
def wordings() -> dict[str, str]:
    """Give the text of every response in nlu_data."""
    found = {}
    for file in sorted((ROOT / "nlu_data").rglob("*.yml")):
        loaded = YAML(typ="safe").load(file.read_text(encoding="utf-8")) or {}
        found |= {name: texts[0]["text"] for name, texts in (loaded.get("responses") or {}).items()}
    return found


def facts() -> dict[str, str]:
    """Give what the engine fills in from hospital.yml."""
    info = load_hospital().info
    return {"hospital": info.name, "address": info.address} | {f"phone_{k}": v for k, v in info.phones.items()}


class Replies(list):
    """What was said in a turn: SimpleNamespace(name, text, buttons, image)."""

    @property
    def text(self) -> str:
        return "\n".join(reply.text for reply in self)

    @property
    def names(self) -> list[str]:
        return [reply.name for reply in self]

    @property
    def titles(self) -> list[str]:
        return [button["title"] for reply in self for button in reply.buttons]

    def utter_message(self, response, buttons=None, image=None, **values) -> None:
        template = wordings().get(response)
        assert template is not None or not response.startswith(MINE), f"{response} has no wording"
        given = {**facts(), **values}
        if template is not None:
            asked = {field for _, field, _, _ in string.Formatter().parse(template) if field}
            assert asked <= given.keys(), f"{response} lacks {asked - given.keys()}"
        text = (template or response).format(**given) if template else response
        self.append(SimpleNamespace(name=response, text=text, buttons=buttons or [], image=image))


MINE = ("utter_price", "utter_bill", "utter_estimate", "utter_policy", "utter_coverage", "utter_insurance")


class Patient:
    """Somebody who writes; `say` gives the replies of one turn."""

    def __init__(self, conversation: str = "c1", now: str = NOW) -> None:
        self.id, self.now, self.turns = conversation, now, 0
        self.slots: dict = {}

    def say(self, text: str, label: str, *entities: tuple, button: bool = False, **meta) -> Replies:
        """Say a line that was understood as `label` with (entity, words, value) entities."""
        self.turns += 1
        found = [{"entity": kind, "text": words, "value": value} for kind, words, value in entities]
        metadata = {"turn": f"{self.id}:{self.turns}", "now": self.now, "rows": [], "label": label, "button": button}
        latest = {"text": text, "entities": found, "metadata": metadata | meta}
        tracker = SimpleNamespace(sender_id=self.id, latest_message=latest, get_slot=self.slots.get)
        replies = Replies()
        talk = Talk(tracker, replies)
        if label in FLOWS:
            talk.start(label)
        else:
            dialogue.proceed(talk)
        # The state goes through JSON, as it does in the conversation's column.
        self.slots = json.loads(json.dumps(talk.slots(), ensure_ascii=False))
        return replies

    def press(self, replies: Replies, title: str) -> Replies:
        """Press a button, as bot/dialogue/decide.py reads its payload."""
        payload = next(b["payload"] for r in replies for b in r.buttons if b["title"] == title)
        name, _, rest = payload.lstrip("/").partition("{")
        given = json.loads("{" + rest) if rest else {}
        return self.say(title, name, *((k, title, v) for k, v in given.items()), button=True)

    @property
    def waits_for(self) -> str | None:
        """Give the open question."""
        return (self.slots.get("task") or {}).get("asked")


def moment(text: str = NOW) -> datetime:
    """Give an aware moment."""
    return datetime.fromisoformat(text)


def verified(code: str, relation: str = "") -> Patient:
    """Give somebody who has passed the identity check as the sample patient `code`."""
    record, now = load_hospital().patients[code], moment()
    with storage.writing() as conn:
        conn.execute(insert(conversations).values(id="c1", channel="web", visitor="v", created_at=now, updated_at=now))
        key = conn.execute(
            insert(patients).values(
                code=code, name=record.name, sex=record.sex, birth=record.birth, created_at=now,
                insurance_type=record.insurance_type, retired=record.retired,
            )
        ).inserted_primary_key[0]  # fmt: skip
        conn.execute(
            insert(links).values(
                conversation_id="c1", patient_id=key, relation=relation, verified_at=now,
                expires_at=now + timedelta(hours=24),
            )
        )  # fmt: skip
    return Patient("c1")
