"""Rows into what the page shows. Pure: no SQL, no clock."""

import re
from collections.abc import Mapping
from datetime import date

from bot.clock import local
from bot.conversations.outbox import Quota
from bot.desk import words
from bot.hospital.model import INSURANCE_TYPES
from bot.patients.access import Patient
from bot.staff.roles import SKILLS
from bot.tickets.model import KINDS, ROUTE_NAMES, STATES, TYPES
from bot.tickets.service import Ticket

PREVIEW = 60  # characters
URGENT, HIGH = 9, 5
# A name that came before any identity check, so that nobody else knows it yet.
SAID_NAME = re.compile(r"((?:我叫|姓名[是:：]?|名字[是叫:：])\s*[一-鿿])([一-鿿·]{1,3})(?=$|[，,。；;！!\s])")
FLAGS = {"complained": "正在投诉", "bereaved": "家属丧亲", "elder": "长者模式", "declined": "已表示不再打扰"}


def visitor(conversation_id: str) -> str:
    """Give a short name for a talk whose patient is not known."""
    return f"访客{conversation_id[:4].upper()}"


def hide(text: str, names: Mapping[str, str]) -> str:
    """Put 王*国 where a patient's name stands."""
    for name, shown in names.items():
        text = text.replace(name, shown)
    return SAID_NAME.sub(lambda found: found[1] + "*" + (found[2][-1] if len(found[2]) > 1 else ""), text)


def preview(text: str, names: Mapping[str, str]) -> str:
    """Give the beginning of a line for a list."""
    text = " ".join(hide(text, names).split())
    return text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…"


def chat_item(row, line, names: Mapping[str, str]) -> dict:
    """Give a conversation as a list shows it."""
    return {
        "id": row.id,
        "visitor": visitor(row.id),
        "channel": words.CHANNELS.get(row.channel, row.channel),
        "preview": preview(line.text, names) if line is not None else "",
        "at": line.at.isoformat() if line is not None else None,
    }


def queue_item(row, line, names: Mapping[str, str]) -> dict:
    """Give a conversation that waits: urgency, reason, since when. Its place is known in the queue only."""
    return {
        **chat_item(row, line, names),
        "urgency": "danger" if row.priority >= URGENT else "high" if row.priority >= HIGH else "normal",
        "reason": words.reason_text(row.queue_reason),
        "since": row.queued_at.isoformat() if row.queued_at else row.updated_at.isoformat(),
        "skill": row.skill,
        "skill_name": SKILLS.get(row.skill or "", ""),
    }


def mine_item(row, line, names: Mapping[str, str], open_lines: list) -> dict:
    """Give a conversation that he holds; `unanswered` are the patient's lines nobody has answered."""
    return {
        **chat_item(row, line, names),
        "accepted_at": row.accepted_at.isoformat() if row.accepted_at else None,
        "unanswered": [each.seq for each in open_lines],
        "waits_since": open_lines[0].at.isoformat() if open_lines else None,
    }


def alert_item(row, text: str, holder, holder_name: str, mine: bool, for_me: bool) -> dict:
    """Give an alert that nobody has seen; `for_me`: he is the second person who is called after a minute."""
    return {
        "id": row.id,
        "conversation": row.conversation_id,
        "visitor": visitor(row.conversation_id),
        "name": words.danger_name(row.code),
        "definite": row.definite,
        "at": row.at.isoformat(),
        "text": text,
        "holder": holder,
        "holder_name": holder_name,
        "mine": mine,
        "escalated": row.escalated_at is not None,
        "for_me": for_me,
    }


def holder_view(row, names: Mapping[int, str], who_id: int) -> dict:
    """Give who holds a conversation."""
    return {
        "holder": row.holder,
        "holder_name": names.get(row.agent_id, "") if row.holder == "agent" else "",
        "mine": row.holder == "agent" and row.agent_id == who_id,
        "last_seq": row.last_seq,
    }


def talk_view(row, names: Mapping[int, str], who_id: int) -> dict:
    """Give one of the talks of a person: channel, who holds it, when he last wrote in it."""
    return {
        "id": row.id,
        "channel": words.CHANNELS.get(row.channel, row.channel),
        "wrote_at": row.wrote_at.isoformat() if row.wrote_at else None,
        **holder_view(row, names, who_id),
    }


def quota_view(quota: Quota | None) -> dict | None:
    """Give what WeChat still lets through; None where nothing counts."""
    if quota is None:
        return None
    windows = [{"left": left, "until": until.isoformat()} for left, until in quota.windows]
    return {"windows": windows, "under_way": quota.under_way, "held": quota.held}


