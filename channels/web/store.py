"""What the web channel reads from the database. Every call is one short read."""

import base64
import binascii

from sqlalchemy import bindparam, select

from bot.conversations import transcript
from bot.conversations.tables import conversations, images
from bot.staff.tables import staff
from bot.storage.engine import reading
from channels.web.messages import line_view, staff_id
from channels.web.sessions import CHANNEL

PAGE = 500  # lines in one answer
_OF_VISITOR = select(conversations.c.id).where(
    conversations.c.channel == CHANNEL, conversations.c.visitor == bindparam("visitor")
)
_IMAGE = select(images.c.content).where(
    images.c.token == bindparam("token"), images.c.conversation_id == bindparam("conversation")
)


def conversation_of(visitor: str) -> str | None:
    """Give the id of the visitor's conversation; None when it was never opened or has been erased."""
    with reading() as conn:
        return conn.execute(_OF_VISITOR, {"visitor": visitor}).scalar()


def lines_since(conversation_id: str, seq: int) -> list[dict]:
    """Give at most PAGE lines after `seq`, oldest first, as the widget shows them."""
    with reading() as conn:
        return _views(conn, transcript.since(conn, conversation_id, seq, PAGE))


def latest_lines(conversation_id: str, count: int) -> list[dict]:
    """Give the last `count` lines, oldest first."""
    with reading() as conn:
        return _views(conn, transcript.latest(conn, conversation_id, count))


def lines_before(conversation_id: str, seq: int, count: int) -> list[dict]:
    """Give the `count` lines just before `seq`, oldest first."""
    with reading() as conn:
        return _views(conn, transcript.before(conn, conversation_id, seq, count))


def image_of(conversation_id: str, token: str) -> bytes | None:
    """Give a picture that was shown in this conversation; None when there is none."""
    with reading() as conn:
        content = conn.execute(_IMAGE, {"token": token, "conversation": conversation_id}).scalar()
    if content is None:
        return None
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return None


def _views(conn, rows: list) -> list[dict]:
    wanted = {number for row in rows if (number := staff_id(row)) is not None}
    names = {}
    if wanted:
        names = dict(conn.execute(select(staff.c.id, staff.c.name).where(staff.c.id.in_(wanted))).all())
    return [line_view(row, names) for row in rows]
