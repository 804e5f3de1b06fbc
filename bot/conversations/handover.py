"""What the clock does for who waits: gives talks to agents, says how long it takes, notices who is gone (R29, R30, R85).

Each function is the handler of one kind of `due` row and gives when to come again, or None.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from bot.clock import local
from bot.conversations import episodes, holding, telling
from bot.conversations.tables import alerts, conversations
from bot.hospital.hours import is_open, next_opening
from bot.hospital.load import load_hospital
from bot.patients.access import record
from bot.staff import service as staff

LOOK_AGAIN = timedelta(seconds=10)
NOTICES = (timedelta(minutes=5), timedelta(minutes=10))  # after the first and the second notice
TAKEN = "您好，让您久等了。人工客服{name}（工号{number}）为您服务。"
GONE = "刚才接待您的同事暂时离开，正在为您转接其他人工客服。您现在排在第{place}位，感谢您的耐心等待。"
STILL = (
    "感谢您的耐心等待。您现在排在第{place}位，大约还需要{minutes}分钟。着急的话，可以拨打{phone}。",
    "让您久等了，您现在排在第{place}位，大约还需要{minutes}分钟。您也可以发送“留言”，我们会主动联系您，或者拨打{phone}。",
    "很抱歉让您久等了，现在咨询的人比较多，您排在第{place}位。请您拨打{phone}，或发送“留言”，我们会主动联系您。",
)
CLOSED = "今天的人工服务时间已结束，{opens}恢复。请您发送“留言”，上班后我们会主动联系您；紧急情况请拨打120，夜间可拨打总值班{duty}。"


def assign(conn: Connection, payload: dict, now: datetime) -> datetime | None:
    """Give a waiting talk to who is ready for it; again in 10 s while nobody is."""
    row = _waiting(conn, payload["conversation"])
    if row is None:
        return None
    agent = ready(conn, row.skill, now)
    if agent is None:
        return now + LOOK_AGAIN
    holding.take_in(conn, row.id, agent.id, TAKEN.format(name=agent.name, number=agent.number), now)
    record(conn, f"staff:{agent.number}", "assigned", now, detail={"conversation": row.id})
    return None


def ready(conn: Connection, skill: str | None, now: datetime):
    """Give whose desk is open, who is given talks, has the skill and a free place: the fewest talks first. None: nobody.

    Nobody of the group here: anybody ready may come, a person of another group is better than none.
    """
    held = dict(
        conn.execute(
            select(conversations.c.agent_id, func.count())
            .where(conversations.c.holder == "agent")
            .group_by(conversations.c.agent_id)
        ).all()
    )
    free = [row for row in staff.here(conn, now) if row.duty == "auto" and held.get(row.id, 0) < row.capacity]
    able = [row for row in free if not skill or not row.skills or skill in row.skills]
    return min(able or free, key=lambda row: (held.get(row.id, 0), row.id), default=None)


def tell_wait(conn: Connection, payload: dict, now: datetime) -> datetime | None:
    """Tell who waits his place, the expected wait and a telephone, after 3, 8 and 18 minutes (R30)."""
    row = _waiting(conn, payload["conversation"])
    if row is None:
        return None
    waited = now - row.queued_at
    told = max(1, sum(waited >= holding.FIRST_NOTICE + sum(NOTICES[:n], timedelta()) for n in range(len(STILL))))
    place = holding.place(conn, row.id)
    minutes = episodes.expected_minutes(conn, place, staff.on_duty(conn, now))
    text = STILL[told - 1].format(place=place, minutes=minutes, phone=load_hospital().info.phones["desk"])
    telling.tell(conn, row.id, text, now)
    return now + NOTICES[told - 1] if told <= len(NOTICES) else None


def close_desk(conn: Connection, payload: dict, now: datetime) -> datetime | None:
    """When the desk closes nobody waits in vain: back to the bot, with the way to leave a message. Dangers stay."""
    row = _waiting(conn, payload["conversation"])
    if row is None or is_open("agents", now):
        return None
    if not holding.leave_queue(conn, row.id, now, "hours"):
        return None
    opens = local(next_opening("agents", now))
    text = CLOSED.format(opens=f"{opens.month}月{opens.day}日{opens:%H:%M}", duty=load_hospital().info.phones["duty"])
    telling.tell(conn, row.id, text, now)
    return None


def look_for_agent(conn: Connection, payload: dict, now: datetime) -> datetime | None:
    """Put the talk of an agent whose desk has gone silent back into the queue at its old place; again in 30 s."""
    row = conn.execute(
        select(conversations).where(conversations.c.id == payload["conversation"], conversations.c.holder == "agent")
    ).first()
    if row is None:
        return None
    if staff.is_here(conn, row.agent_id, now):
        return now + timedelta(seconds=30)
    leave(conn, row.id, row.agent_id, now)
    return None


def leave(conn: Connection, conversation_id: str, agent_id: int, now: datetime) -> None:
    """Put one talk of who is gone back into the queue and keep that in the audit."""
    holding.put_back(conn, conversation_id, agent_id, GONE, now)
    record(conn, "system", "agent_gone", now, detail={"conversation": conversation_id, "staff": agent_id})


def call_second(conn: Connection, payload: dict, now: datetime) -> datetime | None:
    """Nobody has looked at a danger sign for a minute: a second person is called by name; again until one is here (R85)."""
    row = conn.execute(select(alerts).where(alerts.c.id == payload["alert"], alerts.c.seen_by.is_(None))).first()
    if row is None or now - row.at > timedelta(days=1):
        return None
    talk = conn.execute(select(conversations).where(conversations.c.id == row.conversation_id)).one()
    people = [each for each in staff.here(conn, now) if each.id not in (talk.agent_id, row.second_id)]
    people.sort(key=lambda each: (each.role != "supervisor", each.duty == "break", each.number))
    second = people[0].id if people else None
    conn.execute(
        update(alerts)
        .where(alerts.c.id == row.id)
        .values(escalated_at=row.escalated_at or now, second_id=second or row.second_id)
    )
    record(conn, "system", "alert_escalated", now, detail={"alert": row.id, "second": second})
    return now + timedelta(seconds=60)


HANDLERS = {
    "assign": assign,
    "queue_notice": tell_wait,
    "desk_closes": close_desk,
    "agent_gone": look_for_agent,
    "alert_unseen": call_second,
}


def _waiting(conn: Connection, conversation_id: str):
    return conn.execute(
        select(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.holder == "queue")
        .with_for_update()
    ).first()
