"""What is due when: holds, leases, deadlines, notices. One table, one leased sweeper, no timer in memory."""

from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, String, Table, UniqueConstraint, bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.storage.engine import metadata
from bot.storage.types import Json, UtcDateTime

due = Table(
    "due",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("key", String(80), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("payload", Json, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    UniqueConstraint("kind", "key", name="uq_due_kind_key"),
)
LEASE = timedelta(seconds=60)  # times the attempt, at most ten: a row that fails comes back less and less often


def schedule(conn: Connection, kind: str, key: str, at: datetime, payload: dict | None = None) -> None:
    """Set or move what is due under (kind, key)."""
    known = update(due).where(due.c.kind == kind, due.c.key == key).values(at=at, payload=payload or {}, attempts=0)
    if conn.execute(known).rowcount:
        return
    try:
        with conn.begin_nested():
            conn.execute(insert(due).values(kind=kind, key=key, at=at, payload=payload or {}))
    except IntegrityError:  # another process set it at the same moment
        conn.execute(known)


def settle(conn: Connection, kind: str, key: str) -> None:
    """Forget what was due under (kind, key)."""
    conn.execute(delete(due).where(due.c.kind == kind, due.c.key == key))


def when(conn: Connection, kind: str, key: str) -> datetime | None:
    """Give when something is due, None when nothing is."""
    return conn.execute(select(due.c.at).where(due.c.kind == kind, due.c.key == key)).scalar()


def finish(conn: Connection, row, again: datetime | None = None) -> bool:
    """End a claimed row, or set it for `again`. False: somebody has set it anew or claimed it meanwhile, and it stays."""
    mine = (due.c.id == row.id, due.c.attempts == row.attempts + 1)
    done = delete(due).where(*mine) if again is None else update(due).where(*mine).values(at=again, attempts=0)
    return bool(conn.execute(done).rowcount)


_PENDING = select(due.c.id).where(due.c.at <= bindparam("now")).limit(1)


def pending(conn: Connection, now: datetime) -> bool:
    """Tell whether anything is due; a read, so that a sweeper that finds nothing keeps no writer waiting."""
    return conn.execute(_PENDING, {"now": now}).first() is not None


def claim(conn: Connection, now: datetime, limit: int = 50) -> list:
    """Give rows that are due, leased for a minute to the caller; a caller that dies leaves them to the next."""
    rows = conn.execute(select(due).where(due.c.at <= now).order_by(due.c.at).limit(limit)).all()
    mine = []
    for row in rows:
        taken = conn.execute(
            update(due)
            .where(due.c.id == row.id, due.c.at == row.at, due.c.attempts == row.attempts)
            .values(at=now + LEASE * min(row.attempts + 1, 10), attempts=row.attempts + 1)
        )
        if taken.rowcount:
            mine.append(row)
    return mine
