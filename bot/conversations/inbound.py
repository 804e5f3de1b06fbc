"""The door for what patients write: mask, store, look for danger; one short transaction, then acknowledge."""

import json
import secrets as random
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.conversations import telling, transcript
from bot.conversations.danger import raise_alert
from bot.conversations.notices import lasts
from bot.conversations.tables import buttons, conversations, inbox
from bot.conversations.transcript import Line
from bot.errors import DaoyiError
from bot.hospital.load import load_hospital
from bot.language.script import is_traditional, to_traditional
from bot.patients.masking import mask
from bot.safety.signs import notice, scan
from bot.storage.engine import writing
from bot.storage.types import UtcDateTime

MAX_CHARACTERS = 4000
SHORT = 6  # characters up to which a message may be the first piece of a thought (你好 / 挂号 / 心内科 / 明天)
ENDS = tuple("。？！?!吗呢吧")

# Statements are built once: building one costs more than running it.
_THIS = conversations.c.id == bindparam("conversation")
_OF_VISITOR = select(conversations.c.id).where(
    conversations.c.channel == bindparam("of_channel"), conversations.c.visitor == bindparam("of_visitor")
)
_OPEN = insert(conversations)
_LOCK = select(conversations).where(_THIS).with_for_update()
_KNOWN = select(inbox.c.seq).where(
    inbox.c.conversation_id == bindparam("conversation"), inbox.c.client_id == bindparam("client")
)
_STORE = insert(inbox)
_BUTTON = select(buttons).where(
    buttons.c.token == bindparam("tapped"), buttons.c.conversation_id == bindparam("conversation")
)
_USE_STEP = (
    update(buttons)
    .where(buttons.c.conversation_id == bindparam("conversation"), buttons.c.step == bindparam("shown_at"))
    .values(used_at=bindparam("now"))
)
_WAIT = (
    update(conversations)
    .where(_THIS)
    .values(
        newest_at=bindparam("newest"),
        waiting_since=func.coalesce(conversations.c.waiting_since, bindparam("now", type_=UtcDateTime)),
    )
)
_STOP_WAITING = (
    update(inbox)
    .where(inbox.c.conversation_id == bindparam("conversation"), inbox.c.state == "waiting")
    .values(state="done")
)
_SUSPEND = (
    update(conversations)
    .where(_THIS)
    .values(
        epoch=conversations.c.epoch + 1,
        waiting_since=None,
        suspended_by=bindparam("danger"),
        step=conversations.c.step + 1,
    )
)


class TooLong(DaoyiError):
    """A message is longer than a conversation can take."""


class Empty(DaoyiError):
    """A message holds nothing that can be read."""


class UnknownConversation(DaoyiError):
    """No conversation has this id."""


@dataclass(frozen=True)
class Accepted:
    """What the channel tells its client: the line's place, and whether it had been accepted before."""

    seq: int
    duplicate: bool
    danger: str | None


def open_conversation(channel: str, visitor: str, now: datetime) -> str:
    """Give the id of the visitor's conversation, made at first contact."""
    with writing() as conn:
        whose = {"of_channel": channel, "of_visitor": visitor}
        found = conn.execute(_OF_VISITOR, whose).scalar()
        if found:
            return found
        new = random.token_hex(16)
        try:
            with conn.begin_nested():
                conn.execute(
                    _OPEN, {"id": new, "channel": channel, "visitor": visitor, "created_at": now, "updated_at": now}
                )
        except IntegrityError:
            return conn.execute(_OF_VISITOR, whose).scalar_one()
        return new


def clean(text: str) -> str:
    """Drop what cannot be printed (NUL, other controls, lone surrogates); every printable character stays."""
    kept = "".join(
        c for c in text if c in "\n\t" or not (ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000)
    )
    if not kept.strip():
        raise Empty("the message is empty")
    if len(kept) > MAX_CHARACTERS:
        raise TooLong(f"a message may have {MAX_CHARACTERS} characters")
    return kept


