"""What each callback does, as synchronous deeds for the thread pool. Every deed may be done twice and counts once."""

import base64
import secrets
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from bot.conversations import erasure, inbound, outbox, transcript
from bot.conversations.inbound import Empty, TooLong
from bot.conversations.tables import conversations, images, lines
from bot.conversations.transcript import Line
from bot.hospital.load import load_hospital
from bot.patients.erasure import withdraw_consent
from bot.safety.signs import Finding, scan
from bot.storage.engine import reading, writing
from bot.storage.types import fingerprint, signing_key
from channels.wechat import persons, replies, words
from channels.wechat.account import CHANNEL, EVENT, MESSAGE, Account
from channels.wechat.messages import Incoming
from channels.wechat.tables import notices

LOOKED_AT = 10  # last lines among which a choice is looked for
EVENTS = ("event:subscribe", "event:unsubscribe", "event:scan", "event:click")
LATE = "picture"  # what is left of a callback whose picture could not be fetched at once
REPORTS = ("event:templatesendjobfinish", "event:subscribe_msg_sent_event")


def warm_up() -> None:
    """Read the hospital's files and the danger signs before the first callback."""
    load_hospital()
    scan("您好")
    signing_key()
    words.greeting()


def matters(message: Incoming) -> bool:
    """Tell whether a callback has to be kept; the rest (LOCATION every five seconds, VIEW, what nobody knows) is not."""
    return message.kind == "text" or message.kind in (*words.SENT, *EVENTS, *REPORTS)


def found_danger(message: Incoming) -> Finding | None:
    """Give the danger sign in what the patient wrote."""
    try:
        return scan(inbound.clean(message.text)) if message.text else None
    except (Empty, TooLong):
        return None


def conversation_of(openid: str) -> str | None:
    """Give the conversation of an OpenID, None before its first message."""
    with reading() as conn:
        return conn.execute(
            select(conversations.c.id).where(
                conversations.c.channel == CHANNEL, conversations.c.visitor == fingerprint(openid)
            )
        ).scalar()


def work(
    account: Account,
    message: Incoming,
    received_at: datetime,
    answered: bool,
    now: datetime,
    picture: bytes | None = None,
    missing: bool = False,
) -> str | None:
    """Do what a callback asks for and give its conversation, None where there is none.

    `answered`: its fixed text (danger, greeting) has left as the answer to the callback. `missing`: its picture comes later.
    """
    if message.kind in REPORTS:
        _note_result(message, now)
        return None
    if message.kind == "event:unsubscribe":
        _forget(message.openid, now)
        return None
    conversation_id = inbound.open_conversation(CHANNEL, fingerprint(message.openid), received_at)
    tapped = bool(message.fields.get("bizmsgmenuid"))
    writes = not message.kind.startswith("event") and not tapped  # a tapped menu entry counts as a tap
    with writing() as conn:
        outbox.meet(conn, conversation_id, message.openid)
        outbox.heard(conn, conversation_id, MESSAGE if writes else EVENT, writes, received_at)
    if message.kind == "text":
        _text(conversation_id, message, received_at)
    elif message.kind in words.SENT:
        _kept(conversation_id, message, received_at, picture, missing)
    elif message.kind == "event:click" and message.fields.get("EventKey", "").startswith("do:"):
        with writing() as conn:
            persons.do(conn, conversation_id, message.fields["EventKey"][3:], message.key, received_at)
    else:
        if message.kind == "event:subscribe":
            _greet(conversation_id, message.key, received_at)
        if sentence := _said_by(account, message):
            inbound.accept_text(conversation_id, message.key, sentence, received_at)
    if answered:
        with writing() as conn:
            outbox.answered(conn, conversation_id, now)
    return conversation_id


def _text(conversation_id: str, message: Incoming, now: datetime) -> None:
    try:
        token = None if found_danger(message) else _choice(conversation_id, message)
        if token is None:
            inbound.accept_text(conversation_id, message.key, message.text, now)
            return
        with writing() as conn:
            if persons.unbound(conn, conversation_id, token, message.key, now):
                return
        inbound.accept_button(conversation_id, message.key, token, now)
    except (Empty, TooLong) as error:
        with writing() as conn:
            if persons.once(conn, conversation_id, message.key):
                said = words.EMPTY if isinstance(error, Empty) else words.TOO_LONG
                transcript.append(conn, conversation_id, [Line("system", said, client_id=message.key)], now)


