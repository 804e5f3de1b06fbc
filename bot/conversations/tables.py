"""The tables of a conversation: its row, what waits, what was said, buttons, alerts, incidents."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from bot.storage.engine import metadata
from bot.storage.types import Encrypted, Json, UtcDateTime

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("visitor", String(80), nullable=False),  # the channel's own name for who writes
    Column("holder", String(8), nullable=False, default="bot"),  # bot · queue (bot still helps) · agent
    Column("agent_id", Integer),
    Column("epoch", Integer, nullable=False, default=0),  # rises whenever the bot must fall silent
    Column("last_seq", Integer, nullable=False, default=0),
    Column("step", Integer, nullable=False, default=0),  # buttons are bound to it
    Column("tracker", Json),
    Column("lease_token", Integer, nullable=False, default=0),
    Column("lease_owner", String(80)),
    Column("lease_until", UtcDateTime),
    Column("waiting_since", UtcDateTime),
    Column("newest_at", UtcDateTime),
    Column("code_expected", Boolean, nullable=False, default=False),
    Column("suspended_by", String(16)),  # code of the danger sign that stopped the present task
    Column("queue_reason", String(80)),
    Column("queued_at", UtcDateTime),
    Column("priority", Integer, nullable=False, default=0),
    Column("accepted_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("channel", "visitor", name="uq_conversations_channel_visitor"),
    Index("ix_conversations_waiting_since", "waiting_since"),
    Index("ix_conversations_holder", "holder", "queued_at"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(8), nullable=False),  # text · button · stale
    Column("text", Text, nullable=False),  # masked
    Column("secrets", Encrypted),  # JSON: the originals of what was masked
    Column("button", Json),  # payload, and the step it was shown at
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", String(8), nullable=False),  # waiting · done · person
    Column("attempts", Integer, nullable=False, default=0),
    Column("turn", String(60)),  # set at the first claim: a replay covers the same rows
    UniqueConstraint("conversation_id", "client_id", name="uq_inbox_conversation_id"),
    Index("ix_inbox_state", "conversation_id", "state", "id"),
)

lines = Table(
    "lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("sender", String(8), nullable=False),  # patient · bot · agent · system
    Column("text", Text, nullable=False),
    Column("data", Json),  # buttons, image, card
    Column("meta", Json),  # intent, confidence, turn: for the desk, never for the patient
    Column("client_id", String(64)),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id", "seq", name="uq_lines_conversation_id"),
)

buttons = Table(
    "buttons",
    metadata,
    Column("token", String(24), primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False, index=True),
    Column("step", Integer, nullable=False),
    Column("title", String(200), nullable=False),
    Column("payload", Json, nullable=False),
    Column("used_at", UtcDateTime),
)

images = Table(
    "images",
    metadata,
    Column("token", String(40), primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False, index=True),
    Column("content", Encrypted, nullable=False),  # base64
    Column("at", UtcDateTime, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False, index=True),
    Column("code", String(16), nullable=False),
    Column("definite", Boolean, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("seen_by", Integer),
    Column("seen_at", UtcDateTime),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), index=True),
    Column("kind", String(40), nullable=False),
    Column("detail", Text, nullable=False),  # never a patient's words
    Column("at", UtcDateTime, nullable=False),
)
