"""Who holds a conversation: the bot, the queue, or a person. The epoch makes the bot fall silent at once."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from bot.conversations import episodes, outbox, telling, transcript
from bot.conversations.tables import alerts, conversations, inbox
from bot.conversations.transcript import Line
from bot.errors import DaoyiError
from bot.hospital.hours import closes_at
from bot.staff import service as staff
from bot.storage import due
from bot.storage.engine import reading, writing

URGENT = 9  # a danger sign
FIRST_NOTICE = timedelta(minutes=3)  # of waiting


class AlreadyTaken(DaoyiError):
    """Somebody else holds this conversation; the text says who by staff id."""

    def __init__(self, agent_id: int | None):
        super().__init__(f"conversation is held by staff {agent_id}")
        self.agent_id = agent_id


class NotHeld(DaoyiError):
    """The staff member does not hold this conversation."""


class NothingLeft(DaoyiError):
    """The channel lets so many messages through no more; `left` are."""

    def __init__(self, left: int):
        super().__init__(f"{left} messages are left")
        self.left = left


def enqueue(
    conn: Connection, conversation_id: str, reason: str, now: datetime, priority: int = 0, skill: str | None = None
) -> int:
    """Put a conversation into the queue for people and give its place, 1 for the next.

    Waiting already keeps the old place; the higher priority stands. `skill` is the group of agents it asks for.
    """
    new = conn.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.holder == "bot")
        .values(holder="queue", queue_reason=reason[:80], queued_at=now, priority=priority, skill=skill)
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
    if new.rowcount:
        episodes.begin(conn, conversation_id, reason, priority, skill, now)
        _watch_the_wait(conn, conversation_id, now)
    return place(conn, conversation_id)


def _watch_the_wait(conn: Connection, conversation_id: str, now: datetime) -> None:
    """Let the sweeper give it to somebody, say how long it takes, and end it when the desk closes (handover.py)."""
    due.schedule(conn, "assign", conversation_id, now, {"conversation": conversation_id})
    due.schedule(conn, "queue_notice", conversation_id, now + FIRST_NOTICE, {"conversation": conversation_id})
    if closing := closes_at("agents", now):
        due.schedule(conn, "desk_closes", conversation_id, closing, {"conversation": conversation_id})


def leave_queue(conn: Connection, conversation_id: str, now: datetime, outcome: str = "left") -> bool:
    """The patient does not want to wait for a person, or the desk has closed; False when he did not wait."""
    left = conn.execute(
        update(conversations)
        .where(
            conversations.c.id == conversation_id,
            conversations.c.holder == "queue",
            conversations.c.priority < URGENT,  # a danger alert is not the patient's to withdraw
        )
        .values(holder="bot", queue_reason=None, queued_at=None, priority=0, skill=None)
    )
    if left.rowcount:
        episodes.end(conn, conversation_id, outcome, now)
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
        return waiting_in(conn)


def waiting_in(conn: Connection) -> list:
    """Give the same inside the caller's transaction."""
    return conn.execute(
        select(conversations)
        .where(conversations.c.holder == "queue")
        .order_by(conversations.c.priority.desc(), conversations.c.queued_at, conversations.c.id)
    ).all()


def held_by(agent_id: int) -> list:
    """Give the conversations that a staff member holds."""
    with reading() as conn:
        return held_in(conn, agent_id)


def held_in(conn: Connection, agent_id: int) -> list:
    """Give the same inside the caller's transaction."""
    return conn.execute(
        select(conversations)
        .where(conversations.c.holder == "agent", conversations.c.agent_id == agent_id)
        .order_by(conversations.c.accepted_at)
    ).all()


def held_now(conn: Connection) -> list:
    """Give the conversations that anybody of the staff holds."""
    return conn.execute(
        select(conversations).where(conversations.c.holder == "agent").order_by(conversations.c.accepted_at)
    ).all()


def take(conversation_id: str, agent_id: int, notice: str, now: datetime, supervisor: bool = False) -> None:
    """Take a conversation by one conditional update: two agents, one wins.

    A supervisor may also take one from the bot or from a colleague. Raises AlreadyTaken with the holder's id.
    """
    with writing() as conn:
        take_in(conn, conversation_id, agent_id, notice, now, supervisor)