def _choice(conversation_id: str, message: Incoming) -> str | None:
    menu_id = message.fields.get("bizmsgmenuid", "")
    with reading() as conn:
        recent = transcript.latest(conn, conversation_id, LOOKED_AT)
        if menu_id.isdigit() and len(menu_id) < 12:
            shown = select(lines).where(lines.c.conversation_id == conversation_id, lines.c.seq == int(menu_id) // 100)
            return replies.chosen(message.text, menu_id, conn.execute(shown).all())
    newest = []
    for row in reversed(recent):  # what was said since the patient last wrote
        if row.sender == "patient":
            break
        newest.append(row)
    return replies.chosen(message.text, "", newest[::-1])


def _kept(conversation_id: str, message: Incoming, now: datetime, picture: bytes | None, missing: bool) -> None:
    """Keep a picture or a voice message for the agent; nobody but the bot is asked to read it, so it asks for words."""
    fields = message.fields
    said, asks = words.SENT[message.kind], message.kind
    if message.kind == "location":
        said = f"（位置：{inbound.clean(fields.get('Label', '') or '地图上的一点')[:60]}）"
    elif message.kind == "link":
        said = f"（链接：{inbound.clean(fields.get('Title', '') or '网页')[:60]}）"
    elif message.kind == "image" and picture is None:
        said, asks = said if missing else words.UNSEEN, "unseen"
    media = {name: fields[name] for name in ("MediaId", "MediaId16K", "PicUrl", "Format") if fields.get(name)}
    meta = {"wechat": {"type": message.kind, **media}}
    with writing() as conn:
        if not persons.once(conn, conversation_id, message.key):
            if picture:  # worked on before, by a process that died or is slow
                _put_under(conn, conversation_id, message.key, picture, now)
            return
        data = _stored(conn, conversation_id, picture, now) if picture else None
        new = [Line("patient", said, data, meta, message.key)]
        row = conn.execute(select(conversations.c.holder).where(conversations.c.id == conversation_id)).one()
        if row.holder != "agent":
            new.append(Line("system", words.asked(asks)))
        transcript.append(conn, conversation_id, new, now)


def _stored(conn: Connection, conversation_id: str, picture: bytes, now: datetime) -> dict:
    """Put a picture among those of a talk, encrypted as all of them, and give what its line shows."""
    token = secrets.token_urlsafe(24)
    kept = {"token": token, "conversation_id": conversation_id, "content": base64.b64encode(picture).decode()}
    conn.execute(insert(images).values(**kept, at=now))
    return {"image": {"token": token, "alt": "患者发来的图片"}}


def late(message: Incoming, conversation_id: str) -> Incoming:
    """Give what is left of a callback whose words are written and whose picture is not: nothing of the patient's own."""
    fields = {"MediaId": message.fields.get("MediaId", ""), "conversation": conversation_id}
    return Incoming(message.account, "", message.created, LATE, message.key, fields)


def late_picture(message: Incoming, picture: bytes | None, now: datetime) -> None:
    """Put a picture under its line, or say there that it cannot be had; nothing where it was erased meanwhile."""
    with writing() as conn:
        _put_under(conn, message.fields["conversation"], message.key, picture, now)


def _put_under(conn: Connection, conversation_id: str, key: str, picture: bytes | None, now: datetime) -> None:
    this = (lines.c.conversation_id == conversation_id, lines.c.client_id == key)
    row = conn.execute(select(lines).where(*this).with_for_update()).first()
    if row is None or row.data or row.text == erasure.GONE:
        return
    new = {"data": _stored(conn, conversation_id, picture, now)} if picture else {"text": words.UNSEEN}
    conn.execute(update(lines).where(*this).values(**new))


def _greet(conversation_id: str, key: str, now: datetime) -> None:
    with writing() as conn:
        if persons.once(conn, conversation_id, f"{key[:60]}:hi"):
            hello = Line("system", words.greeting(), meta={"passive": True}, client_id=f"{key[:60]}:hi")
            transcript.append(conn, conversation_id, [hello], now)


def _said_by(account: Account, message: Incoming) -> str | None:
    """Give the sentence that a menu key or a QR code's scene stands for."""
    key = message.fields.get("EventKey", "")
    for prefix in ("say:", "qrscene_"):
        key = key.removeprefix(prefix)
    return account.menu.sentence(key)


def _forget(openid: str, now: datetime) -> None:
    """取消关注: WeChat asks for the erasure of what belongs to this user. Tickets keep their own record by law."""
    conversation_id = conversation_of(openid)
    if conversation_id is None:
        return
    with writing() as conn:
        transcript.append(conn, conversation_id, [Line("system", words.GONE)], now)
        erasure.erase(conn, [conversation_id], now)
        withdraw_consent(conn, conversation_id, now)
        outbox.forget(conn, [conversation_id])
        conn.execute(
            update(conversations)
            .where(conversations.c.id == conversation_id)
            .values(visitor=f"gone-{secrets.token_hex(16)}", waiting_since=None)
        )


def _note_result(message: Incoming, now: datetime) -> None:
    """Note what became of a template or subscription message."""
    fields = {name.rpartition(".")[2]: value for name, value in message.fields.items()}
    result = fields.get("Status") or fields.get("ErrorStatus") or "unknown"
    with writing() as conn:
        conn.execute(
            update(notices).where(notices.c.message_id == fields.get("MsgID", "")).values(result=result[:40], at=now)
        )
