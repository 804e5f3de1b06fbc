"""The web channel's few deeds, each one synchronous call for the thread pool: open, renew, accept."""

from bot.clock import now
from bot.conversations import inbound, marks, pictures, transcript
from bot.conversations.inbound import Accepted
from bot.hospital.load import load_hospital
from bot.safety.signs import scan
from bot.storage.engine import writing
from bot.storage.types import signing_key
from bot.web.errors import Refused
from channels.web import sessions, store
from channels.web.messages import Message
from channels.web.sessions import CHANNEL, Session


def warm_up() -> None:
    """Read the hospital's files and the danger signs before the first patient writes."""
    load_hospital()
    scan("您好")
    signing_key()


def open_session(token: str | None) -> Session:
    """Give a fresh token: for the same visitor while `token` is good and his talk exists, else for a new one."""
    moment = now()
    try:
        visitor = sessions.visitor_of(token, moment)
    except Refused:
        visitor = ""
    if not visitor or store.conversation_of(visitor) is None:
        visitor = sessions.new_visitor()
        inbound.open_conversation(CHANNEL, visitor, moment)
    return sessions.issue(visitor, moment)


def conversation_for(token: str | None) -> str:
    """Give the conversation that a token opens. Raises Refused (401): void token, or the talk has been erased."""
    found = store.conversation_of(sessions.visitor_of(token, now()))
    if found is None:
        raise Refused(401)
    return found


def note_seen(conversation_id: str, seen: dict) -> None:
    """Keep what has reached the page and what was seen there, and whether the patient is typing."""
    with writing() as conn:
        types = {"patient": now() if seen["typing"] else None}
        marks.move(conn, conversation_id, types, patient_got=max(seen["got"], seen["read"]), patient_read=seen["read"])


def note_unhelpful(conversation_id: str, seq: int) -> None:
    """Keep that an answer did not help. Raises Refused (404) for a line that is no answer of the bot."""
    with writing() as conn:
        if not transcript.note_unhelpful(conn, conversation_id, seq, now()):
            raise Refused(404)


def accept(conversation_id: str, message: Message) -> Accepted:
    """Store a message. Raises what bot/conversations/inbound.py raises."""
    if message.button is not None:
        return inbound.accept_button(conversation_id, message.client_id, message.button, now())
    return inbound.accept_text(conversation_id, message.client_id, message.text or "", now())


def accept_picture(conversation_id: str, client_id: str, content: bytes) -> Accepted:
    """Store a picture. Raises what bot/conversations/pictures.py raises."""
    return pictures.accept(conversation_id, client_id, content, now())
