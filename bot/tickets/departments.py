"""What a ticket asks of departments, and what they say: asked by the staff, acknowledged and answered once (R56).

Works inside the caller's transaction; raises NotAllowed, whose text is for the person at the desk.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from bot.hospital.load import load_hospital
from bot.staff.service import Staff
from bot.tickets import cases, model, store
from bot.tickets.model import NotAllowed
from bot.tickets.service import ask_department, note_event
from bot.tickets.tables import tasks, tickets


def ask(conn: Connection, who: Staff, ticket_id: int, department: str, kind: str, text: str, now: datetime) -> int:
    """Ask a department to help or to meet; it stands in the liaison's inbox at once (R56). Raises NotAllowed."""
    cases.require(conn, who, ticket_id)
    if department != "quality" and department not in load_hospital().departments:
        raise NotAllowed("missing", "请选择科室。")
    if kind not in model.TASK_KINDS or not text.strip():
        raise NotAllowed("missing", "请选择任务种类，并写清需要科室做什么。")
    made = ask_department(conn, ticket_id, department, kind, text, who.id, now)
    note_event(conn, ticket_id, "task", cases.actor(who), now, {"department": department, "kind": kind}, text)
    return made


def acknowledge(conn: Connection, who: Staff, task_id: int, now: datetime) -> None:
    """The department has read a task: once, by the first who says so. Raises NotAllowed."""
    row = _task(conn, who, task_id)
    done = conn.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.acknowledged_at.is_(None))
        .values(acknowledged_by=who.id, acknowledged_at=now)
    )
    if done.rowcount:
        note_event(conn, row.ticket_id, "task_acknowledged", cases.actor(who), now, {"department": row.department})


def answer(conn: Connection, who: Staff, task_id: int, text: str, now: datetime) -> None:
    """Keep the department's answer, once; it counts as acknowledged. Raises NotAllowed."""
    row = _task(conn, who, task_id)
    if not text.strip():
        raise NotAllowed("missing", "请填写科室的情况说明。")
    acknowledge(conn, who, task_id, now)
    done = conn.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.answered_at.is_(None))
        .values(answer=text, answered_by=who.id, answered_at=now)
    )
    if not done.rowcount:
        raise NotAllowed("not_now", "这项任务已经有答复。")
    note_event(conn, row.ticket_id, "task_answered", cases.actor(who), now, {"department": row.department}, text)
    conn.execute(update(tickets).where(tickets.c.id == row.ticket_id).values(next_action_at=now))


def _task(conn: Connection, who: Staff, task_id: int):
    row = conn.execute(select(tasks).where(tasks.c.id == task_id)).first()
    if row is None or row.department != store.department_of(who):
        raise NotAllowed("unknown", "没有找到这项任务，列表已为您更新。")
    return row
