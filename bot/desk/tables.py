"""What the desk keeps for itself: canned replies and the reports of shifts."""

from sqlalchemy import Column, Integer, String, Table, Text

from bot.storage.engine import metadata
from bot.storage.types import Encrypted, Json, UtcDateTime

canned = Table(
    "canned_replies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("shortcut", String(20), nullable=False, unique=True),
    Column("title", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("by", Integer),  # None: comes with the house
    Column("at", UtcDateTime, nullable=False),
)

shifts = Table(  # 交接班 (R60)
    "shift_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("staff_id", Integer, nullable=False, index=True),
    Column("to_id", Integer),
    Column("since", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("note", Encrypted, nullable=False),
    Column("facts", Json, nullable=False),
)
