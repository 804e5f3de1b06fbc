"""Sessions (出诊单元), openings (号源), bookings, waitlist (候补)."""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, UniqueConstraint, false

from bot.storage.engine import metadata
from bot.storage.types import UtcDateTime

sessions = Table(
    "clinic_sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Date, nullable=False),
    Column("period", String(8), nullable=False),  # am · pm · evening
    Column("doctor", String(20), nullable=False),
    Column("department", String(40), nullable=False),
    Column("slot_class", String(8), nullable=False),  # normal · expert · special
    Column("room", String(80), nullable=False),
    Column("fee_item", String(20), nullable=False),
    Column("stopped", Boolean, nullable=False, default=False),
    Column("stop_reason", String(200)),
    Column(
        "by_hand", Boolean, nullable=False, default=False, server_default=false()
    ),  # stopped or resumed by a person: stops.csv decides no more
    Column(
        "told_stopped", Boolean, nullable=False, default=False, server_default=false()
    ),  # its patients know that it is stopped
    UniqueConstraint("day", "period", "doctor", "slot_class", name="uq_clinic_sessions_day"),
    Index("ix_clinic_sessions_department", "department", "day"),
)

openings = Table(
    "openings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session_id", Integer, ForeignKey("clinic_sessions.id"), nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("state", String(8), nullable=False, default="free"),  # free · held · booked · taken (by another channel)
    Column("held_by", String(32)),  # a conversation, or "waitlist…": kept for who waits
    Column("held_until", UtcDateTime),
    UniqueConstraint("session_id", "starts_at", name="uq_openings_session_id"),
    Index("ix_openings_state", "session_id", "state"),
)

bookings = Table(
    "bookings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(20), nullable=False, unique=True),
    Column("opening_id", Integer, ForeignKey("openings.id"), nullable=False, index=True),
    Column("patient_id", Integer, nullable=False, index=True),
    Column("conversation_id", String(32), nullable=False),
    Column("state", String(10), nullable=False, default="booked"),  # booked · cancelled
    Column("key", String(80), nullable=False, unique=True),  # (turn, action): a replay finds its own work
    Column("created_at", UtcDateTime, nullable=False),
    Column("cancelled_at", UtcDateTime),
)

waitlist = Table(
    "waitlist",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session_id", Integer, ForeignKey("clinic_sessions.id"), nullable=False, index=True),
    Column("patient_id", Integer, nullable=False),
    Column("conversation_id", String(32), nullable=False),
    # waiting · offered · booked · declined · lapsed (no answer in time) · cancelled (by the patient) · closed (no hope left)
    Column("state", String(10), nullable=False, default="waiting"),
    Column("opening_id", Integer, ForeignKey("openings.id")),  # what is offered
    Column("offered_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("session_id", "patient_id", name="uq_waitlist_session_id"),
    Index("ix_waitlist_state", "state", "session_id"),
)
