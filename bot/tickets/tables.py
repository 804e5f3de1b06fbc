"""Tickets (工单): complaints, suggestions, praise, referrals, privacy requests, identity reviews, messages left."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from bot.storage.engine import metadata
from bot.storage.types import Encrypted, Json, UtcDateTime

tickets = Table(
    "tickets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(20), unique=True),  # given when it is confirmed
    Column("kind", String(20), nullable=False),  # complaint suggestion praise referral privacy review message death
    Column("type", String(20)),  # complaint key: attitude, waiting …
    Column("state", String(12), nullable=False),  # draft · confirmed · in_progress · answered · closed · withdrawn
    Column("urgency", String(8), nullable=False, default="normal"),  # normal · high
    Column("route", String(20), nullable=False),  # service (客服) · quality (质控) · insurance · privacy …
    Column("channel", String(16), nullable=False),
    Column("conversation_id", String(32), index=True),
    Column("patient_id", Integer, index=True),
    Column("anonymous", Boolean, nullable=False, default=False),
    Column("content", Encrypted, nullable=False),  # JSON: event, place, when, staff, department, demand, contact
    Column("first_owner", Integer),  # who answers for it to the end (R1)
    Column("assignee", Integer),
    Column("received_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("next_action_at", UtcDateTime),
    Column("overdue", Boolean, nullable=False, default=False),
    Column("result", Encrypted),
    Column("result_sent_at", UtcDateTime),
    Column("lesson", Encrypted),
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
)
