"""Tickets at the desk: lists, the whole view, the steps. Each is one synchronous call for the thread pool."""

import json
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.clock import now
from bot.conversations.tables import ratings
from bot.desk import ticket_views
from bot.desk.door import actor, readable
from bot.desk.finding import require_reason
from bot.desk.reading import number_of, text_of, words_of
from bot.desk.serving import NUMBER_ADVICE
from bot.desk.store import staff_names
from bot.hospital.load import load_hospital
from bot.language.lint import lint
from bot.patients import access
from bot.patients.masking import mask
from bot.staff.service import Staff
from bot.storage.engine import reading, writing
from bot.tickets import cases, departments, model, store
from bot.tickets.model import NotAllowed
from bot.web.errors import Refused

STATUS = {"missing": 400, "unknown": 404, "needs_level": 403, "conflict": 409, "not_now": 409}
VIEWS = ("mine", "unassigned", "open", "overdue", "closed", "all")
CONTENT = ("complainant", "relation", "patient", "event", "place_time", "staff", "demand", "evidence")
NO_VIEW = "请从列表中选择要查看的工单。"


def vocabulary(who: Staff) -> dict:
    """Give the words of the forms: kinds, types, states, levels, departments …"""
    return {
        "kinds": {key: model.KINDS[key] for key in model.ENTERED},
        "all_kinds": model.KINDS,
        "types": model.TYPES,
        "subtypes": model.SUBTYPES,
        "states": ticket_views.STATES,
        "levels": model.LEVELS,
        "severities": model.SEVERITIES,
        "urgencies": model.URGENCIES,
        "channels": {key: model.CHANNELS[key] for key in model.ENTERED_BY},
        "departments": {code: each.name for code, each in load_hospital().departments.items()},
        "task_kinds": model.TASK_KINDS,
        "link_kinds": model.LINK_KINDS,
        "steps": {
            name: {"name": model.STEP_NAMES[name], "needs": list(step.needs)} for name, step in model.STEPS.items()
        },
        "dispute_ways": model.DISPUTE_WAYS,
    }


def listed(who: Staff, view: str, kind: str, type_: str, q: str, page: int) -> dict:
    """Give a page of a list. Raises Refused (400) for an unknown list."""
    view = view or "mine"
    if view not in VIEWS:
        raise Refused(400, "bad_view", NO_VIEW)
    with reading() as conn:
        rows = store.listed(conn, who, view, kind, type_, q, page)
        names = staff_names(conn, [row.assignee for row in rows])
    shown = [ticket_views.item(row, names, now()) for row in rows[: store.PAGE]]
    return {"tickets": shown, "more": len(rows) > store.PAGE}


def show(who: Staff, ticket: int) -> dict:
    """Give a whole ticket; the reading is audited. Raises Refused (404)."""
    return _within(who, ticket, lambda conn: None, "ticket_read")


def enter(who: Staff, body: dict) -> dict:
    """Write a ticket for somebody who telephoned, came or wrote. Raises Refused (400)."""
    given = body.get("content")
    if not isinstance(given, dict):
        raise Refused(400)
    content: dict = {name: text_of(given, name, 4000, "").strip() for name in CONTENT}
    contact = given.get("contact") or {}
    if not isinstance(contact, dict):
        raise Refused(400)
    content["contact"] = {name: text for name in ("phone", "other") if (text := text_of(contact, name, 60, "").strip())}
    content["departments"] = words_of(body, "departments", 10, 40)
    chat = text_of(body, "chat", 32, "") or None
    entry = cases.Entry(
        kind=text_of(body, "kind", 20),
        channel=text_of(body, "channel", 16),
        content=content,
        type=text_of(body, "type", 20, "") or None,
        subtype=text_of(body, "subtype", 20, "") or None,
        severity=text_of(body, "severity", 8, "normal"),
        urgency=text_of(body, "urgency", 8, "normal"),
        amount=_fen(body, "amount"),
        accused=words_of(body, "accused", 10, 20),
        anonymous=body.get("anonymous") is True,
        conversation_id=chat,
    )
    moment = now()
    with writing() as conn:
        if chat is not None:
            readable(conn, who, chat)
        made = _allowed(lambda: cases.enter(conn, who, entry, moment))
        access.record(conn, actor(who), "ticket_entered", moment, detail={"ticket": made.number})
        return {"ticket": _whole(conn, who, made.id)}


