"""Tickets from the first complaining sentence to a number and a deadline. Works inside the caller's transaction.

What the staff do with a ticket is in cases.py, what the clock does in clock.py, what it may be in model.py.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection

from bot.conversations.tables import conversations
from bot.hospital.load import load_hospital
from bot.hospital.names import resolve_department
from bot.storage import due
from bot.tickets.model import (
    DISPUTE,
    OPEN,
    PREFIX,
    QUALITY,
    STATES,
    level_of,
    route_of,
)
from bot.tickets.sla import SHANGHAI, days_allowed, due_at, warn_at
from bot.tickets.tables import events, tasks, tickets

NEXT_LOOK = timedelta(hours=4)  # until somebody must have looked at a new ticket (R3)


@dataclass(frozen=True)
class Ticket:
    """A ticket with its content decrypted."""

    id: int
    number: str | None
    kind: str
    type: str | None
    state: str
    route: str
    received_at: datetime
    due_at: datetime | None
    content: dict
    result: str | None
    conversation_id: str | None
    patient_id: int | None
    channel: str
    urgency: str
    overdue: bool
    level: str

    @property
    def state_name(self) -> str:
        """Give the state in the patient's words."""
        return STATES[self.state]


def _ticket(row) -> Ticket:
    return Ticket(
        row.id,
        row.number,
        row.kind,
        row.type,
        row.state,
        row.route,
        row.received_at,
        row.due_at,
        json.loads(row.content),
        row.result,
        row.conversation_id,
        row.patient_id,
        row.channel,
        row.urgency,
        row.overdue,
        row.level,
    )


def note_event(
    conn: Connection,
    ticket_id: int,
    what: str,
    actor: str,
    now: datetime,
    detail: dict | None = None,
    text: str | None = None,
) -> None:
    """Write a line of a ticket's history; what people said goes into `text`, which is encrypted."""
    conn.execute(insert(events).values(ticket_id=ticket_id, at=now, actor=actor, what=what, detail=detail, text=text))


def nature(kind: str, type_: str | None, content: dict, severity: str = "normal", amount: int | None = None) -> dict:
    """Give the columns that follow from what a ticket is about: departments, route, level, urgency, dispute (R66, R67)."""
    return dict(
        departments=list(dict.fromkeys(filter(None, map(_department, content.get("departments") or [])))),
        route=route_of(kind, type_),
        level=level_of(kind, type_, severity, amount),
        urgency="high" if type_ == "quality" or kind == "incident" or severity != "normal" else "normal",
        dispute=bool(DISPUTE.search(str(content.get("event", "")))),
    )


def _department(said: str) -> str | None:
    """Give the code of a department: staff choose it from a list, patients say its name in their own words."""
    if said in load_hospital().departments:
        return said
    found = resolve_department(said)
    return found[0].code if found else None


def type_by_words(kind: str, type_: str | None, content: dict) -> str | None:
    """Give the type; a complaint whose words mean medical quality is one of quality, whatever was ticked (R67)."""
    if kind == "complaint" and QUALITY.search(str(content.get("event", ""))):
        return "quality"
    return type_


def draft(
    conn: Connection, conversation_id: str, kind: str, type_: str | None, content: dict, now: datetime, channel: str
) -> Ticket:
    """Open or renew the conversation's draft of this kind, so that nothing is lost if the patient leaves (R64).

    An anonymous ticket (`content["anonymous"]`) keeps no contact.
    """
    _one_at_a_time(conn, conversation_id)
    anonymous = bool(content.get("anonymous"))
    if anonymous:
        content = {name: value for name, value in content.items() if name != "contact"}
    row = conn.execute(
        select(tickets).where(
            tickets.c.conversation_id == conversation_id, tickets.c.kind == kind, tickets.c.state == "draft"
        )
    ).first()
    values = dict(
        type=type_,
        anonymous=anonymous,
        content=json.dumps(content, ensure_ascii=False),
        **nature(kind, type_, content),
    )
    if row:
        conn.execute(update(tickets).where(tickets.c.id == row.id).values(**values))
        ticket_id = row.id
    else:
        ticket_id = conn.execute(
            insert(tickets).values(
                kind=kind,
                state="draft",
                channel=channel,
                conversation_id=conversation_id,
                received_at=now,
                next_action_at=now + timedelta(hours=2),
                **values,
            )
        ).inserted_primary_key[0]
        note_event(conn, ticket_id, "drafted", f"conversation:{conversation_id}", now)
    return get(conn, ticket_id)


