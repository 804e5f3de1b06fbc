"""What the clock does with tickets: warning, breach with the next level, tasks nobody acknowledged (R3, R55, R56, R58).

Each function is the handler of one kind of `due` row and gives when to come again, or None.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from bot.clock import moment_text
from bot.tickets import telling
from bot.tickets.model import OPEN, next_level
from bot.tickets.service import note_event
from bot.tickets.sla import due_at
from bot.tickets.tables import tasks, tickets


def warn(conn: Connection, payload: dict, now: datetime) -> None:
    """A working day before the deadline: the owner is reminded and the patient is told before the delay, not after."""
    row = _open(conn, payload["ticket"])
    if row is None or row.warned:
        return
    conn.execute(update(tickets).where(tickets.c.id == row.id).values(warned=True, next_action_at=now))
    note_event(conn, row.id, "warned", "system", now)
    if row.kind == "complaint":
        telling.tell(conn, row, "warning", "system", now)


def mark_overdue(conn: Connection, payload: dict, now: datetime) -> datetime | None:
    """Past its deadline a ticket is urgent and goes up one level; after two more working days up to the director."""
    row = _open(conn, payload["ticket"])
    if row is None:
        return None
    level = next_level(row.level)
    values = dict(overdue=True, urgency="high", level=level, next_action_at=now)
    conn.execute(update(tickets).where(tickets.c.id == row.id).values(**values))
    note_event(conn, row.id, "overdue", "system", now, {"level": level})
    again = due_at(now, 2)
    if row.kind == "complaint":
        row = _open(conn, row.id)
        telling.tell(conn, row, "overdue", "system", now, next=moment_text(again))
    return again if next_level(level) != level else None


def remind_task(conn: Connection, payload: dict, now: datetime) -> datetime | None:
    """A task that a department has not acknowledged within a working day is noted, daily, where supervisors look."""
    row = conn.execute(select(tasks).where(tasks.c.id == payload["task"])).first()
    if row is None or row.acknowledged_at is not None or row.answered_at is not None:
        return None
    if _open(conn, row.ticket_id) is None:
        return None
    note_event(conn, row.ticket_id, "task_unacknowledged", "system", now, {"department": row.department})
    conn.execute(update(tickets).where(tickets.c.id == row.ticket_id).values(next_action_at=now))
    return due_at(now, 1)


HANDLERS = {"ticket_warning": warn, "ticket_overdue": mark_overdue, "ticket_task": remind_task}


def _open(conn: Connection, ticket_id: int):
    """Give the row of a ticket that nobody has answered yet, locked; None otherwise."""
    return conn.execute(
        select(tickets).where(tickets.c.id == ticket_id, tickets.c.state.in_(OPEN)).with_for_update()
    ).first()
