"""Erases what was said: the lines stay as places, their words are gone."""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, null, select, update
from sqlalchemy.engine import Connection

from bot.conversations.tables import buttons, conversations, episodes, images, inbox, lines, notes, outbox, tags

GONE = "（已按要求删除）"


def erase_old(conn: Connection, now: datetime, days: int) -> int:
    """Remove the words of conversations that have been silent for `days`; give how many conversations these were."""
    old = list(
        conn.execute(
            select(conversations.c.id).where(
                conversations.c.updated_at < now - timedelta(days=days),
                conversations.c.tracker.is_not(None) | conversations.c.id.in_(select(images.c.conversation_id)),
            )
        ).scalars()
    )
    if old:
        erase(conn, old, now)
        conn.execute(update(conversations).where(conversations.c.id.in_(old)).values(tracker=None))
    return len(old)


def erase(conn: Connection, conversation_ids: list[str], now: datetime) -> int:
    """Remove the words, pictures, originals and open tasks of these conversations; give how many lines were emptied."""
    emptied = conn.execute(
        update(lines).where(lines.c.conversation_id.in_(conversation_ids)).values(text=GONE, data=None, meta=None)
    ).rowcount
    conn.execute(
        update(inbox)
        .where(inbox.c.conversation_id.in_(conversation_ids))
        .values(text=GONE, secrets=None, button=case((inbox.c.state == "waiting", inbox.c.button), else_=null()))
    )
    conn.execute(
        update(conversations).where(conversations.c.id.in_(conversation_ids)).values(tracker=None, updated_at=now)
    )
    conn.execute(delete(notes).where(notes.c.conversation_id.in_(conversation_ids)))
    conn.execute(delete(tags).where(tags.c.conversation_id.in_(conversation_ids)))
    conn.execute(update(episodes).where(episodes.c.conversation_id.in_(conversation_ids)).values(summary=None))
    conn.execute(delete(images).where(images.c.conversation_id.in_(conversation_ids)))
    conn.execute(delete(buttons).where(buttons.c.conversation_id.in_(conversation_ids)))
    conn.execute(delete(outbox).where(outbox.c.conversation_id.in_(conversation_ids)))
    return emptied
