"""Danger alerts: one row each, and the conversation jumps the queue for people (R85)."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from bot.conversations import holding
from bot.conversations.holding import URGENT
from bot.conversations.tables import alerts, conversations
from bot.hospital.hours import is_open
from bot.storage import due

SECOND_PERSON = timedelta(seconds=60)


def raise_alert(conn: Connection, conversation_id: str, code: str, definite: bool, now: datetime, seq: int = 0) -> None:
    """Write the alert; a definite sign also puts the talk at the head of the queue while people are on duty."""
    seq = (
        seq or conn.execute(select(conversations.c.last_seq).where(conversations.c.id == conversation_id)).scalar_one()
    )
    alert = conn.execute(
        insert(alerts).values(conversation_id=conversation_id, code=code, definite=definite, seq=seq, at=now)
    ).inserted_primary_key[0]
    if definite:
        due.schedule(conn, "alert_unseen", str(alert), now + SECOND_PERSON, {"alert": alert})
    if definite and is_open("agents", now):
        holding.enqueue(conn, conversation_id, f"危险信号：{code}", now, priority=URGENT)


def unseen(conn: Connection) -> list:
    """Give the alerts that nobody has seen, the oldest first."""
    return conn.execute(select(alerts).where(alerts.c.seen_by.is_(None)).order_by(alerts.c.at)).all()
