"""Who holds a conversation: the bot, the queue, or a person. The epoch makes the bot fall silent at once."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from bot.conversations import transcript
from bot.conversations.tables import alerts, conversations, inbox
from bot.conversations.transcript import Line
from bot.errors import DaoyiError
from bot.storage.engine import reading, writing


class AlreadyTaken(DaoyiError):
    """Somebody else holds this conversation; the text says who by staff id."""

    def __init__(self, agent_id: int | None):
        super().__init__(f"conversation is held by staff {agent_id}")
        self.agent_id = agent_id


class NotHeld(DaoyiError):
    """The staff member does not hold this conversation."""


def enqueue(conn: Connection, conversation_id: str, reason: str, now: datetime, priority: int = 0) -> int:
    """Put a conversation into the queue for people and give its place, 1 for the next.

    Waiting already keeps the old place; the higher priority stands.
    """
    conn.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.holder == "bot")
        .values(holder="queue", queue_reason=reason[:80], queued_at=now, priority=priority)
    )
    conn.execute(
        update(conversations)
        .where(
            conversations.c.id == conversation_id,
            conversations.c.holder == "queue",
            conversations.c.priority < priority,
        )
        .values(priority=priority, queue_reason=reason[:80])
    )
    return place(conn, conversation_id)


def leave_queue(conn: Connection, conversation_id: str) -> bool:
    """The patient does not want to wait for a person; False when he did not wait."""
    left = conn.execute(
        update(conversations)
        .where(
            conversations.c.id == conversation_id,
            conversations.c.holder == "queue",
            conversations.c.priority < 9,  # a danger alert is not the patient's to withdraw
        )
        .values(holder="bot", queue_reason=None, queued_at=None, priority=0)
    )
    return bool(left.rowcount)


def place(conn: Connection, conversation_id: str) -> int:
    """Give the place in the queue, 1 for the next; 0 when the conversation does not wait."""
    row = conn.execute(select(conversations).where(conversations.c.id == conversation_id)).one()
    if row.holder != "queue":
        return 0
    ahead = conn.execute(
        select(func.count())
        .select_from(conversations)
        .where(
            conversations.c.holder == "queue",
            (conversations.c.priority > row.priority)
            | ((conversations.c.priority == row.priority) & (conversations.c.queued_at < row.queued_at))
            | (
                (conversations.c.priority == row.priority)
                & (conversations.c.queued_at == row.queued_at)
                & (conversations.c.id < row.id)
            ),
        )
    ).scalar_one()
    return ahead + 1


def waiting() -> list:
    """Give the conversations that wait for a person, the most urgent and oldest first."""
    with reading() as conn:
        return conn.execute(
            select(conversations)
            .where(conversations.c.holder == "queue")
            .order_by(conversations.c.priority.desc(), conversations.c.queued_at, conversations.c.id)
        ).all()


def held_by(agent_id: int) -> list:
    """Give the conversations that a staff member holds."""
    with reading() as conn:
        return conn.execute(
            select(conversations)
            .where(conversations.c.holder == "agent", conversations.c.agent_id == agent_id)
            .order_by(conversations.c.accepted_at)
        ).all()


def take(conversation_id: str, agent_id: int, notice: str, now: datetime, supervisor: bool = False) -> None:
    """Take a conversation by one conditional update: two agents, one wins.

    A supervisor may also take one from the bot or from a colleague. Raises AlreadyTaken with the holder's id.
    """
    with writing() as conn:
        allowed = conversations.c.holder == "queue"
        if supervisor:
            allowed = (conversations.c.holder != "agent") | (conversations.c.agent_id != agent_id)
        won = conn.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id, allowed)
            .values(
                holder="agent",
                agent_id=agent_id,
                epoch=conversations.c.epoch + 1,
                step=conversations.c.step + 1,
                accepted_at=now,
                waiting_since=None,
                lease_owner=None,
                lease_until=None,
            )
        )
        if won.rowcount == 0:
            row = conn.execute(select(conversations).where(conversations.c.id == conversation_id)).first()
            raise AlreadyTaken(row.agent_id if row else None)
        conn.execute(
            update(inbox)
            .where(inbox.c.conversation_id == conversation_id, inbox.c.state == "waiting")
            .values(state="person")
        )
        conn.execute(
            update(alerts)
            .where(alerts.c.conversation_id == conversation_id, alerts.c.seen_by.is_(None))
            .values(seen_by=agent_id, seen_at=now)
        )
        transcript.append(conn, conversation_id, [Line("system", notice)], now)


def say(conversation_id: str, agent_id: int, text: str, client_id: str, now: datetime) -> int:
    """Write an agent's line once per client_id and give its seq. Raises NotHeld when the talk is not his."""
    with writing() as conn:
        _require_held(conn, conversation_id, agent_id)
        earlier = conn.execute(
            select(transcript.lines.c.seq).where(
                transcript.lines.c.conversation_id == conversation_id,
                transcript.lines.c.sender == "agent",
                transcript.lines.c.client_id == client_id,
            )
        ).scalar()
        if earlier is not None:
            return earlier
        return transcript.append(
            conn, conversation_id, [Line("agent", text, meta={"staff": agent_id}, client_id=client_id)], now
        )


def give_back(conversation_id: str, agent_id: int, notice: str, now: datetime) -> None:
    """Return a conversation to the bot: no task is open, what is remembered of the talk stays. Raises NotHeld."""
    with writing() as conn:
        row = _require_held(conn, conversation_id, agent_id)
        slots = (row.tracker or {}).get("slots") or {}
        conn.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(
                holder="bot",
                agent_id=None,
                epoch=conversations.c.epoch + 1,
                queue_reason=None,
                queued_at=None,
                priority=0,
                accepted_at=None,
                tracker={"slots": {"memory": slots.get("memory")}},
                code_expected=False,
                suspended_by=None,
            )
        )
        transcript.append(conn, conversation_id, [Line("system", notice)], now)


def _require_held(conn: Connection, conversation_id: str, agent_id: int):
    row = conn.execute(select(conversations).where(conversations.c.id == conversation_id).with_for_update()).first()
    if row is None or row.holder != "agent" or row.agent_id != agent_id:
        raise NotHeld(conversation_id)
    return row
