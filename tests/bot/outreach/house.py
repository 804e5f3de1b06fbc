"""What the tests of notices share: real doctors, patients linked to a conversation, the sweeper."""

import json
from datetime import timedelta

from sqlalchemy import insert, select, update

from bot.appointments import service, waiting
from bot.conversations.tables import buttons, conversations
from bot.dialogue.sweeper import sweep
from bot.patients.tables import links
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, conversation, lines_of, patient, session

MINUTE = timedelta(minutes=1)
_keys = iter(range(10**6))


def clinic(places: int = 1, **changes) -> tuple[int, list[int]]:
    """Make a session of a real doctor."""
    return session(places=places, **{"doctor": "d002", "slot_class": "expert", "fee_item": "REG003"} | changes)


def person(relation: str = "", now=MONDAY) -> tuple[str, int]:
    """Make a verified patient with a conversation of his own."""
    chat, who = conversation(now), patient()
    with writing() as conn:
        conn.execute(
            insert(links).values(
                conversation_id=chat,
                patient_id=who,
                relation=relation,
                verified_at=now,
                expires_at=now + timedelta(days=1),
            )
        )
    return chat, who


def wrote(chat: str, at) -> None:
    """Let the patient have written at a moment."""
    with writing() as conn:
        conn.execute(update(conversations).where(conversations.c.id == chat).values(newest_at=at))


def book(opening: int, chat: str, who: int, now=MONDAY):
    with writing() as conn:
        return service.book(conn, opening, who, chat, f"key-{next(_keys)}", now)[0]


def cancel(booking, now=MONDAY) -> None:
    with writing() as conn:
        service.cancel(conn, booking.id, now)


def join(session_id: int, chat: str, who: int, now=MONDAY) -> None:
    with writing() as conn:
        waiting.join(conn, session_id, who, chat, now)


def swept(now=MONDAY) -> int:
    """Do all that is due, also what becomes due by doing it."""
    count = 0
    while done := sweep(now):
        count += done
    return count


def notices_of(chat: str) -> list[str]:
    return [line.text for line in lines_of(chat) if line.sender == "system"]


def choices_of(chat: str) -> list[tuple[str, str, dict]]:
    """Give (title, intent, facts) of the last line's choices."""
    found = []
    for one in (lines_of(chat)[-1].data or {}).get("buttons", []):
        with reading() as conn:
            payload = conn.execute(select(buttons.c.payload).where(buttons.c.token == one["token"])).scalar_one()
        name, _, rest = payload["payload"].lstrip("/").partition("{")
        found.append((one["title"], name, json.loads("{" + rest)))
    return found
