"""Signs of life of the processes, so that the web process can tell whether somebody will answer."""

from datetime import datetime, timedelta

from sqlalchemy import Boolean, Column, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.storage.engine import metadata, reading, writing
from bot.storage.types import UtcDateTime

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("role", String(16), primary_key=True),  # worker · web
    Column("name", String(80), primary_key=True),  # host and process
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("ready", Boolean, nullable=False),  # False while a worker still loads its model
    Column("model", String(40)),  # which one a worker answers with
)
FRESH = timedelta(seconds=15)


def beat(role: str, name: str, now: datetime, ready: bool = True, model: str | None = None) -> None:
    """Say that the process `name` lives, whether it can take work and with which model. Call every few seconds."""
    with writing() as conn:
        known = update(heartbeats).where(heartbeats.c.role == role, heartbeats.c.name == name)
        if conn.execute(known.values(at=now, ready=ready, model=model)).rowcount:
            return
        try:
            with conn.begin_nested():
                conn.execute(insert(heartbeats).values(role=role, name=name, at=now, ready=ready, model=model))
        except IntegrityError:  # the same name beat twice at once
            conn.execute(known.values(at=now, ready=ready, model=model))


def gone(role: str, name: str) -> None:
    """Say that the process `name` has finished its work and goes."""
    with writing() as conn:
        conn.execute(delete(heartbeats).where(heartbeats.c.role == role, heartbeats.c.name == name))


def fresh(role: str, now: datetime, within: timedelta = FRESH) -> bool:
    """Tell whether a process of this role was seen ready not longer than `within` ago."""
    return bool(heard(role, now, within))


def heard(role: str, now: datetime, within: timedelta = FRESH) -> dict[str, str | None]:
    """Give the processes of this role that were seen ready not longer than `within` ago: name → model."""
    wanted = select(heartbeats.c.name, heartbeats.c.model).where(
        heartbeats.c.role == role, heartbeats.c.ready.is_(True), heartbeats.c.at >= now - within
    )
    with reading() as conn:
        return {row.name: row.model for row in conn.execute(wanted)}
