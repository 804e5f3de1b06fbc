"""How the writer of a grievance or a message can be reached. Numbers stay in bot/patients until a ticket takes them."""

import json

from sqlalchemy import select

from actions import identity, told
from actions.talk import Talk
from bot.patients.tables import checks
from bot.storage.engine import reading


def take_phone(talk: Talk) -> bool:
    """Tell whether this message holds a phone number; one that no entity marked is noted here."""
    found = told.PHONE.search(talk.message.text)
    if talk.message.first("phone") is None and found:
        talk.facts["phone"] = identity.note(talk, "phone", found.group())
    return bool(found or talk.message.first("phone") is not None)


def given(talk: Talk) -> dict:
    """Give the name and the number this conversation has told, as a ticket keeps them; {} when there are none."""
    if talk.fact("phone") is not True:
        return {}
    with reading() as conn:
        pieces = conn.execute(select(checks.c.pieces).where(checks.c.conversation_id == talk.id)).scalar()
    kept = json.loads(pieces or "{}")
    return {name: kept[name] for name in ("person_name", "phone") if name in kept}
