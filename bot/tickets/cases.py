"""What the staff do with a ticket: enter it, take the steps of the state machine, keep its papers together.

Works inside the caller's transaction; raises NotAllowed, whose text is for the person at the desk.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.conversations import telling as patients_page
from bot.hospital.load import load_hospital
from bot.staff.service import Staff
from bot.staff.tables import staff
from bot.tickets import model, store, telling
from bot.tickets.model import NotAllowed
from bot.tickets.service import (
    Ticket,
    get,
    nature,
    note_event,
    set_deadline,
    stop_clock,
    to_quality,
    type_by_words,
)
from bot.tickets.sla import SHANGHAI, days_allowed
from bot.tickets.tables import files, links, tickets

NO_CONTACT = ("suggestion", "praise", "incident")  # may be told without leaving a number
FACTS = ("type", "subtype", "severity", "urgency", "departments", "amount", "accused")


@dataclass(frozen=True)
class Entry:
    """What a member of the staff writes down for a patient (R49, R64). `amount` is in fen."""

    kind: str
    channel: str
    content: dict
    type: str | None = None
    subtype: str | None = None
    severity: str = "normal"
    urgency: str = "normal"
    amount: int | None = None
    accused: list[str] = field(default_factory=list)
    anonymous: bool = False
    conversation_id: str | None = None


def actor(who: Staff) -> str:
    """Give the name by which history and audit know somebody."""
    return f"staff:{who.number}"


def enter(conn: Connection, who: Staff, entry: Entry, now: datetime) -> Ticket:
    """Write a ticket for somebody who telephoned, came or wrote; the same clock runs from now (R48). Raises NotAllowed."""
    _require_fields(entry)
    content = {name: value for name, value in entry.content.items() if value}
    if entry.anonymous:
        for name in ("contact", "complainant"):
            content.pop(name, None)
    type_ = type_by_words(entry.kind, entry.type, content)
    facts = nature(entry.kind, type_, content, entry.severity, entry.amount)
    if entry.urgency == "high":
        facts["urgency"] = "high"
    ticket_id = conn.execute(
        insert(tickets).values(
            kind=entry.kind,
            type=type_,
            subtype=entry.subtype if type_ == entry.type else None,
            state="confirmed",
            severity=entry.severity,
            channel=entry.channel,
            conversation_id=entry.conversation_id,
            anonymous=entry.anonymous,
            content=json.dumps(content, ensure_ascii=False),
            accused=json.dumps(entry.accused),
            amount=entry.amount,
            first_owner=who.id,
            assignee=None if facts["route"] == "quality" else who.id,
            entered_by=who.id,
            received_at=now,
            next_action_at=now,
            **facts,
        )
    ).inserted_primary_key[0]
    number = f"{model.PREFIX[entry.kind]}{now.astimezone(SHANGHAI):%Y%m%d}-{ticket_id:04d}"
    conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(number=number))
    note_event(conn, ticket_id, "entered", actor(who), now, {"channel": entry.channel})
    several = len(facts["departments"]) > 1
    policy = load_hospital().info.complaints
    set_deadline(conn, ticket_id, now, days_allowed(policy, several, entry.kind, facts["urgency"]))
    if facts["route"] == "quality":
        to_quality(conn, ticket_id, now)
    if entry.kind == "incident":
        note_event(conn, ticket_id, "leader_notified", "system", now)  # R87: it stands in the director's list at once
    return get(conn, ticket_id)


def _require_fields(entry: Entry) -> None:
    """Raise NotAllowed naming what is missing or unknown (R49)."""
    known = (
        (entry.kind in model.ENTERED, "请选择工单种类。"),
        (entry.channel in model.ENTERED_BY, "请选择来源渠道。"),
        (str(entry.content.get("event") or "").strip(), "请填写主要诉求或事情经过。"),
        (entry.kind != "complaint" or entry.type in model.TYPES, "请选择投诉类型。"),
        (_subtype_fits(entry.type, entry.subtype), "请选择这一类型下的细分。"),
        (entry.severity in model.SEVERITIES, "请选择严重程度。"),
        (entry.urgency in model.URGENCIES, "请选择紧急程度。"),
        (entry.amount is None or entry.amount >= 0, "请填写正确的金额。"),
    )
    for fine, text in known:
        if not fine:
            raise NotAllowed("missing", text)
    if entry.anonymous or entry.kind in NO_CONTACT or entry.conversation_id:
        return
    if not str(entry.content.get("complainant") or "").strip():
        raise NotAllowed("missing", "请填写反映人的姓名，或选择匿名。")
    if not str((entry.content.get("contact") or {}).get("phone") or "").strip():
        raise NotAllowed("missing", "请填写联系电话，或选择匿名。")


def _subtype_fits(type_: str | None, subtype: str | None) -> bool:
    return subtype is None or subtype in model.SUBTYPES.get(type_ or "", {})


# ---- the steps


def step(conn: Connection, who: Staff, ticket_id: int, name: str, given: dict, now: datetime) -> Ticket:
    """Take one step of the state machine (model.STEPS) and tell the patient. Raises NotAllowed; nothing is done then."""
    row = require(conn, who, ticket_id, lock=True)
    rule = model.require_step(name, row.state)
    model.require_level(who.role, row.level if rule.level is None else rule.level or "service")
    for needed in rule.needs:
        if not given.get(needed):
            raise NotAllowed("missing", MISSING[needed])
    values, detail, text = DEEDS[name](conn, who, row, given, now)
    if rule.ends:
        values["state"] = rule.ends
    conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(**values))
    note_event(conn, ticket_id, name, actor(who), now, {"state": rule.ends or row.state, **detail}, text)
    if name in ("answer", "withdraw"):
        stop_clock(conn, ticket_id)
    elif name == "reopen":
        set_deadline(conn, ticket_id, now, row.working_days or 5)
    elif name == "extend":
        set_deadline(conn, ticket_id, row.received_at, values["working_days"])
    after = require_row(conn, ticket_id)
    if row.kind != "death":
        telling.tell(conn, after, name, actor(who), now, result=given.get("result") or "")
    if name == "close" and row.conversation_id and row.kind == "complaint":
        patients_page.ask_rating(conn, row.conversation_id, "ticket", ticket_id, after.assignee, now)
    return get(conn, ticket_id)


MISSING = {
    "to": "请选择负责人。",
    "investigator": "请选择调查人。",
    "findings": "请填写调查情况和处理意见。",
    "result": "请填写给患者的答复。",
    "lesson": "请填写原因分析和改进措施，办结前需要这一项。",
    "reason": "请填写原因。",
}


def _assign(conn, who: Staff, row, given: dict, now: datetime):
    person = _colleague(conn, given["to"])
    if model.RANK.get(model.LEVEL_OF_ROLE.get(person.role, ""), -1) < model.RANK[row.level]:
        raise NotAllowed("needs_level", f"这张工单需要{model.LEVELS[row.level]}或以上的同事负责。")
    # R1: who took it first stays answerable; a transfer changes the assignee only.
    values = dict(assignee=person.id, first_owner=row.first_owner or person.id, next_action_at=now)
    return values, {"to": person.id}, given.get("note")


def _investigate(conn, who: Staff, row, given: dict, now: datetime):
    person = _colleague(conn, given["investigator"])
    complained_of = json.loads(row.accused or "[]")
    named = str(json.loads(row.content).get("staff") or "")
    if person.number in complained_of or (len(person.name) > 1 and person.name in named):
        raise NotAllowed("conflict", "调查人与被反映人相同，请另选一位同事。")  # R68
    return dict(investigator=person.id), {"investigator": person.id}, None


def _answer(conn, who: Staff, row, given: dict, now: datetime):
    return dict(findings=given["findings"], next_action_at=now), {}, given["findings"]


def _feedback(conn, who: Staff, row, given: dict, now: datetime):
    compensation = given.get("compensation") or 0
    model.require_level(who.role, model.level_for_sum(compensation))
    values = dict(result=given["result"], result_sent_at=now, compensation=compensation or None)
    return values, {"compensation": compensation} if compensation else {}, None


def _close(conn, who: Staff, row, given: dict, now: datetime):
    if row.result_sent_at is None:  # R1, R70: never closed before the patient has the result
        raise NotAllowed("not_now", "请先把处理结果反馈给患者，再办结。")
    return dict(lesson=given["lesson"], closed_at=now, next_action_at=None), {}, given["lesson"]


def _reopen(conn, who: Staff, row, given: dict, now: datetime):
    # To whoever is on duty: the one who had it may be off shift. History, result and lesson stay.
    return dict(assignee=None, investigator=None, closed_at=None, next_action_at=now), {}, given["reason"]


def _withdraw(conn, who: Staff, row, given: dict, now: datetime):
    return dict(next_action_at=None), {}, given["reason"]


def _escalate(conn, who: Staff, row, given: dict, now: datetime):
    level = model.next_level(row.level)
    if level == row.level:
        raise NotAllowed("not_now", "这张工单已经由院办办理。")
    return dict(level=level, assignee=None, next_action_at=now), {"level": level}, given["reason"]


def _extend(conn, who: Staff, row, given: dict, now: datetime):
    days = days_allowed(load_hospital().info.complaints, several=True)
    if row.working_days and row.working_days >= days:
        raise NotAllowed("not_now", f"这张工单已按{days}个工作日办理。")
    return dict(working_days=days), {"working_days": days}, given["reason"]


DEEDS = {
    "assign": _assign,
    "investigate": _investigate,
    "answer": _answer,
    "feedback": _feedback,
    "close": _close,
    "reopen": _reopen,
    "withdraw": _withdraw,
    "escalate": _escalate,
    "extend": _extend,
}


def _colleague(conn: Connection, staff_id: int):
    found = conn.execute(select(staff).where(staff.c.id == staff_id, staff.c.active.is_(True))).first()
    if found is None:
        raise NotAllowed("missing", "没有找到这位同事，请重新选择。")
    return found


def require(conn: Connection, who: Staff, ticket_id: int, lock: bool = False):
    """Give a ticket's row to somebody who may see it. Raises NotAllowed (unknown)."""
    row = store.find(conn, ticket_id, who, lock)
    if row is None:
        raise NotAllowed("unknown", "没有找到这张工单，列表已为您更新。")
    return row