def line_view(row, hidden: Mapping[str, str], staff: Mapping[int, str]) -> dict:
    """Give a line with what only the desk sees: intent, confidence, danger sign."""
    data, meta = row.data or {}, row.meta or {}
    view = {
        "seq": row.seq,
        "sender": row.sender,
        "who": words.SENDERS.get(row.sender, row.sender),
        "text": hide(row.text, hidden),
        "at": row.at.isoformat(),
        "client_id": row.client_id,
        "buttons": [hide(str(button.get("title", "")), hidden) for button in data.get("buttons") or []],
        "image": hide(str(data["image"].get("alt") or "图表"), hidden)[:80] if data.get("image") else None,
        "picture": data["image"].get("token") if data.get("image") else None,
        "intent": words.intent_name(meta["intent"]) if meta.get("intent") else None,
        "confidence": meta.get("confidence"),
        "entities": [entity_view(each, hidden) for each in meta.get("entities") or []],
        "danger": None,
        "failed": bool(meta.get("failed")),
    }
    if row.sender == "agent":
        view["who"] = staff.get(meta.get("staff"), view["who"])
    if meta.get("danger"):
        view["danger"] = {"name": words.danger_name(meta["danger"]), "definite": bool(meta.get("definite", True))}
    return view


def entity_view(entity: dict, hidden: Mapping[str, str]) -> dict:
    """Give one fact that was heard: its kind, the words, and what they were read as where that says more."""
    kind, text = entity["entity"], hide(str(entity.get("text") or ""), hidden)
    read = "" if entity.get("value") in (None, "") else hide(words.value_text(kind, entity["value"]), hidden)
    return {"name": words.ENTITIES.get(kind, "其他"), "text": text, "read": read if read != text else ""}


def task_view(tracker: dict | None) -> dict:
    """Give what the bot has gathered: the open task, those set aside, a second request, flags of the talk."""
    tracker = tracker or {}
    slots = tracker.get("slots") or {}
    task, later, memory = slots.get("task"), slots.get("later"), slots.get("memory") or {}
    last = tracker.get("last") or {}
    shown = None
    if task:
        shown = {
            "name": words.TASKS.get(task.get("name"), "其他事项"),
            "facts": words.facts_of(task),
            "asked": words.QUESTIONS.get(task.get("asked")),
        }
    flags = [name for key, name in FLAGS.items() if memory.get(key)]
    if memory.get("script") == "hant":
        flags.append("使用繁体")
    return {
        "task": shown,
        "suspended": [
            {"name": words.TASKS.get(each.get("name"), "其他事项"), "facts": words.facts_of(each)}
            for each in slots.get("suspended") or []
        ],
        "later": words.intent_name(later["label"]) if later and later.get("label") else None,
        "recent": words.facts_of(memory.get("last_query")) if not task else [],
        "flags": flags,
        "intent": words.intent_name(last["intent"]) if last.get("intent") else None,
        "confidence": last.get("confidence"),
    }


def patient_view(relation: str, patient: Patient, today: date) -> dict:
    """Give a verified patient: masked name, sex, age, insurance. Never a number."""
    age = patient.age(today)
    return {
        "relation": relation or "本人",
        "name": patient.shown_name or "未登记姓名",
        "sex": words.SEXES.get(patient.sex or "", ""),
        "age": f"{age}岁" if age is not None else "",
        "insurance": INSURANCE_TYPES.get(patient.insurance_type or "", "") + ("（退休）" if patient.retired else ""),
    }


def ticket_view(ticket: Ticket) -> dict:
    """Give a ticket: number, kind, state, deadline; a draft is marked."""
    return {
        "id": ticket.id,
        "number": ticket.number,
        "kind": KINDS.get(ticket.kind, ticket.kind),
        "type": TYPES.get(ticket.type or "", "") if ticket.kind == "complaint" else "",
        "state": "草稿，待患者确认" if ticket.state == "draft" else STATES.get(ticket.state, ticket.state),
        "draft": ticket.state == "draft",
        "route": ROUTE_NAMES.get(ticket.route, ""),
        "due": words.moment_text(ticket.due_at) if ticket.due_at else None,
        "overdue": ticket.overdue,
        "urgent": ticket.urgency == "high",
        "received": f"{local(ticket.received_at):%m-%d %H:%M}",
    }


def past_alert_view(row, staff: Mapping[int, str]) -> dict:
    """Give an alert of the past with who has seen it."""
    return {
        "id": row.id,
        "name": words.danger_name(row.code),
        "definite": row.definite,
        "seq": row.seq,
        "at": row.at.isoformat(),
        "seen_by": staff.get(row.seen_by, "") if row.seen_by is not None else None,
    }
