"""Pictures in a talk: shown by an agent, looked at by who may read the talk."""

import base64
import secrets

from sqlalchemy import insert, select

from bot.clock import now
from bot.conversations import pictures
from bot.conversations.tables import images
from bot.desk import store
from bot.desk.door import audit, readable
from bot.desk.reading import UNKNOWN_CHAT
from bot.desk.serving import written
from bot.staff.service import Staff
from bot.storage.engine import reading, writing
from bot.web.errors import Refused

SAID = "请您看一下这张图片。"


def show(who: Staff, chat: str, content: bytes, alt: str, client_id: str) -> dict:
    """Send a picture (PNG, JPEG) once per client_id and give {"seq"}. Raises Refused (404, 409)."""
    with reading() as conn:
        if store.conversation(conn, chat) is None:
            raise Refused(404, "unknown_chat", UNKNOWN_CHAT)
        if (earlier := store.own_line(conn, chat, who, client_id)) is not None:
            return {"seq": earlier}
    token = secrets.token_urlsafe(24)
    with writing() as conn:
        conn.execute(
            insert(images).values(
                token=token, conversation_id=chat, content=base64.b64encode(content).decode(), at=now()
            )
        )
    data = {"image": {"token": token, "alt": alt or "工作人员发来的图片"}}
    return {"seq": written(who, chat, SAID, client_id, data)}


def shown(who: Staff, chat: str, token: str) -> tuple[str, bytes]:
    """Give a picture of a talk as (content type, bytes); the look is audited. Raises Refused (403, 404)."""
    with reading() as conn:
        readable(conn, who, chat)
        content = conn.execute(
            select(images.c.content).where(images.c.token == token, images.c.conversation_id == chat)
        ).scalar()
    if content is None:
        raise Refused(404)
    audit(who, "picture_read", {"conversation": chat})
    raw = base64.b64decode(content)
    return pictures.kind_of(raw), raw
