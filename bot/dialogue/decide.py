"""What a turn is about: one request now, perhaps a second one for later. Plain data in and out; Rasa then acts on it.

Context decides what a classifier alone cannot: 心内科 answers the open question, 那下午呢 repeats the last query with another time,
and of two requests in one message the one whose answer would disappoint most comes first (nlu-guideline, rules for annotation).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from actions.reading import can_answer, yes_or_no
from actions.talk import FLOWS, Message

COURTESY = {"greet", "goodbye", "thanks", "apologize", "affirm", "deny", "chitchat", "bot_challenge", "out_of_scope",
            "nlu_fallback", "inform", "decline"}
CONTROL = {"stop", "go_back", "repeat"}
# Said in the middle of a task, these always count for themselves.
INTERRUPTS = {"emergency", "request_human", "stop", "go_back", "repeat", "abuse", "report_death", "decline", "complaint"}
SENTENCES = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]*")
CLAUSES = re.compile(r"[^，,。！？!?；;\n]+")
ALSO = re.compile(r"另外|还有|顺便|还想|再问|再帮|同时|此外|順便|另外|对了|還有|還想")
ELLIPSIS = re.compile(r"^(那|那么|噉|咁)?(.{1,14}?)(呢|咧|有没有|有嗎|有吗|行不行|行吗|可以吗)?[?？。!！]*$")
SURE = 0.6  # above this another request interrupts the open question
SECOND = 0.55  # above this a second request is kept


@dataclass
class Decision:
    """The label Rasa acts on and what goes with it."""

    label: str
    text: str
    entities: list[dict] = field(default_factory=list)
    confidence: float = 1.0
    ranking: list = field(default_factory=list)
    second: dict | None = None
    button: bool = False
    stale: bool = False
    ellipsis: bool = False
    danger: str | None = None
    heard: str = ""  # the label before the open question had its say

    def __post_init__(self) -> None:
        self.heard = self.label

    def parse_data(self) -> dict:
        """Give the turn in the form Rasa's processor takes; retrieval fields as its ResponseSelector would fill them."""
        base, _, key = self.label.partition("/")
        intent = {"name": base, "confidence": self.confidence}
        data = {
            "text": self.text,
            "intent": intent,
            "intent_ranking": [intent],
            "entities": self.entities,
            "response_selector": {"all_retrieval_intents": ["faq", "complaint", "chitchat"]},
        }
        if key:
            response = {
                "intent_response_key": self.label,
                "utter_action": f"utter_{self.label}",
                "confidence": self.confidence,
                "responses": [],
            }
            data["response_selector"][base] = {
                "response": response,
                "ranking": [{"intent_response_key": self.label, "confidence": self.confidence}],
            }
        return data


def base(label: str) -> str:
    """Give the intent without its key."""
    return label.partition("/")[0]


def rank(label: str) -> int:
    """Give the place of a label in the guideline's order; lower comes first."""
    name = base(label)
    if name == "emergency":
        return 0
    if name == "complaint":
        return 1
    if name == "request_human":
        return 2
    if name in COURTESY:
        return 6
    if name in CONTROL:
        return 5
    known = FLOWS.get(name)
    return 3 if known and not known.question else 4


def decide(rows: list, slots: dict, read: Callable[[str, datetime], object], received_at: datetime) -> Decision:
    """Decide what the waiting rows of one turn are about."""
    first = rows[0]
    if first.kind == "stale":
        return Decision("repeat", first.text, stale=True)
    if first.kind == "button":
        return from_payload(first.button["payload"], first.text)
    text = "\n".join(row.text for row in rows)
    units = [u for row in rows for u in _sentences(row.text)]
    readings = [(unit, read(unit, received_at)) for unit in units[:12]]
    decision = _merge(text, readings)
    if len(units) == 1:
        decision.second = _second_in(units[0], decision, read, received_at)
    return in_context(decision, slots)