def require_row(conn: Connection, ticket_id: int):
    """Give a ticket's row."""
    return conn.execute(select(tickets).where(tickets.c.id == ticket_id)).one()


# ---- what belongs to a ticket


def set_facts(conn: Connection, who: Staff, ticket_id: int, given: dict, now: datetime) -> None:
    """Set what was understood wrongly (FACTS); route, level and urgency follow. Raises NotAllowed."""
    row = require(conn, who, ticket_id, lock=True)
    if row.state in ("closed", "withdrawn"):
        raise NotAllowed("not_now", "工单已结束，如需更改请先重新办理。")
    new = {name: given[name] for name in FACTS if name in given}
    type_ = new.get("type", row.type)
    severity, amount = new.get("severity", row.severity), new.get("amount", row.amount)
    subtype = new.get("subtype", row.subtype if type_ == row.type else None)
    content = json.loads(row.content)
    if "departments" in new:
        content["departments"] = new.pop("departments")
    _require_fields(
        Entry(
            row.kind if row.kind in model.ENTERED else "message",
            "phone",
            {"event": "-"},
            type_,
            subtype,
            severity,
            new.get("urgency", row.urgency),
            amount,
            anonymous=True,
        )
    )
    facts = nature(row.kind, type_, content, severity, amount)
    facts["level"] = max(facts["level"], row.level, key=model.RANK.__getitem__)  # what went up does not come down
    if "urgency" in new:
        facts["urgency"] = new["urgency"]
    values = dict(type=type_, subtype=subtype, severity=severity, amount=amount, **facts)
    values["content"] = json.dumps(content, ensure_ascii=False)
    if "accused" in new:
        values["accused"] = json.dumps(new["accused"])
    conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(**values))
    note_event(conn, ticket_id, "facts", actor(who), now, {"type": type_, "subtype": subtype, "severity": severity})
    if facts["route"] == "quality" != row.route:
        to_quality(conn, ticket_id, now)


