"""What helps an agent: private notes, tags, canned replies with variables, a draft from the label already stored."""

import re
from datetime import datetime
from functools import lru_cache

from ruamel.yaml import YAML
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from bot.clock import local, moment_text, now
from bot.conversations.tables import lines, notes, tags
from bot.desk import store, words
from bot.desk.door import actor, audit, readable
from bot.desk.tables import canned
from bot.hospital.facts import answer_facts
from bot.hospital.load import load_hospital
from bot.language.lint import lint
from bot.patients import access
from bot.settings import ROOT
from bot.staff.service import Staff
from bot.storage.engine import reading, writing
from bot.tickets.model import DISPUTE_WAYS
from bot.web.errors import Refused

# Come with the house; a supervisor adds others and may use the same shortcut for his own wording.
HOUSE = (
    ("hello", "问候", "您好，我是{医院}人工客服{姓名}，工号{工号}。请问有什么可以帮到您？"),
    ("wait", "请稍等", "请您稍等，我马上为您核实，大约需要一分钟，好吗？"),
    ("back", "感谢等待", "感谢您的耐心等待，已经为您核实好了。"),
    ("sorry", "安抚", "给您带来不便，我们非常抱歉。请您别着急，慢慢讲，我会尽力帮您解决。"),
    ("ticket", "工单进度", "您的事项编号是{受理编号}，我们最迟{期限}前答复您。"),
    ("ask", "请示", "这件事需要核实后答复您。我向上一级请示，有结果马上告诉您，好吗？"),
    ("phone", "客服电话", "您也可以拨打客服电话{电话}，每天都有工作人员接听。"),
    ("ways", "纠纷处理途径", DISPUTE_WAYS),
    ("else", "还有什么", "请问还有什么可以帮您？"),
    ("bye", "结束", "感谢您的咨询，祝您生活愉快，再见。"),
)
VARIABLE = re.compile(r"\{([^{}]{1,10})\}")
VARIABLES = ("姓名", "工号", "医院", "科室", "受理编号", "期限", "电话")
EMPTY = "请先输入内容。"
BAD_CANNED = "请填写快捷词、标题和内容；变量只能用{姓名}{工号}{医院}{科室}{受理编号}{期限}{电话}。"


# ---- notes and tags


def notes_of(who: Staff, chat: str) -> dict:
    """Give the notes of a talk, oldest first. Raises Refused (403, 404)."""
    with reading() as conn:
        readable(conn, who, chat)
        return {"notes": read_notes(conn, chat)}


def read_notes(conn: Connection, chat: str) -> list[dict]:
    """Give the notes of a talk to who has been let in."""
    rows = conn.execute(select(notes).where(notes.c.conversation_id == chat).order_by(notes.c.id)).all()
    names = store.staff_names(conn, [row.staff_id for row in rows])
    return [
        {"id": row.id, "at": row.at.isoformat(), "by": names.get(row.staff_id, ""), "text": row.text} for row in rows
    ]


def add_note(who: Staff, chat: str, text: str) -> dict:
    """Keep a note that the patient never sees. Raises Refused (400, 403, 404)."""
    text = text.strip()
    if not text:
        raise Refused(400, "empty", EMPTY)
    moment = now()
    with writing() as conn:
        readable(conn, who, chat)
        write_note(conn, who, chat, text, moment)
        access.record(conn, actor(who), "note", moment, detail={"conversation": chat})
        return {"notes": read_notes(conn, chat)}


def write_note(conn: Connection, who: Staff, chat: str, text: str, moment: datetime) -> None:
    """Keep a note inside the caller's transaction."""
    conn.execute(insert(notes).values(conversation_id=chat, staff_id=who.id, at=moment, text=text))


def set_tags(who: Staff, chat: str, wanted: list[str]) -> dict:
    """Set the tags of a talk. Who holds it stays as it is: a tag wakes nobody. Raises Refused (403, 404)."""
    with writing() as conn:
        readable(conn, who, chat)
        conn.execute(delete(tags).where(tags.c.conversation_id == chat))
        for tag in wanted:
            conn.execute(insert(tags).values(conversation_id=chat, tag=tag))
        access.record(conn, actor(who), "tagged", now(), detail={"conversation": chat, "tags": wanted})
    return {"tags": wanted}


def tags_of(conn: Connection, chat: str) -> list[str]:
    """Give the tags of a talk to who has been let in."""
    return list(conn.execute(select(tags.c.tag).where(tags.c.conversation_id == chat).order_by(tags.c.tag)).scalars())


# ---- canned replies


def canned_replies(who: Staff, chat: str | None) -> dict:
    """Give the canned replies by shortcut; with a talk also `filled`, its variables put in. Raises Refused (403, 404)."""
    with reading() as conn:
        known = variables(conn, who, None)
        if chat is not None:
            readable(conn, who, chat)
            known = variables(conn, who, chat)
        own = conn.execute(select(canned).order_by(canned.c.shortcut)).all()
    rows = {shortcut: (None, shortcut, title, text) for shortcut, title, text in HOUSE}
    rows.update({row.shortcut: (row.id, row.shortcut, row.title, row.text) for row in own})
    return {
        "canned": [
            {"id": key, "shortcut": shortcut, "title": title, "text": text, "filled": fill(text, known)}
            for key, shortcut, title, text in rows.values()
        ]
    }


