"""Builders: a test names what it is about, the rest is filled in."""

import secrets
import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select

from bot.appointments.model import SHANGHAI, STARTS
from bot.appointments.tables import openings, sessions
from bot.conversations import inbound
from bot.conversations.tables import conversations, lines
from bot.patients.tables import patients
from bot.storage.engine import reading, writing

MONDAY = datetime.fromisoformat("2026-11-23T10:00:00+08:00")  # a working day in the agents' hours


def at(text: str) -> datetime:
    """Read a moment of the hospital's wall clock: "2026-11-23 10:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def conversation(now: datetime = MONDAY) -> str:
    """Open a conversation of a new visitor."""
    return inbound.open_conversation("web", secrets.token_hex(8), now)


def says(chat: str, text: str, now: datetime = MONDAY, client_id: str = "") -> inbound.Accepted:
    """Let the patient write."""
    return inbound.accept_text(chat, client_id or secrets.token_hex(8), text, now)


def row_of(chat: str):
    """Give a conversation's row."""
    with reading() as conn:
        return conn.execute(select(conversations).where(conversations.c.id == chat)).one()


def lines_of(chat: str) -> list:
    """Give what was said, in order."""
    with reading() as conn:
        return conn.execute(select(lines).where(lines.c.conversation_id == chat).order_by(lines.c.seq)).all()


def spoken(chat: str) -> list[tuple[str, str]]:
    """Give what was said as (who, text)."""
    return [(line.sender, line.text) for line in lines_of(chat)]


def patient(name: str = "测试", count: int = 1) -> int | list[int]:
    """Make a patient, or several, and give the id or the ids."""
    with writing() as conn:
        made = [
            conn.execute(insert(patients).values(name=f"{name}{n}", created_at=MONDAY)).inserted_primary_key[0]
            for n in range(count)
        ]
    return made[0] if count == 1 else made


def session(
    day: date | str = "2026-11-25",
    places: int = 3,
    period: str = "am",
    department: str = "cardiology",
    slot_class: str = "normal",
    **changes,
) -> tuple[int, list[int]]:
    """Make a session of a doctor nobody else has; gives its id and the ids of its openings, ten minutes apart."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    with writing() as conn:
        values = dict(
            day=day, period=period, doctor=f"t{secrets.token_hex(4)}", department=department, slot_class=slot_class,
            room="1楼", fee_item="REG001",
        )  # fmt: skip
        made = conn.execute(insert(sessions).values(**values | changes)).inserted_primary_key[0]
        first = datetime.combine(day, STARTS[period], SHANGHAI)
        ids = [
            conn.execute(
                insert(openings).values(session_id=made, starts_at=first + timedelta(minutes=10 * n), state="free")
            ).inserted_primary_key[0]
            for n in range(places)
        ]
    return made, ids


def together(deeds: Iterable[Callable]) -> list:
    """Do all at the same moment, each in its thread; gives what each returned or raised, in order."""
    deeds = list(deeds)
    barrier, results = threading.Barrier(len(deeds)), [None] * len(deeds)

    def go(place: int, deed: Callable) -> None:
        barrier.wait()
        try:
            results[place] = deed()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=go, args=each) for each in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
