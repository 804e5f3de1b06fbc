"""Messages worth learning from: what patients wrote, what was understood, what followed. Read from the transcript.

The transcript is masked by construction (bot/patients/masking.py); names of patients are hidden here as the desk hides them.
"""

import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.conversations.erasure import GONE
from bot.conversations.tables import episodes, inbox, lines, ratings
from bot.patients.access import Patient
from bot.patients.tables import checks, links, patients
from bot.workbench.checks import fold
from bot.workbench.tables import training_marks

MOST = 4000  # messages looked at; the newest count
SOON = timedelta(minutes=5)
DOUBT, UNSURE = 0.75, 0.5
NOT_THIS = re.compile(
    r"不是(这个|這個|问这个|说这个)?意思|答非所[问問]|不是[问問我想]*[这這]个|听不懂(我|人话)|没(有)?听懂|看不懂你|我[问問]的(不)?是|不对不对"
)
PERSON = re.compile(r"转人工|轉人工|人工客服|找(个|個)?真人")
SAID_NAME = re.compile(r"((?:我叫|姓名[是:：]?|名字[是叫:：])\s*[一-鿿])([一-鿿·]{1,3})(?=$|[，,。；;！!\s])")
REASONS = {  # reason → (weight, what the trainer reads)
    "fallback": (5.0, "没有把握"),
    "failed": (4.0, "没能答上"),
    "denied": (4.0, "患者说答错了"),
    "unsure": (3.5, "把握很低"),
    "handed": (3.0, "随后转人工"),
    "rated": (2.0, "评价低"),
    "doubt": (1.5, "把握偏低"),
}


@dataclass
class Message:
    """What one or more patients wrote in the same words."""

    key: str
    text: str
    intent: str | None
    confidence: float | None
    at: datetime
    conversation_id: str
    seq: int
    reasons: set[str] = field(default_factory=set)
    times: int = 1

    @property
    def worth(self) -> float:
        """Give how much it teaches: what went wrong, and how often."""
        return sum(REASONS[reason][0] for reason in self.reasons) + math.log2(self.times)


def key_of(text: str) -> str:
    """Give the name under which a message is marked: equal for texts that differ in script, width and punctuation."""
    return hashlib.sha256(fold(text).encode()).hexdigest()


def messages(conn: Connection, since: datetime) -> list[Message]:
    """Give the messages since a moment, duplicates folded, what teaches most first. What a person answered counts, too."""
    rows = conn.execute(
        select(inbox)
        .where(inbox.c.received_at >= since, inbox.c.kind == "text", inbox.c.text != GONE)
        .order_by(inbox.c.id.desc())
        .limit(MOST)
    ).all()
    talks = _by_talk(rows)
    hidden = names_to_hide(conn, talks)
    folded: dict[str, Message] = {}
    for message in _with_what_followed(conn, talks):
        message.text = hide(message.text, hidden.get(message.conversation_id, {}))
        message.key = key_of(message.text)
        if (known := folded.get(message.key)) is None:
            folded[message.key] = message
            continue
        known.times += 1
        known.reasons |= message.reasons
        if message.at > known.at:
            message.times, message.reasons = known.times, known.reasons
            folded[message.key] = message
    return sorted(folded.values(), key=lambda each: (-each.worth, -each.at.timestamp()))


def _by_talk(rows: list) -> dict[str, list]:
    talks: dict[str, list] = defaultdict(list)
    for row in reversed(rows):
        talks[row.conversation_id].append(row)
    return talks


def _with_what_followed(conn: Connection, talks: dict[str, list]) -> list[Message]:
    ids = list(talks)
    answers = _answers(conn, ids)
    handed = _moments(conn, select(episodes.c.conversation_id, episodes.c.queued_at), episodes.c.conversation_id, ids)
    rated = _moments(
        conn,
        select(ratings.c.conversation_id, ratings.c.asked_at).where(ratings.c.score <= 2),
        ratings.c.conversation_id,
        ids,
    )
    found = []
    for conversation_id, rows in talks.items():
        turns: dict[str, list] = {}
        for row in rows:
            turns.setdefault(row.turn or f"{row.conversation_id}:{row.id}", []).append(row)
        ordered = list(turns.items())
        for at, (turn, parts) in enumerate(ordered):
            meta = answers.get((conversation_id, turn)) or {}
            text = "，".join(part.text.strip() for part in parts)
            last = parts[-1]
            message = Message(
                "", text, meta.get("intent"), meta.get("confidence"), last.received_at, conversation_id, last.seq
            )
            following = [
                part.text
                for _, later in ordered[at + 1 : at + 3]
                for part in later
                if part.received_at - last.received_at <= SOON
            ]
            soon = any(timedelta(0) <= moment - last.received_at <= SOON for moment in handed.get(conversation_id, ()))
            low = any(
                timedelta(0) <= moment - last.received_at <= SOON * 6 for moment in rated.get(conversation_id, ())
            )
            message.reasons = _reasons(message, meta, following, soon, low)
            if not PERSON.fullmatch(text.strip("。！!，, ")):
                found.append(message)
    return found


