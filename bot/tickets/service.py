"""Tickets from the first complaining sentence to a number and a deadline. Works inside the caller's transaction."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection

from bot.conversations.tables import conversations
from bot.hospital.load import load_hospital
from bot.storage import due
from bot.tickets.sla import SHANGHAI, due_at
from bot.tickets.tables import events, tickets

TYPES = {
    "attitude": "服务态度",
    "waiting": "等候与流程",
    "fee": "收费",
    "quality": "医疗质量",
    "environment": "环境与设施",
    "privacy": "隐私保护",
    "ethics": "行风廉洁",
    "system": "预约与信息系统",
    "other": "其他",
}
KINDS = {
    "complaint": "投诉",
    "suggestion": "建议",
    "praise": "表扬",
    "referral": "转诊",
    "privacy": "个人信息请求",
    "review": "信息核对",
    "message": "留言",
    "death": "停止回访",
}
STATES = {
    "draft": "待您确认",
    "confirmed": "已登记，等待处理",
    "in_progress": "处理中",
    "answered": "已有处理结果",
    "closed": "已办结",
    "withdrawn": "已撤回",
}
OPEN = ("confirmed", "in_progress")  # sent and not yet answered
PREFIX = {
    "complaint": "TS",
    "suggestion": "JY",
    "praise": "BY",
    "referral": "ZZ",
    "privacy": "YS",
    "review": "HD",
    "message": "LY",
    "death": "HF",
}
# Medical quality goes to quality control at once (R67); everything else starts with the service centre.
ROUTES = {"quality": "quality", "ethics": "discipline", "privacy": "privacy"}
ROUTE_NAMES = {
    "service": "客服中心",
    "quality": "质量控制科",
    "discipline": "纪检监察室",
    "privacy": "信息与隐私保护办公室",
    "referral": "转诊办公室",
}
ANSWERED_BY = {
    "service": "医患关系办公室",
    "quality": "质量控制科",
    "discipline": "纪检监察室",
    "privacy": "信息与隐私保护办公室",
}


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
    urgency: str = "normal"
    overdue: bool = False

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
        row.urgency,
        row.overdue,
    )


def note_event(conn: Connection, ticket_id: int, what: str, actor: str, now: datetime, detail: dict | None = None):
    """Write a line of a ticket's history."""
    conn.execute(insert(events).values(ticket_id=ticket_id, at=now, actor=actor, what=what, detail=detail))


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
    route = ROUTES.get(type_ or "", "referral" if kind == "referral" else "privacy" if kind == "privacy" else "service")
    values = dict(
        type=type_,
        route=route,
        urgency="high" if type_ == "quality" else "normal",
        anonymous=anonymous,
        content=json.dumps(content, ensure_ascii=False),
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
    days = working_days or load_hospital().info.complaints["working_days"]["single"]
    deadline = due_at(row.received_at, days)
    conn.execute(
        update(tickets)
        .where(tickets.c.id == ticket_id)
        .values(
            number=number,
            state="confirmed",
            due_at=deadline,
            next_action_at=now + timedelta(hours=4),
            patient_id=None if row.anonymous else patient_id,
        )
    )
    note_event(conn, ticket_id, "confirmed", f"conversation:{row.conversation_id}", now)
    if row.route == "quality":
        # R67: quality control has it at once, and a meeting of the departments is to be called.
        note_event(conn, ticket_id, "routed_quality", "system", now)
        note_event(conn, ticket_id, "meeting_requested", "system", now)
    due.schedule(conn, "ticket_overdue", str(ticket_id), deadline, {"ticket": ticket_id})
    return get(conn, ticket_id)


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
    return True


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


def mark_overdue(conn: Connection, payload: dict, now: datetime) -> None:
    """Due handler: a ticket past its deadline is marked and stands first in the desk (R3)."""
    late = conn.execute(
        update(tickets)
        .where(
            tickets.c.id == payload["ticket"],
            tickets.c.state.in_(("confirmed", "in_progress")),
            tickets.c.overdue.is_(False),
        )
        .values(overdue=True, urgency="high")
    )
    if late.rowcount:
        note_event(conn, payload["ticket"], "overdue", "system", now)


def forget_identity(conn: Connection, patient_id: int, conversation_id: str) -> None:
    """Take contact and patient out of tickets that the law keeps (PIPL art. 47; R71 needs the case, not the person).

    Those are the patient's, and what this conversation wrote for nobody else.
    """
    own = (tickets.c.conversation_id == conversation_id) & tickets.c.patient_id.is_(None)
    rows = conn.execute(select(tickets.c.id, tickets.c.content).where((tickets.c.patient_id == patient_id) | own)).all()
    for row in rows:
        content = json.loads(row.content)
        content.pop("contact", None)
        conn.execute(
            update(tickets)
            .where(tickets.c.id == row.id)
            .values(patient_id=None, anonymous=True, content=json.dumps(content, ensure_ascii=False))
        )
