"""Search over what was said, and the look behind a mask: by right, with a reason, written into the audit (R5, R8)."""

import json
from datetime import timedelta

from sqlalchemy import and_, exists, or_, select

from bot.clock import now
from bot.conversations.tables import alerts, conversations, inbox, lines, tags
from bot.desk import store, views, words
from bot.desk.door import NOT_YOURS, actor, readable
from bot.language.script import to_simplified, to_traditional
from bot.patients import access
from bot.patients.masking import mask
from bot.patients.tables import patients
from bot.staff.service import Staff
from bot.storage.engine import reading, writing
from bot.tickets import store as ticket_store
from bot.web.errors import Refused

FOUND = 50
REASON = 4  # characters at least
LOOK_BACK = timedelta(days=366)
KINDS = {"id_number": "证件号", "phone": "手机号", "card_number": "卡号", "code": "验证码"}
NEEDS_WORDS = "请输入要查找的内容。"
NEEDS_REASON = "请写明查看原因，至少四个字。"
NOTHING_HIDDEN = "这里没有可以查看的隐藏内容。"


def search(who: Staff, q: str, tag: str) -> dict:
    """Find lines by their words and tickets by number; in either script, newest first, only what he may read.

    A plain LIKE on both databases: Chinese words have two characters, fewer than a trigram. Raises Refused (400).
    """
    if not q and not tag:
        raise Refused(400, "empty", NEEDS_WORDS)
    q = mask(q).text  # whoever searches a number finds it as it is stored
    wanted = (
        select(lines, conversations.c.agent_id, conversations.c.holder)
        .join(conversations, conversations.c.id == lines.c.conversation_id)
        .where(lines.c.at > now() - LOOK_BACK, _may_find(who))
    )
    if q:
        forms = {q, to_simplified(q), to_traditional(q)}
        wanted = wanted.where(or_(*(lines.c.text.like(_pattern(form), escape="\\") for form in forms)))
    if tag:
        wanted = wanted.where(exists().where(tags.c.conversation_id == lines.c.conversation_id, tags.c.tag == tag))
        if not q:
            wanted = wanted.where(lines.c.seq == conversations.c.last_seq)
    with reading() as conn:
        rows = conn.execute(wanted.order_by(lines.c.id.desc()).limit(FOUND)).all()
        hidden = store.names_to_hide(conn, {row.conversation_id for row in rows})
        numbers = ticket_store.listed(conn, who, "all", "", "", q, 0)[:FOUND] if q and who.may("tickets") else []
    with writing() as conn:
        access.record(
            conn, actor(who), "searched", now(), detail={"characters": len(q), "tag": tag, "found": len(rows)}
        )
    return {
        "found": [
            {
                "chat": row.conversation_id,
                "visitor": views.visitor(row.conversation_id),
                "seq": row.seq,
                "at": row.at.isoformat(),
                "who": words.SENDERS.get(row.sender, row.sender),
                "text": views.hide(row.text, hidden[row.conversation_id])[:200],
            }
            for row in rows
        ],
        "tickets": [{"id": row.id, "number": row.number} for row in numbers],
    }


def _pattern(form: str) -> str:
    escaped = form.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _may_find(who: Staff):
    """Give the condition of what he may read, the same as store.may_read."""
    if who.may("see_all"):
        return lines.c.id.is_not(None)
    if not who.may("serve"):
        return store.has_ticket_for(who, lines.c.conversation_id)
    unseen = exists().where(alerts.c.conversation_id == lines.c.conversation_id, alerts.c.seen_by.is_(None))
    mine = and_(conversations.c.holder == "agent", conversations.c.agent_id == who.id)
    return or_(conversations.c.holder == "queue", mine, unseen)


def unmask(who: Staff, chat: str, seq: int | None, patient: int | None, reason: str) -> dict:
    """Give what stands behind the stars of a line, or of a patient of the talk. Raises Refused (400, 403, 404)."""
    require_reason(reason)
    moment = now()
    with writing() as conn:
        row = readable(conn, who, chat)
        if who.may("serve") and not who.may("see_all") and not (row.holder == "agent" and row.agent_id == who.id):
            raise Refused(403, "not_yours", NOT_YOURS)  # who only looks at the queue needs no number (R8)
        if patient is not None:
            if patient not in access.linked(conn, chat, moment).values():
                raise Refused(404, "nothing_hidden", NOTHING_HIDDEN)
            row = conn.execute(select(patients).where(patients.c.id == patient)).one()
            given = (("姓名", row.name), ("手机号", row.phone), ("证件号", row.id_number))
            found = [{"name": name, "value": value} for name, value in given if value]
        else:
            stored = conn.execute(
                select(inbox.c.secrets).where(inbox.c.conversation_id == chat, inbox.c.seq == (seq or 0))
            ).scalar()
            found = [
                {"name": KINDS.get(each["kind"], "号码"), "value": each["value"]} for each in json.loads(stored or "[]")
            ]
        if not found:
            raise Refused(404, "nothing_hidden", NOTHING_HIDDEN)
        detail = {"conversation": chat, "seq": seq, "reason": reason.strip(), "what": [each["name"] for each in found]}
        access.record(conn, actor(who), "unmasked", moment, patient, detail)
    return {"found": found}


def require_reason(reason: str) -> None:
    """Raise Refused (400) unless a reason is given."""
    if len(reason.strip()) < REASON:
        raise Refused(400, "reason", NEEDS_REASON)