def take_step(who: Staff, ticket: int, name: str, body: dict) -> dict:
    """Take a step of the state machine; {"warnings"} and nothing done when the patient would read bad words."""
    given = {key: text_of(body, key, 4000, "").strip() for key in ("findings", "result", "lesson", "reason", "note")}
    given = {key: text for key, text in given.items() if text}
    given |= {key: number for key in ("to", "investigator") if (number := number_of(body, key)) is not None}
    if (compensation := _fen(body, "compensation")) is not None:
        given["compensation"] = compensation
    if name == "feedback" and body.get("despite") is not True and (found := _warnings(given.get("result", ""))):
        return {"warnings": found}
    return _within(who, ticket, lambda conn: cases.step(conn, who, ticket, name, given, now()), f"ticket_{name}"[:40])


def set_facts(who: Staff, ticket: int, body: dict) -> dict:
    """Set what was understood wrongly. Raises Refused (400, 404, 409)."""
    given: dict = {}
    for name in ("type", "subtype", "severity", "urgency"):
        if body.get(name) is not None:
            given[name] = text_of(body, name, 20)
    if "amount" in body:
        given["amount"] = _fen(body, "amount")
    for name, longest in (("departments", 40), ("accused", 20)):
        if name in body:
            given[name] = words_of(body, name, 10, longest)
    return _within(who, ticket, lambda conn: cases.set_facts(conn, who, ticket, given, now()), "ticket_facts")


def tell(who: Staff, ticket: int, text: str, despite: bool) -> dict:
    """Tell the patient how far it is; {"warnings"} and nothing sent unless `despite`. Raises Refused (400, 404)."""
    text = text.strip()
    if not text:
        raise Refused(400, "empty", "请先输入要告诉患者的内容。")
    if not despite and (found := _warnings(text)):
        return {"warnings": found}
    return _within(who, ticket, lambda conn: cases.tell_patient(conn, who, ticket, text, now()), "ticket_told")


def _warnings(text: str) -> list[dict]:
    found = [
        {"rule": each.rule, "fragment": each.fragment, "advice": each.advice}
        for each in lint(text, bereaved_or_complaint=True)
    ]
    found += [{"rule": "R5", "fragment": each.masked, "advice": NUMBER_ADVICE} for each in mask(text).secrets]
    return list({(each["rule"], each["fragment"]): each for each in found}.values())


def unmask(who: Staff, ticket: int, reason: str) -> dict:
    """Give name and contact of who complained, with the reason in the audit. Raises Refused (400, 404)."""
    require_reason(reason)
    moment = now()
    with writing() as conn:
        row = _allowed(lambda: cases.require(conn, who, ticket))
        content = json.loads(row.content)
        found = [
            {"name": name, "value": value}
            for name, value in (
                ("反映人", content.get("complainant")),
                ("患者", content.get("patient")),
                *((ticket_views.CONTACTS.get(key, "联系方式"), each) for key, each in _contact(content).items()),
            )
            if value
        ]
        if not found:
            raise Refused(404, "nothing_hidden", "这张工单没有留下联系方式。")
        detail = {"ticket": row.number, "reason": reason.strip(), "what": [each["name"] for each in found]}
        access.record(conn, actor(who), "unmasked", moment, row.patient_id, detail)
    return {"found": found}


def _contact(content: dict) -> dict[str, str]:
    contact = content.get("contact") or {}
    given = contact if isinstance(contact, dict) else {"other": contact}
    return {key: str(value) for key, value in given.items() if value}


# ---- what belongs to it


def add_note(who: Staff, ticket: int, text: str) -> dict:
    """Keep a note. Raises Refused (400, 404)."""
    if not text.strip():
        raise Refused(400, "empty", "请先输入内容。")
    return _within(who, ticket, lambda conn: cases.note(conn, who, ticket, text.strip(), now()), "ticket_note")


def link(who: Staff, ticket: int, number: str, kind: str) -> dict:
    """Tie two tickets together. Raises Refused (400, 404)."""
    return _within(who, ticket, lambda conn: cases.link(conn, who, ticket, number, kind, now()), "ticket_link")


