"""Tickets (工单) with their history, tasks of departments, links and attachments. What people told is encrypted."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, UniqueConstraint, false

from bot.storage.engine import metadata
from bot.storage.types import Encrypted, Json, UtcDateTime

tickets = Table(
    "tickets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(20), unique=True),  # given when it is confirmed
    Column("kind", String(20), nullable=False),  # bot/tickets/model.py says which kinds, types, states and levels
    Column("type", String(20)),
    Column("subtype", String(20)),
    Column("state", String(16), nullable=False),
    Column("urgency", String(8), nullable=False, default="normal"),
    Column("severity", String(8), nullable=False, default="normal", server_default="normal"),
    Column("level", String(12), nullable=False, default="service", server_default="service"),  # who may decide (R66)
    Column("dispute", Boolean, nullable=False, default=False, server_default=false()),
    Column("route", String(20), nullable=False),  # service (客服) · quality (质控) · insurance · privacy …
    Column("channel", String(16), nullable=False),
    Column("conversation_id", String(32), index=True),
    Column("patient_id", Integer, index=True),
    Column("anonymous", Boolean, nullable=False, default=False),
    Column("content", Encrypted, nullable=False),  # JSON: event, place_time, staff, demand, evidence, contact (R64)
    Column("departments", Json),  # codes of the departments it is about
    Column("accused", Encrypted),  # JSON: 工号 of those complained of, who may not investigate (R68)
    Column("amount", Integer),  # fen asked for
    Column("compensation", Integer),  # fen agreed to
    Column("entered_by", Integer),  # staff who wrote it for the patient; None when he did himself
    Column("first_owner", Integer),  # who answers for it to the end (R1)
    Column("assignee", Integer),
    Column("investigator", Integer),
    Column("received_at", UtcDateTime, nullable=False),
    Column("working_days", Integer),  # from receipt
    Column("due_at", UtcDateTime),
    Column("warned", Boolean, nullable=False, default=False, server_default=false()),
    Column("next_action_at", UtcDateTime),
    Column("overdue", Boolean, nullable=False, default=False),
    Column("findings", Encrypted),  # for the house
    Column("result", Encrypted),  # what the patient has read
    Column("result_sent_at", UtcDateTime),
    Column("lesson", Encrypted),
    Column("closed_at", UtcDateTime),
    Index("ix_tickets_state", "state", "due_at"),
)

events = Table(
    "ticket_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", Integer, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(60), nullable=False),
    Column("what", String(40), nullable=False),
    Column("detail", Json),
    Column("text", Encrypted),  # a note, a reason, what the patient was told
)

tasks = Table(
    "ticket_tasks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", Integer, nullable=False, index=True),
    Column("department", String(40), nullable=False),  # code of a department, or an office such as quality
    Column("kind", String(12), nullable=False),  # investigate · meeting
    Column("text", Encrypted, nullable=False),
    Column("asked_by", Integer),  # None: the rules of the house
    Column("at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("acknowledged_by", Integer),
    Column("acknowledged_at", UtcDateTime),
    Column("answer", Encrypted),
    Column("answered_by", Integer),
    Column("answered_at", UtcDateTime),
    Index("ix_ticket_tasks_department", "department", "answered_at"),
)

links = Table(
    "ticket_links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", Integer, nullable=False),
    Column("other_id", Integer, nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    UniqueConstraint("ticket_id", "other_id", name="uq_ticket_links_ticket_id"),
)

files = Table(
    "ticket_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", Integer, nullable=False, index=True),
    Column("name", Encrypted, nullable=False),
    Column("type", String(40), nullable=False),
    Column("content", Encrypted, nullable=False),  # base64
    Column("by", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