def variables(conn: Connection, who: Staff, chat: str | None) -> dict[str, str]:
    """Give what is known for the variables of a canned reply."""
    info = load_hospital().info
    known = {"姓名": who.name, "工号": who.number, "医院": info.name, "电话": info.phones["desk"]}
    if chat is None:
        return known
    sent = [ticket for ticket in store.tickets_of(conn, chat) if ticket.number]
    if sent:
        known["受理编号"] = sent[0].number
        if sent[0].due_at:
            known["期限"] = moment_text(sent[0].due_at)
    slots = (store.conversation(conn, chat).tracker or {}).get("slots") or {}
    facts = (slots.get("task") or (slots.get("memory") or {}).get("last_query") or {}).get("facts") or {}
    if facts.get("department"):
        known["科室"] = words.value_text("department", facts["department"])
    return known


def fill(text: str, known: dict[str, str]) -> str:
    """Put known values in; a variable that is not known stays visible, so that nobody sends a gap unseen."""
    return VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)


def keep_canned(who: Staff, key: int | None, shortcut: str, title: str, text: str) -> dict:
    """Add or change a canned reply. Raises Refused (400) with what the language rules say, 404."""
    shortcut, title, text = shortcut.strip(), title.strip(), text.strip()
    if not (shortcut and title and text) or set(VARIABLE.findall(text)) - set(VARIABLES):
        raise Refused(400, "bad_canned", BAD_CANNED)
    if found := lint(text):
        raise Refused(400, "wording", "；".join(dict.fromkeys(each.advice for each in found)))
    values = dict(shortcut=shortcut, title=title, text=text, by=who.id, at=now())
    with writing() as conn:
        same = conn.execute(select(canned.c.id).where(canned.c.shortcut == shortcut)).scalar()
        key = key or same
        if same not in (None, key):
            raise Refused(400, "bad_canned", "这个快捷词已有，请换一个。")
        if key is None:
            conn.execute(insert(canned).values(**values))
        elif not conn.execute(update(canned).where(canned.c.id == key).values(**values)).rowcount:
            raise Refused(404)
        access.record(conn, actor(who), "canned_kept", now(), detail={"shortcut": shortcut})
    return canned_replies(who, None)


def remove_canned(who: Staff, key: int) -> dict:
    """Remove a canned reply; one of the house's with the same shortcut comes back. Raises Refused (404)."""
    with writing() as conn:
        if not conn.execute(delete(canned).where(canned.c.id == key)).rowcount:
            raise Refused(404)
        access.record(conn, actor(who), "canned_removed", now(), detail={"canned": key})
    return canned_replies(who, None)


# ---- a draft


def suggestion(who: Staff, chat: str) -> dict:
    """Give the answer of the label that the transcript stores last, or None. Raises Refused (403, 404).

    Nothing is parsed and no tracker is read or written: words meant for a person must not fill a slot.
    """
    with reading() as conn:
        readable(conn, who, chat)
        rows = conn.execute(
            select(lines.c.seq, lines.c.meta)
            .where(lines.c.conversation_id == chat, lines.c.sender == "bot", lines.c.meta.is_not(None))
            .order_by(lines.c.seq.desc())
            .limit(20)
        ).all()
    row = next((row for row in rows if (row.meta or {}).get("intent")), None)
    text = answer_for(row.meta["intent"]) if row else None
    if text is None:
        return {"suggestion": None}
    audit(who, "suggested", {"conversation": chat, "seq": row.seq, "label": row.meta["intent"]})
    return {
        "suggestion": {
            "text": text,
            "label": row.meta["intent"],
            "label_name": words.intent_name(row.meta["intent"]),
            "confidence": row.meta.get("confidence"),
            "seq": row.seq,
        }
    }


def answer_for(label: str) -> str | None:
    """Give the standing answer of a label with the hospital's facts; None without one that is whole and in date (R62)."""
    response = _responses().get(f"utter_{label}")
    if not response:
        return None
    until = (response[0].get("metadata") or {}).get("valid_to")
    if until and str(until) < local(now()).date().isoformat():
        return None
    facts = answer_facts()
    text = re.sub(r"\{(\w+)\}", lambda found: str(facts.get(found[1], found[0])), response[0].get("text") or "")
    return text if text and not re.search(r"\{\w+\}", text) else None


@lru_cache(maxsize=1)
def _responses() -> dict:
    found: dict = {}
    for path in sorted((ROOT / "nlu_data").rglob("responses.yml")):
        found.update(YAML(typ="safe").load(path.read_text(encoding="utf-8")).get("responses") or {})
    return found
