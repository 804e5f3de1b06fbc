"""Staff accounts and their sign-ins."""

from sqlalchemy import Boolean, Column, Integer, String, Table

from bot.storage.engine import metadata
from bot.storage.types import Json, UtcDateTime

staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(20), nullable=False, unique=True),  # 工号
    Column("name", String(40), nullable=False),
    Column("role", String(20), nullable=False),  # bot/staff/roles.py
    Column("password", String(200), nullable=False),  # Argon2
    Column("active", Boolean, nullable=False, default=True),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", UtcDateTime),
    Column("seen_at", UtcDateTime),
    Column("duty", String(8), nullable=False, default="manual", server_default="manual"),  # manual · auto · break
    Column("capacity", Integer, nullable=False, default=5, server_default="5"),  # talks at once
    Column("skills", Json),  # skill groups; none: whatever comes
    Column("department", String(40)),  # of a liaison
)

signins = Table(
    "staff_signins",
    metadata,
    Column("token", String(64), primary_key=True),  # hash of what the browser holds
    Column("staff_id", Integer, nullable=False, index=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    Column("csrf", String(64), nullable=False),
)
