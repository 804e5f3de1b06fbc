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
    Column("newest_at", UtcDateTime),  # when a message came after which more may follow; NULL: answer what waits
    Column("code_expected", Boolean, nullable=False, default=False),
    Column("suspended_by", String(16)),  # code of the danger sign that stopped the present task
    Column("queue_reason", String(80)),
    Column("skill", String(16)),  # the group of agents it waits for
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
    Column("kind", String(8), nullable=False),  # text · button · stale · picture
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
    Column("second_id", Integer),  # who was called when nobody had looked for a minute (R85)
    Column("escalated_at", UtcDateTime),
)

episodes = Table(  # one row a hand-over, from the queue to the end: what the reports count
    "episodes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False, index=True),
    Column("reason", String(80), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("skill", String(16)),
    Column("queued_at", UtcDateTime, nullable=False, index=True),
    Column("accepted_at", UtcDateTime),
    Column("agent_id", Integer),
    Column("first_reply_at", UtcDateTime),
    Column("transfers", Integer, nullable=False, default=0),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(12)),  # as the agent closed it; left: the patient went; hours: the desk closed
    Column("summary", Encrypted),
)

marks = Table(  # what each side has seen, and who is typing
    "marks",
    metadata,
    Column("conversation_id", String(32), ForeignKey("conversations.id"), primary_key=True),
    Column("agent_read", Integer, nullable=False, default=0),
    Column("patient_got", Integer, nullable=False, default=0),
    Column("patient_read", Integer, nullable=False, default=0),
    Column("agent_typing_at", UtcDateTime),
    Column("patient_typing_at", UtcDateTime),
    Index("ix_marks_agent_typing_at", "agent_typing_at"),
)

ratings = Table(  # satisfaction, asked once for a hand-over and once for a ticket
    "ratings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),  # episode · ticket
    Column("ref", Integer, nullable=False),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False, index=True),
    Column("agent_id", Integer),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("score", Integer),  # 1 to 5
    Column("at", UtcDateTime),
    UniqueConstraint("kind", "ref", name="uq_ratings_kind"),
)

notes = Table(  # of the staff, never shown to the patient
    "chat_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False, index=True),
    Column("staff_id", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("text", Encrypted, nullable=False),
)

tags = Table(
    "chat_tags",
    metadata,
    Column("conversation_id", String(32), ForeignKey("conversations.id"), primary_key=True),
    Column("tag", String(20), primary_key=True),
)

reach = Table(  # a patient whom only the channel can call: his address there, and how often he may still be written to
    "reach",
    metadata,
    Column("conversation_id", String(32), ForeignKey("conversations.id"), primary_key=True),
    Column("address", Encrypted, nullable=False),  # the OpenID
    Column("message_left", Integer, nullable=False, default=0),  # sends that his last message allows …
    Column("message_until", UtcDateTime),  # … until then
    Column("event_left", Integer, nullable=False, default=0),  # sends that his last tap allows
    Column("event_until", UtcDateTime),
)

outbox = Table(  # one row a line that has to reach a patient through a push channel
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # waiting · passive · sending · sent · held · dropped
    Column("not_before", UtcDateTime, nullable=False),
    Column("parcels", Json),  # what a batch is sent as; on its first row, until it is sent
    Column("batch", Integer),  # id of that first row
    Column("done", Integer, nullable=False, default=0),  # parcels delivered
    Column("attempts", Integer, nullable=False, default=0),
    Column("resent", Integer, nullable=False, default=0),  # parcels that may have arrived twice
    Column("owner", String(80)),
    Column("lease_until", UtcDateTime),
    Column("error", String(80)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    UniqueConstraint("conversation_id", "seq", name="uq_outbox_conversation_id"),
    Index("ix_outbox_state", "state", "not_before"),
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
