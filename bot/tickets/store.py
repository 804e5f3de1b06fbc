"""Which tickets a member of the staff may see, and how they are found (R5, R8). Reads only."""

import json
from datetime import datetime
from functools import lru_cache

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.engine import Connection

from bot.language.script import to_simplified
from bot.staff.service import Staff
from bot.tickets.model import OPEN, UNDONE
from bot.tickets.tables import events, files, links, tasks, tickets

PAGE = 50
SEARCHED = 2000  # newest tickets whose encrypted words a search reads
AGENTS_ROUTES = ("service", "referral")


def scope(who: Staff):
    """Give the condition of what somebody may see: the house, an office, a department, or what is his."""
    sent = tickets.c.state != "draft"
    if who.role in ("supervisor", "director"):
        return sent
    own = or_(tickets.c.first_owner == who.id, tickets.c.assignee == who.id, tickets.c.investigator == who.id)
    if who.role == "quality":
        return and_(sent, or_(own, tickets.c.route == "quality", _asked("quality")))
    if who.role == "liaison":
        return and_(sent, or_(own, _asked(who.department or "-")))
    return and_(sent, or_(own, tickets.c.entered_by == who.id, tickets.c.route.in_(AGENTS_ROUTES)))


def _asked(department: str):
    return exists().where(tasks.c.ticket_id == tickets.c.id, tasks.c.department == department)


def find(conn: Connection, ticket_id: int, who: Staff, lock: bool = False):
    """Give a ticket's row, None when there is none or he may not see it."""
    wanted = select(tickets).where(tickets.c.id == ticket_id, scope(who))
    return conn.execute(wanted.with_for_update() if lock else wanted).first()


def view(name: str, who: Staff):
    """Give the condition of a list: mine, unassigned, open, overdue, closed, all. Raises KeyError."""
    mine = or_(tickets.c.assignee == who.id, tickets.c.investigator == who.id, tickets.c.first_owner == who.id)
    undone = tickets.c.state.in_(UNDONE)
    return {
        "mine": and_(undone, mine),
        "unassigned": and_(tickets.c.state == "confirmed", tickets.c.assignee.is_(None)),
        "open": undone,
        "overdue": and_(tickets.c.state.in_(OPEN), tickets.c.overdue.is_(True)),
        "closed": tickets.c.state.in_(("closed", "withdrawn")),
        "all": tickets.c.id.is_not(None),
    }[name]


def listed(conn: Connection, who: Staff, name: str, kind: str, type_: str, words: str, page: int) -> list:
    """Give a page (one row more than PAGE when there is more), the most urgent and nearest deadline first."""
    wanted = select(tickets).where(scope(who), view(name, who))
    if kind:
        wanted = wanted.where(tickets.c.kind == kind)
    if type_:
        wanted = wanted.where(tickets.c.type == type_)
    if not words:
        order = (tickets.c.overdue.desc(), tickets.c.urgency, tickets.c.due_at, tickets.c.id)
        if name in ("closed", "all"):
            order = (tickets.c.id.desc(),)
        return conn.execute(wanted.order_by(*order).offset(page * PAGE).limit(PAGE + 1)).all()
    # What people told is encrypted, so the newest are read and compared here, not in the database (R5).
    found = [row for row in conn.execute(wanted.order_by(tickets.c.id.desc()).limit(SEARCHED)) if _matches(row, words)]
    return found[page * PAGE : (page + 1) * PAGE + 1]


def _matches(row, words: str) -> bool:
    if row.number and words.upper() in row.number:
        return True
    content = {name: value for name, value in json.loads(row.content).items() if name != "contact"}
    told = json.dumps(content, ensure_ascii=False) + (row.findings or "") + (row.result or "") + (row.lesson or "")
    return to_simplified(words) in to_simplified(told)


@lru_cache(maxsize=256)  # every desk asks every few seconds: the statement is built once for a sign-in
def _counting(who: Staff):
    counted = {name: view(name, who) for name in ("mine", "unassigned", "overdue")}
    counted["warned"] = and_(tickets.c.state.in_(OPEN), tickets.c.warned.is_(True))
    columns = [func.count().filter(condition).label(name) for name, condition in counted.items()]
    return select(*columns).select_from(tickets).where(scope(who))


def counts(conn: Connection, who: Staff) -> dict[str, int]:
    """Give how many tickets and tasks wait for him."""
    found = dict(conn.execute(_counting(who)).mappings().one())
    found["tasks"] = len(inbox(conn, department_of(who))) if who.may("answer_tasks") else 0
    return found


def department_of(who: Staff) -> str:
    """Give whose inbox he reads."""
    return "quality" if who.role == "quality" else who.department or "-"


def inbox(conn: Connection, department: str) -> list:
    """Give a department's tasks that wait for an answer, the oldest first."""
    return conn.execute(
        select(tasks)
        .where(tasks.c.department == department, tasks.c.answered_at.is_(None))
        .order_by(tasks.c.due_at, tasks.c.id)
    ).all()


def history(conn: Connection, ticket_id: int) -> list:
    """Give a ticket's events, oldest first."""
    return conn.execute(select(events).where(events.c.ticket_id == ticket_id).order_by(events.c.id)).all()


def tasks_of(conn: Connection, ticket_id: int) -> list:
    """Give a ticket's tasks, oldest first."""
    return conn.execute(select(tasks).where(tasks.c.ticket_id == ticket_id).order_by(tasks.c.id)).all()


def links_of(conn: Connection, ticket_id: int) -> list:
    """Give (kind, id, number, state) of the tickets linked with this one, from either side."""
    here = select(links.c.kind, links.c.other_id.label("id")).where(links.c.ticket_id == ticket_id)
    there = select(links.c.kind, links.c.ticket_id.label("id")).where(links.c.other_id == ticket_id)
    both = here.union(there).subquery()
    return conn.execute(
        select(both.c.kind, tickets.c.id, tickets.c.number, tickets.c.state)
        .join(tickets, tickets.c.id == both.c.id)
        .order_by(tickets.c.id)
    ).all()


def files_of(conn: Connection, ticket_id: int) -> list:
    """Give a ticket's attachments without their content."""
    return conn.execute(
        select(files.c.id, files.c.name, files.c.type, files.c.by, files.c.at)
        .where(files.c.ticket_id == ticket_id)
        .order_by(files.c.id)
    ).all()


def closed_between(conn: Connection, start: datetime, end: datetime) -> list:
    """Give the complaints closed in a span of time, the oldest first."""
    return conn.execute(
        select(tickets)
        .where(tickets.c.kind == "complaint", tickets.c.closed_at >= start, tickets.c.closed_at < end)
        .order_by(tickets.c.closed_at)
    ).all()


def names_somebody(row, people: set[str]) -> bool:
    """Tell whether a ticket's lesson names a member of the staff or somebody whom the ticket itself names."""
    content = json.loads(row.content)
    named = {str(content.get(key) or "") for key in ("complainant", "patient", "staff")} | people
    return any(len(name) > 1 and name in (row.lesson or "") for name in named)