def _one_at_a_time(conn: Connection, conversation_id: str) -> None:
    """Wait for another life of the same turn, which may be writing the same ticket (PostgreSQL; SQLite has one writer)."""
    conn.execute(select(conversations.c.id).where(conversations.c.id == conversation_id).with_for_update())


def confirm(
    conn: Connection, ticket_id: int, now: datetime, patient_id: int | None = None, working_days: int | None = None
) -> Ticket:
    """Give the draft its number and deadline (default: the hospital's for one department); a second time changes nothing."""
    row = conn.execute(select(tickets).where(tickets.c.id == ticket_id).with_for_update()).one()
    if row.state != "draft":
        return _ticket(row)
    day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
    number = f"{PREFIX[row.kind]}{day}-{row.id:04d}"
    days = working_days or days_allowed(load_hospital().info.complaints, kind=row.kind, urgency=row.urgency)
    conn.execute(
        update(tickets)
        .where(tickets.c.id == ticket_id)
        .values(
            number=number,
            state="confirmed",
            next_action_at=now + NEXT_LOOK,
            patient_id=None if row.anonymous else patient_id,
        )
    )
    note_event(conn, ticket_id, "confirmed", f"conversation:{row.conversation_id}", now)
    if row.route == "quality":
        to_quality(conn, ticket_id, now)
    set_deadline(conn, ticket_id, row.received_at, days)
    return get(conn, ticket_id)


def to_quality(conn: Connection, ticket_id: int, now: datetime) -> None:
    """R67: quality control has it at once, and a meeting of the departments is to be called by the next working day."""
    note_event(conn, ticket_id, "routed_quality", "system", now)
    ask_department(conn, ticket_id, "quality", "meeting", MEETING, None, now)
    note_event(conn, ticket_id, "meeting_requested", "system", now)


MEETING = "请在一个工作日内召集相关科室会议，核实经过，提出处理意见。"


def ask_department(
    conn: Connection, ticket_id: int, department: str, kind: str, text: str, asked_by: int | None, now: datetime
) -> int:
    """Put a task into a department's inbox, to be acknowledged within a working day, and give its id (R56)."""
    until = due_at(now, 1)
    made = conn.execute(
        insert(tasks).values(
            ticket_id=ticket_id, department=department, kind=kind, text=text, asked_by=asked_by, at=now, due_at=until
        )
    ).inserted_primary_key[0]
    due.schedule(conn, "ticket_task", str(made), until, {"task": made})
    return made


def set_deadline(conn: Connection, ticket_id: int, received: datetime, working_days: int) -> datetime:
    """Set the deadline in working days from receipt, with its warning, and give it."""
    deadline = due_at(received, working_days)
    values = dict(due_at=deadline, working_days=working_days, overdue=False, warned=False)
    conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(**values))
    due.schedule(conn, "ticket_warning", str(ticket_id), warn_at(received, deadline), {"ticket": ticket_id})
    due.schedule(conn, "ticket_overdue", str(ticket_id), deadline, {"ticket": ticket_id})
    return deadline


def file(
    conn: Connection,
    conversation_id: str,
    kind: str,
    content: dict,
    now: datetime,
    channel: str,
    type_: str | None = None,
    patient_id: int | None = None,
    key: str | None = None,
) -> Ticket:
    """Write a ticket that needs no read-back (a suggestion, praise, a message); once per key."""
    _one_at_a_time(conn, conversation_id)
    if key and (done := filed(conn, key)):
        return done
    made = draft(conn, conversation_id, kind, type_, content, now, channel)
    if key:
        note_event(conn, made.id, "filed", key, now)
    return confirm(conn, made.id, now, patient_id)


def filed(conn: Connection, key: str) -> Ticket | None:
    """Give the ticket that was written under a key, None when there is none: a replay finds its own work."""
    done = conn.execute(select(events.c.ticket_id).where(events.c.what == "filed", events.c.actor == key)).scalar()
    return get(conn, done) if done else None