def _reasons(message: Message, meta: dict, following: list[str], soon: bool, low: bool) -> set[str]:
    reasons = set()
    sure = message.confidence
    if message.intent == "nlu_fallback":
        reasons.add("fallback")
    elif sure is not None and sure < UNSURE:
        reasons.add("unsure")
    elif sure is not None and sure < DOUBT:
        reasons.add("doubt")
    if meta.get("failed"):
        reasons.add("failed")
    if "unhelpful" in meta or (following and NOT_THIS.search(following[0])):
        reasons.add("denied")
    if message.intent != "request_human" and (soon or any(PERSON.search(text) for text in following)):
        reasons.add("handed")
    if low:
        reasons.add("rated")
    return reasons


def _answers(conn: Connection, ids: list[str]) -> dict[tuple[str, str], dict]:
    """Give what was understood in each turn, from the first line of its answer; `unhelpful` when the patient said so of any."""
    found: dict[tuple[str, str], dict] = {}
    for part in _parts(ids):
        rows = conn.execute(
            select(lines.c.conversation_id, lines.c.meta)
            .where(lines.c.conversation_id.in_(part), lines.c.sender == "bot", lines.c.meta.is_not(None))
            .order_by(lines.c.id)
        )
        for row in rows:
            if row.meta and row.meta.get("turn"):
                meta = found.setdefault((row.conversation_id, row.meta["turn"]), row.meta)
                if "unhelpful" in row.meta:
                    meta["unhelpful"] = row.meta["unhelpful"]
    return found


def _moments(conn: Connection, wanted, column, ids: list[str]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = defaultdict(list)
    for part in _parts(ids):
        for conversation_id, moment in conn.execute(wanted.where(column.in_(part))):
            found[conversation_id].append(moment)
    return found


def _parts(ids: list[str], size: int = 500) -> list[list[str]]:
    return [ids[at : at + size] for at in range(0, len(ids), size)]


def context(conn: Connection, conversation_id: str, seq: int, around: int = 4) -> list[dict]:
    """Give the lines around a message, oldest first, names hidden: sender, text, at, intent, confidence."""
    rows = conn.execute(
        select(lines)
        .where(lines.c.conversation_id == conversation_id, lines.c.seq.between(seq - around, seq + around + 1))
        .order_by(lines.c.seq)
    ).all()
    names = names_to_hide(conn, [conversation_id]).get(conversation_id, {})
    return [
        {
            "seq": row.seq,
            "sender": row.sender,
            "text": hide(row.text, names),
            "at": row.at.isoformat(),
            "intent": (row.meta or {}).get("intent"),
            "confidence": (row.meta or {}).get("confidence"),
        }
        for row in rows
    ]


def names_to_hide(conn: Connection, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Give for each talk the names of its patients with their masked form, verified or only said so far."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for part in _parts(list(ids)):
        known = conn.execute(
            select(links.c.conversation_id, patients.c.name)
            .join(patients, patients.c.id == links.c.patient_id)
            .where(links.c.conversation_id.in_(part))
        ).all()
        said = conn.execute(
            select(checks.c.conversation_id, checks.c.pieces).where(
                checks.c.conversation_id.in_(part), checks.c.pieces.is_not(None)
            )
        ).all()
        given = [(row.conversation_id, json.loads(row.pieces).get("person_name")) for row in said]
        for conversation_id, name in [*known, *given]:
            if isinstance(name, str) and len(name) > 1:
                found[conversation_id][name] = Patient(0, None, name, None, None, None, False).shown_name
    return found


def hide(text: str, names: dict[str, str]) -> str:
    """Put 王*国 where a patient's name stands."""
    for name, shown in names.items():
        text = text.replace(name, shown)
    return SAID_NAME.sub(lambda found: found[1] + "*" + (found[2][-1] if len(found[2]) > 1 else ""), text)


def marks(conn: Connection) -> dict[str, object]:
    """Give what trainers have done: key → row of training_marks."""
    return {row.key: row for row in conn.execute(select(training_marks))}