def from_payload(payload: str, title: str) -> Decision:
    """Read a button's payload, /intent{"entity": value}, minted by ourselves."""
    name, _, rest = payload.lstrip("/").partition("{")
    given = json.loads("{" + rest) if rest else {}
    entities = [
        {"entity": k, "value": v, "text": title, "start": 0, "end": len(title)} for k, v in given.items()
    ]
    return Decision(name, title, entities, button=True)


def _sentences(text: str) -> list[str]:
    found = [s.strip() for s in SENTENCES.findall(text)]
    return [s for s in found if s.strip("。！？!?；;\n ")] or [text]


def _entities(reading) -> list[dict]:
    return [
        {"entity": e.entity, "start": e.start, "end": e.end, "text": e.text, "value": e.value} for e in reading.entities
    ]


def _merge(text: str, readings: list) -> Decision:
    chosen = min(range(len(readings)), key=lambda i: (rank(readings[i][1].label), i))
    reading = readings[chosen][1]
    entities = _entities(reading)
    second = None
    for index, (unit, other) in enumerate(readings):
        if index == chosen:
            continue
        # A fragment (心内科 / 明天) belongs to the request beside it.
        if base(other.label) in COURTESY or base(other.label) == base(reading.label):
            have = {(e["entity"], e["text"]) for e in entities}
            entities += [e for e in _entities(other) if (e["entity"], e["text"]) not in have]
        elif second is None and rank(other.label) <= 4 and other.confidence >= SECOND:
            second = {"label": other.label, "text": unit, "entities": _entities(other)}
    danger = next((r.danger for _, r in readings if r.danger), None)
    return Decision(reading.label, text, entities, reading.confidence, list(reading.ranking), second, danger=danger)


def _second_in(unit: str, decision: Decision, read, received_at: datetime) -> dict | None:
    """Look for another request in the clauses of one sentence: 挂个骨科的号，另外核磁多少钱."""
    clauses = [c.strip() for c in CLAUSES.findall(unit) if len(c.strip()) >= 4]
    if not 2 <= len(clauses) <= 5 or not (ALSO.search(unit) or decision.label.startswith("complaint")):
        return None
    for clause in clauses:
        other = read(ALSO.sub("", clause) or clause, received_at)
        if base(other.label) != base(decision.label) and rank(other.label) in (3, 4) and other.confidence >= SECOND:
            # What belongs to the second request is not a fact of the first.
            mine = {(e.entity, e.text) for e in other.entities}
            decision.entities = [e for e in decision.entities if (e["entity"], e["text"]) not in mine]
            return {"label": other.label, "text": clause, "entities": _entities(other)}
    return None


def in_context(decision: Decision, slots: dict) -> Decision:
    """Let the open question and the last query have their say."""
    task = slots.get("task")
    name = base(decision.label)
    message = Message(decision.label, decision.text, decision.entities)
    if task and task.get("asked"):
        flow = FLOWS.get(task["name"])
        free = flow.free_text if flow else ()
        asked = task["asked"]
        said = yes_or_no(decision.text)
        if said is not None and name not in ("request_human", "emergency"):
            decision.label = "affirm" if said else "deny"
            return decision
        answers = can_answer(task, message, free)
        other = name in FLOWS and name != task["name"]
        if asked in free and not (name in ("request_human", "stop", "emergency") and decision.confidence >= SURE):
            # A story is an answer, whatever else it mentions; only a clear other request breaks in.
            if not (other and decision.confidence >= 0.85 and rank(decision.label) >= 3 and len(decision.text) <= 20):
                decision.label = "inform"
                return decision
        if name in INTERRUPTS and decision.confidence >= 0.4:
            return decision
        if answers and not (other and decision.confidence >= SURE and len(decision.text) > 6):
            decision.label = "inform"
        elif name == task["name"]:
            decision.label = "inform" if answers else decision.label
        return decision
    query = (slots.get("memory") or {}).get("last_query")
    if query and name in (*COURTESY, base(query["label"]), "query_schedule"):
        useful = {"department", "doctor", "date", "period", "doctor_title", "fee_item"}
        if ELLIPSIS.match(decision.text.strip()) and any(e["entity"] in useful for e in decision.entities):
            decision.label, decision.ellipsis = query["label"], True
    return decision