def filed_last(conn: Connection, conversation_id: str, prefix: str) -> Ticket | None:
    """Give a conversation's newest ticket whose key begins with `prefix`, None when there is none."""
    last = conn.execute(
        select(func.max(events.c.ticket_id))
        .select_from(events.join(tickets, tickets.c.id == events.c.ticket_id))
        .where(tickets.c.conversation_id == conversation_id)
        .where(events.c.what == "filed", events.c.actor.like(f"{prefix}%"))
    ).scalar()
    return get(conn, last) if last else None


def withdraw(conn: Connection, conversation_id: str, kind: str, now: datetime) -> None:
    """The patient does not want the draft sent: it is kept as withdrawn, not lost."""
    row = conn.execute(
        select(tickets.c.id).where(
            tickets.c.conversation_id == conversation_id, tickets.c.kind == kind, tickets.c.state == "draft"
        )
    ).scalar()
    if row:
        conn.execute(update(tickets).where(tickets.c.id == row).values(state="withdrawn"))
        note_event(conn, row, "withdrawn", f"conversation:{conversation_id}", now)


def withdraw_sent(conn: Connection, ticket_id: int, now: datetime) -> bool:
    """The patient takes back a ticket that nobody has answered yet; False when it is answered, closed or withdrawn already."""
    row = conn.execute(select(tickets).where(tickets.c.id == ticket_id).with_for_update()).one()
    if row.state not in OPEN:
        return False
    conn.execute(update(tickets).where(tickets.c.id == ticket_id).values(state="withdrawn", next_action_at=None))
    note_event(conn, ticket_id, "withdrawn", f"conversation:{row.conversation_id}", now)
    stop_clock(conn, ticket_id)
    return True


def stop_clock(conn: Connection, ticket_id: int) -> None:
    """Forget warning and deadline: it has been answered or taken back."""
    for kind in ("ticket_warning", "ticket_overdue"):
        due.settle(conn, kind, str(ticket_id))


def get(conn: Connection, ticket_id: int) -> Ticket:
    """Give one ticket."""
    return _ticket(conn.execute(select(tickets).where(tickets.c.id == ticket_id)).one())


def of_conversation(conn: Connection, conversation_id: str) -> list[Ticket]:
    """Give a conversation's tickets, the newest first, drafts left out."""
    rows = conn.execute(
        select(tickets)
        .where(tickets.c.conversation_id == conversation_id, tickets.c.state != "draft", tickets.c.state != "withdrawn")
        .order_by(tickets.c.id.desc())
    ).all()
    return [_ticket(r) for r in rows]


def by_number(conn: Connection, number: str) -> Ticket | None:
    """Find a ticket by its number, None when there is none."""
    row = conn.execute(select(tickets).where(func.upper(tickets.c.number) == number.upper())).first()
    return _ticket(row) if row else None


def of_patient(conn: Connection, patient_id: int) -> list[Ticket]:
    """Give a verified patient's tickets, the newest first."""
    rows = conn.execute(
        select(tickets)
        .where(tickets.c.patient_id == patient_id, tickets.c.state != "draft")
        .order_by(tickets.c.id.desc())
    ).all()
    return [_ticket(r) for r in rows]


def forget_identity(conn: Connection, patient_id: int, conversation_id: str) -> None:
    """Take contact and patient out of tickets that the law keeps (PIPL art. 47; R71 needs the case, not the person).

    Those are the patient's, and what this conversation wrote for nobody else.
    """
    own = (tickets.c.conversation_id == conversation_id) & tickets.c.patient_id.is_(None)
    rows = conn.execute(select(tickets.c.id, tickets.c.content).where((tickets.c.patient_id == patient_id) | own)).all()
    for row in rows:
        content = json.loads(row.content)
        for name in ("contact", "complainant", "patient", "relation"):
            content.pop(name, None)
        conn.execute(
            update(tickets)
            .where(tickets.c.id == row.id)
            .values(patient_id=None, anonymous=True, content=json.dumps(content, ensure_ascii=False))
        )