def note(conn: Connection, who: Staff, ticket_id: int, text: str, now: datetime) -> None:
    """Keep a note that the patient never sees. Raises NotAllowed."""
    require(conn, who, ticket_id)
    note_event(conn, ticket_id, "note", actor(who), now, text=text)


def link(conn: Connection, who: Staff, ticket_id: int, number: str, kind: str, now: datetime) -> None:
    """Tie two tickets together; a second time changes nothing. Raises NotAllowed."""
    row = require(conn, who, ticket_id)
    other = conn.execute(
        select(tickets.c.id).where(tickets.c.number == number.strip().upper(), store.scope(who))
    ).scalar()
    if other is None or other == row.id:
        raise NotAllowed("missing", "没有找到这个编号的工单，请核对后再试。")
    if kind not in model.LINK_KINDS:
        raise NotAllowed("missing", "请选择关联方式。")
    try:
        with conn.begin_nested():
            conn.execute(insert(links).values(ticket_id=row.id, other_id=other, kind=kind))
    except IntegrityError:
        return
    note_event(conn, ticket_id, "linked", actor(who), now, {"other": number.strip().upper(), "kind": kind})


def attach(conn: Connection, who: Staff, ticket_id: int, name: str, type_: str, content: bytes, now: datetime) -> int:
    """Keep a paper or picture with the ticket, encrypted, and give its id. Raises NotAllowed."""
    require(conn, who, ticket_id)
    made = conn.execute(
        insert(files).values(
            ticket_id=ticket_id, name=name, type=type_, content=base64.b64encode(content).decode(), by=who.id, at=now
        )
    ).inserted_primary_key[0]
    note_event(conn, ticket_id, "attached", actor(who), now, {"file": made})
    return made


def file_of(conn: Connection, who: Staff, ticket_id: int, file_id: int) -> tuple[str, bytes]:
    """Give an attachment as (content type, bytes). Raises NotAllowed."""
    require(conn, who, ticket_id)
    row = conn.execute(select(files).where(files.c.id == file_id, files.c.ticket_id == ticket_id)).first()
    if row is None:
        raise NotAllowed("unknown", "没有找到这个附件。")
    return row.type, base64.b64decode(row.content)


def tell_patient(conn: Connection, who: Staff, ticket_id: int, text: str, now: datetime) -> bool:
    """Tell the patient how far it is; False when he has no talk here and must be called. Raises NotAllowed."""
    row = require(conn, who, ticket_id)
    return telling.say(conn, row, text, actor(who), now)
