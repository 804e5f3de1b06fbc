"""Erases what was said: the lines stay as places, their words are gone."""

from datetime import datetime

from sqlalchemy import case, delete, null, update
from sqlalchemy.engine import Connection

from bot.conversations.tables import buttons, conversations, images, inbox, lines

GONE = "（已按要求删除）"


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
    conn.execute(delete(images).where(images.c.conversation_id.in_(conversation_ids)))
    conn.execute(delete(buttons).where(buttons.c.conversation_id.in_(conversation_ids)))
    return emptied