def take_in(
    conn: Connection, conversation_id: str, agent_id: int, notice: str, now: datetime, supervisor: bool = False
) -> None:
    """Take a conversation inside the caller's transaction, as `take` does."""
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
    row = conn.execute(select(conversations).where(conversations.c.id == conversation_id)).first()
    if won.rowcount == 0:
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
    episodes.accepted(conn, conversation_id, agent_id, row.queue_reason or "主管接入", now)
    due.schedule(conn, "agent_gone", conversation_id, now + staff.HERE, {"conversation": conversation_id})
    telling.tell(conn, conversation_id, notice, now)


def say(conversation_id: str, agent_id: int, text: str, client_id: str, now: datetime, data: dict | None = None) -> int:
    """Write an agent's line (`data`: its picture) once per client_id and give its seq. Raises NotHeld, NothingLeft."""
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
        allowed = outbox.quota(conn, conversation_id, now)
        if allowed is not None and allowed.left < outbox.cost(text, bool(data)):
            raise NothingLeft(allowed.left)
        episodes.replied(conn, conversation_id, now)
        line = Line("agent", text, data, meta={"staff": agent_id}, client_id=client_id)
        return transcript.append(conn, conversation_id, [line], now)


def give_back(
    conversation_id: str,
    agent_id: int,
    notice: str,
    now: datetime,
    outcome: str = "other",
    summary: str = "",
    ask_rating: bool = False,
) -> None:
    """Return a conversation to the bot: no task is open, what is remembered of the talk stays. Raises NotHeld.

    What the person did stands in the slot `memory` as `person`: outcome, summary, when.
    """
    with writing() as conn:
        row = _require_held(conn, conversation_id, agent_id)
        memory = dict(((row.tracker or {}).get("slots") or {}).get("memory") or {})
        memory["person"] = {"outcome": outcome, "summary": summary, "at": now.isoformat()}
        for name in ("queued", "misses"):
            memory.pop(name, None)
        conn.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(
                holder="bot",
                agent_id=None,
                epoch=conversations.c.epoch + 1,
                step=conversations.c.step + 1,
                queue_reason=None,
                queued_at=None,
                priority=0,
                skill=None,
                accepted_at=None,
                tracker={"slots": {"memory": memory}},
                code_expected=False,
                suspended_by=None,
            )
        )
        episode = episodes.end(conn, conversation_id, outcome, now, summary or None)
        telling.tell(conn, conversation_id, notice, now)
        if ask_rating and episode is not None:
            telling.ask_rating(conn, conversation_id, "episode", episode, agent_id, now)


def hand_on(conversation_id: str, agent_id: int, to: int, notice: str, now: datetime) -> None:
    """Give a conversation to a colleague, who holds it at once; the patient never waits anew. Raises NotHeld."""
    with writing() as conn:
        _require_held(conn, conversation_id, agent_id)
        take_in(conn, conversation_id, to, notice, now, supervisor=True)


def put_back(
    conn: Connection, conversation_id: str, agent_id: int, notice: str, now: datetime, skill: str | None = None
) -> int:
    """Put a conversation back into the queue at its old place and give the place. Raises NotHeld."""
    row = _require_held(conn, conversation_id, agent_id)
    conn.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(
            holder="queue",
            agent_id=None,
            epoch=conversations.c.epoch + 1,
            accepted_at=None,
            queued_at=row.queued_at or row.accepted_at,
            queue_reason=row.queue_reason or "等待继续接待",
            skill=skill or row.skill,
        )
    )
    _watch_the_wait(conn, conversation_id, now)
    there = place(conn, conversation_id)
    telling.tell(conn, conversation_id, notice.format(place=there), now)
    return there


def _require_held(conn: Connection, conversation_id: str, agent_id: int):
    row = conn.execute(select(conversations).where(conversations.c.id == conversation_id).with_for_update()).first()
    if row is None or row.holder != "agent" or row.agent_id != agent_id:
        raise NotHeld(conversation_id)
    return row