def attach(who: Staff, ticket: int, name: str, kind: str, content: bytes) -> dict:
    """Keep a paper or picture with it. Raises Refused (404)."""
    name = name or "附件"
    return _within(
        who, ticket, lambda conn: cases.attach(conn, who, ticket, name, kind, content, now()), "ticket_attach"
    )


def file_of(who: Staff, ticket: int, file: int) -> tuple[str, bytes]:
    """Give an attachment as (content type, bytes); the look is audited. Raises Refused (404)."""
    with writing() as conn:
        found = _allowed(lambda: cases.file_of(conn, who, ticket, file))
        access.record(conn, actor(who), "file_read", now(), detail={"ticket": ticket, "file": file})
        return found


def ask(who: Staff, ticket: int, department: str, kind: str, text: str) -> dict:
    """Put a task into a department's inbox. Raises Refused (400, 404)."""
    return _within(
        who, ticket, lambda conn: departments.ask(conn, who, ticket, department, kind, text, now()), "ticket_task"
    )


def tasks(who: Staff) -> dict:
    """Give the tasks of his department that wait."""
    with reading() as conn:
        return _tasks(conn, who)


def acknowledge(who: Staff, task: int) -> dict:
    """Say that the department has read a task. Raises Refused (404)."""
    with writing() as conn:
        _allowed(lambda: departments.acknowledge(conn, who, task, now()))
        return _tasks(conn, who)


def answer_task(who: Staff, task: int, text: str) -> dict:
    """Answer for the department. Raises Refused (400, 404, 409)."""
    with writing() as conn:
        _allowed(lambda: departments.answer(conn, who, task, text.strip(), now()))
        return _tasks(conn, who)


def _tasks(conn: Connection, who: Staff) -> dict:
    rows = store.inbox(conn, store.department_of(who))
    numbers = {row.ticket_id: cases.require_row(conn, row.ticket_id).number for row in rows}
    return {"tasks": [ticket_views.task(row, numbers[row.ticket_id], {}) for row in rows]}


# ---- how a deed becomes an answer


def _within(who: Staff, ticket: int, deed: Callable[[Connection], object], action: str) -> dict:
    """Do a deed, write it into the audit and give the whole ticket, all in one transaction."""
    with writing() as conn:
        _allowed(lambda: cases.require(conn, who, ticket))
        _allowed(lambda: deed(conn))
        row = cases.require_row(conn, ticket)
        access.record(conn, actor(who), action, now(), row.patient_id, {"ticket": row.number})
        return {"ticket": _whole(conn, who, ticket)}


def _whole(conn: Connection, who: Staff, ticket: int) -> dict:
    row = cases.require_row(conn, ticket)
    asked = store.tasks_of(conn, ticket)
    history, files = store.history(conn, ticket), store.files_of(conn, ticket)
    people = [row.first_owner, row.assignee, row.investigator, row.entered_by, *(each.by for each in files)]
    people += [each for task in asked for each in (task.asked_by, task.acknowledged_by, task.answered_by)]
    names = staff_names(conn, people)
    return {
        **ticket_views.whole(row, names, who, now()),
        "rating": conn.execute(
            select(ratings.c.score).where(ratings.c.kind == "ticket", ratings.c.ref == ticket)
        ).scalar(),
        "steps": model.steps_for(who.role, row.state, row.level),
        "events": [ticket_views.event(each) for each in history],
        "tasks": [ticket_views.task(each, row.number, names) for each in asked],
        "links": [
            {"kind": each.kind, "id": each.id, "number": each.number, "state": ticket_views.STATES[each.state]}
            for each in store.links_of(conn, ticket)
        ],
        "files": [
            {
                "id": each.id,
                "name": each.name,
                "type": each.type,
                "by": names.get(each.by, ""),
                "at": each.at.isoformat(),
            }
            for each in files
        ],
    }


def _allowed(deed: Callable):
    try:
        return deed()
    except NotAllowed as refused:
        raise Refused(STATUS[refused.code], refused.code, str(refused)) from refused


def _fen(body: dict, name: str) -> int | None:
    """Give a sum in yuan as whole fen."""
    value = body.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10_000_000:
        raise Refused(400, "bad_amount", "请填写正确的金额，单位为元。")
    return round(value * 100)