def accept_text(conversation_id: str, client_id: str, text: str, now: datetime) -> Accepted:
    """Store what a patient wrote and answer danger signs at once.

    A repeated `client_id` is acknowledged and stored once. Raises TooLong, Empty, UnknownConversation.
    """
    text = clean(text)
    finding = scan(text)
    with writing() as conn:
        conversation = locked(conn, conversation_id)
        earlier = known(conn, conversation_id, client_id)
        if earlier is not None:
            return Accepted(earlier, True, None)
        masked = mask(text, code_expected=conversation.code_expected)
        danger = finding.code if finding else None
        meta = {"danger": danger, "definite": finding.definite} if finding else None
        new = [Line("patient", masked.text, meta=meta, client_id=client_id)]
        state = "person" if conversation.holder == "agent" else "waiting"
        if finding:
            info = load_hospital().info
            warning = notice(finding, info.name, info.phones["emergency"])
            said, offers = warning.text, list(warning.buttons)
            memory = ((conversation.tracker or {}).get("slots") or {}).get("memory") or {}
            if is_traditional(text) or memory.get("script") == "hant":
                said = to_traditional(said, (info.name,))
                offers = [{**b, "title": to_traditional(b["title"])} for b in offers]
            new.append(Line("system", said, {"buttons": offers}, meta))
            if finding.definite and state == "waiting":
                state = "done"  # Rasa does not act on this text
        last = transcript.append(conn, conversation_id, new, now)
        seq = last - len(new) + 1
        conn.execute(
            _STORE,
            {
                "conversation_id": conversation_id,
                "client_id": client_id,
                "seq": seq,
                "kind": "text",
                "text": masked.text,
                "secrets": _originals(masked),
                "received_at": now,
                "state": state,
            },
        )
        if finding:
            raise_alert(conn, conversation_id, danger, finding.definite, now, seq)
            if finding.definite:
                _suspend(conn, conversation_id, danger)
        if state == "waiting":
            _mark_waiting(conn, conversation_id, now, now if goes_on(text) else None)
        return Accepted(seq, False, danger)


def accept_button(conversation_id: str, client_id: str, token: str, now: datetime) -> Accepted:
    """Store a tap. A token of another step, or one used before, becomes a `stale` row that shows the present choices.

    The choices of a notice (bot/conversations/notices.py) belong to no step: they work until one of them is used.
    """
    with writing() as conn:
        conversation = locked(conn, conversation_id)
        earlier = known(conn, conversation_id, client_id)
        if earlier is not None:
            return Accepted(earlier, True, None)
        row = conn.execute(_BUTTON, {"tapped": token, "conversation": conversation_id}).first()
        if row and "rating" in row.payload:
            return _rated(conn, conversation_id, client_id, row, now)
        fresh = bool(row) and row.used_at is None and (row.step == conversation.step or lasts(row.step))
        if fresh and not (conversation.holder == "agent" and lasts(row.step)):  # what a person holds up stays open
            conn.execute(_USE_STEP, {"conversation": conversation_id, "shown_at": row.step, "now": now})
        title = row.title if row else "（旧的选项）"
        state = "person" if conversation.holder == "agent" else "waiting"
        seq = transcript.append(conn, conversation_id, [Line("patient", title, client_id=client_id)], now)
        conn.execute(
            _STORE,
            {
                "conversation_id": conversation_id,
                "client_id": client_id,
                "seq": seq,
                "kind": "button" if fresh else "stale",
                "text": title,
                "button": {**row.payload, "step": row.step} if fresh else None,
                "received_at": now,
                "state": state,
            },
        )
        if state == "waiting":
            _mark_waiting(conn, conversation_id, now, None)
        return Accepted(seq, False, None)


def _rated(conn, conversation_id: str, client_id: str, row, now: datetime) -> Accepted:
    """Keep how satisfied the patient is: at the edge, whoever holds the talk and whatever was said since. No turn."""
    seq = transcript.append(conn, conversation_id, [Line("patient", row.title, client_id=client_id)], now)
    conn.execute(
        insert(inbox).values(
            conversation_id=conversation_id, client_id=client_id, seq=seq, kind="button", text=row.title,
            received_at=now, state="done",
        )
    )  # fmt: skip
    conn.execute(
        update(buttons)
        .where(buttons.c.conversation_id == conversation_id, buttons.c.step == row.step)
        .values(used_at=now)
    )
    telling.rate(conn, conversation_id, row.payload["rating"], row.payload["score"], now)
    return Accepted(seq, False, None)


def _originals(masked) -> str | None:
    found = [{"kind": s.kind, "masked": s.masked, "value": s.value} for s in masked.secrets]
    return json.dumps(found) if found else None


def locked(conn, conversation_id: str):
    """Lock the conversation's row first (PostgreSQL) so that lines, epoch and holder are seen as one."""
    row = conn.execute(_LOCK, {"conversation": conversation_id}).first()
    if row is None:
        raise UnknownConversation(conversation_id)
    return row


def known(conn, conversation_id: str, client_id: str) -> int | None:
    """Give the seq of what has been stored under `client_id`, None when nothing has."""
    return conn.execute(_KNOWN, {"conversation": conversation_id, "client": client_id}).scalar()


def goes_on(text: str) -> bool:
    """Tell whether a message may be the beginning of a thought, so that its turn waits `merge_ms` for the next one."""
    return len(text.strip()) <= SHORT and not text.rstrip().endswith(ENDS)


def _mark_waiting(conn, conversation_id: str, now: datetime, newest: datetime | None) -> None:
    conn.execute(_WAIT, {"conversation": conversation_id, "now": now, "newest": newest})


def _suspend(conn, conversation_id: str, danger: str) -> None:
    """Stop all business prompts: what waits is answered by the danger text, a turn in flight may no longer write."""
    conn.execute(_STOP_WAITING, {"conversation": conversation_id})
    conn.execute(_SUSPEND, {"conversation": conversation_id, "danger": danger})
