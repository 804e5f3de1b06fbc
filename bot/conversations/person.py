"""One verified person on several channels: his talks side by side, and one agent for all of them."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from bot.conversations import holding
from bot.conversations.tables import alerts, conversations, lines
from bot.patients import access, binding
from bot.staff import service as staff
from bot.storage.engine import reading, writing

RECENT = timedelta(days=7)
REASON = "同一位患者正在人工服务中"
FOLLOWED = "您好，人工客服{name}（工号{number}）正在为您服务，您在这里说也可以，由同一位同事答复您。"


def talks_of(conn: Connection, conversation_id: str, now: datetime) -> list:
    """Give the rows of his talks that are open or recent, with `wrote_at`: the one he wrote in last comes first.

    Only what he himself was verified in counts (binding.same_person); alone, the conversation is the only one.
    """
    ids = binding.same_person(conn, conversation_id, now)
    wrote = (
        select(func.max(lines.c.at))
        .where(lines.c.conversation_id == conversations.c.id, lines.c.sender == "patient")
        .scalar_subquery()
    )
    found = select(conversations, wrote.label("wrote_at")).where(conversations.c.id.in_(ids))
    live = (conversations.c.holder != "bot") | (conversations.c.updated_at > now - RECENT)
    rows = conn.execute(found.where(live | (conversations.c.id == conversation_id))).all()
    return sorted(rows, key=lambda row: (row.wrote_at or row.created_at, row.id), reverse=True)


def follow(conversation_id: str, now: datetime) -> bool:
    """Let the agent who serves this person on another channel serve him here, too; False when nobody does.

    A danger sign that nobody has seen stays with everybody: to be followed is not to be looked at (R85).
    """
    with reading() as conn:
        agent = _served_by(conn, conversation_id, now)
    if agent is None:
        return False
    with writing() as conn:
        try:
            holding.enqueue(conn, conversation_id, REASON, now)
            notice = FOLLOWED.format(name=agent.name, number=agent.number)
            holding.take_in(conn, conversation_id, agent.id, notice, now)
            detail = {"conversation": conversation_id, "same_person": True}
            access.record(conn, f"staff:{agent.number}", "assigned", now, detail=detail)
        except holding.AlreadyTaken:
            pass  # a colleague was quicker: the bot is silent all the same
    return True


def _served_by(conn: Connection, conversation_id: str, now: datetime):
    others = binding.same_person(conn, conversation_id, now)[1:]
    if not others:
        return None
    unseen = select(alerts.c.id).where(alerts.c.conversation_id == conversation_id, alerts.c.seen_by.is_(None))
    if conn.execute(unseen.limit(1)).first() is not None:
        return None
    held = select(conversations.c.agent_id).where(conversations.c.id.in_(others), conversations.c.holder == "agent")
    agents = set(conn.execute(held).scalars())
    return next((row for row in staff.here(conn, now) if row.id in agents), None)
