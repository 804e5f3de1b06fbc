"""Signs of life of the processes, so that the web process can tell whether somebody will answer."""

from datetime import datetime, timedelta

from sqlalchemy import Boolean, Column, String, Table, insert, select, update
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
)
FRESH = timedelta(seconds=15)


def beat(role: str, name: str, now: datetime, ready: bool = True) -> None:
    """Say that the process `name` lives and whether it can take work. Call every few seconds."""
    with writing() as conn:
        known = update(heartbeats).where(heartbeats.c.role == role, heartbeats.c.name == name)
        if conn.execute(known.values(at=now, ready=ready)).rowcount:
            return
        try:
            with conn.begin_nested():
                conn.execute(insert(heartbeats).values(role=role, name=name, at=now, ready=ready))
        except IntegrityError:  # the same name beat twice at once
            conn.execute(known.values(at=now, ready=ready))


def fresh(role: str, now: datetime, within: timedelta = FRESH, name: str | None = None) -> bool:
    """Tell whether a process of this role, or the one of this name, was seen ready not longer than `within` ago."""
    wanted = select(heartbeats.c.name).where(
        heartbeats.c.role == role, heartbeats.c.ready.is_(True), heartbeats.c.at >= now - within
    )
    if name is not None:
        wanted = wanted.where(heartbeats.c.name == name)
    with reading() as conn:
        return conn.execute(wanted.limit(1)).first() is not None
