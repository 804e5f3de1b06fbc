"""Plays a script of tests/conversations/scripts through the real path and says what a patient would complain of."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from sqlalchemy import func, select

from bot.appointments.tables import bookings, waitlist
from bot.conversations.tables import alerts, conversations
from bot.language.lint import lint
from bot.patients.tables import links
from bot.storage.engine import reading
from bot.tickets.tables import tickets

FOLDER = Path(__file__).parent / "scripts"
BROKEN = re.compile(r"Traceback|Error\b|\{[a-z_]+\}|None|null|undefined")
CODE = re.compile(r"验证码是(\d{6})")


def scripts() -> list[dict]:
    """Give every script, with the file it stands in."""
    found = []
    for path in sorted(FOLDER.glob("*.yml")):
        for script in yaml.safe_load(path.read_text()):
            found.append({**script, "file": path.stem})
    return found


@dataclass
class Played:
    """What happened: complaints of the script, and the talk for the reader."""

    faults: list[str] = field(default_factory=list)
    talk: list[str] = field(default_factory=list)


async def play(script: dict, terminal, visitor: str) -> Played:
    """Play one script against a Terminal and check what it says."""
    played = Played()
    buttons: list[dict] = []
    code = "000000"
    said_by_patient: list[str] = []
    for step in script["talk"]:
        token = None
        if "press" in step:
            pressed = next((b for b in buttons if re.search(step["press"], b["title"]) and "token" in b), None)
            token = pressed["token"] if pressed else None
            text = (
                pressed["title"] if pressed else re.sub(r"\\d\{1,2\}.*|[\\^$().?+*]", "", step["press"].split("|")[0])
            )
        elif "patient_repeat" in step:
            text = step["patient_repeat"]["text"] * step["patient_repeat"]["times"]
        else:
            text = step["patient"].replace("{code}", code)
        played.talk.append(f"患者: {text[:80]}")
        said_by_patient.append(text)
        replies = await terminal.say(visitor, button=token) if token else await terminal.say(visitor, text)
        for reply in replies:
            titles = " ".join(f"[{b['title']}]" for b in reply["buttons"])
            played.talk.append(f"    {reply['sender']}: {reply['text']} {titles}")
            if found := CODE.search(reply["text"]):
                code = found.group(1)
        if any(r["buttons"] for r in replies) or not any(r["sender"] == "bot" for r in replies):
            buttons = [b for r in replies for b in r["buttons"]]
        _check(step, text, replies, said_by_patient, played)
        _check_nothing_is_asked_again(visitor, text, played)
    _check_end(script.get("ends_with") or {}, visitor, played)
    return played


def _check(step: dict, text: str, replies: list[dict], quoted: list[str], played: Played) -> None:
    joined = "\n".join(r["text"] + "\n" + "\n".join(b["title"] for b in r["buttons"]) for r in replies)
    if not joined.strip():
        played.faults.append(f"no answer to {text[:40]!r}")
        return
    for pattern in step.get("says") or []:
        if not re.search(pattern, joined):
            played.faults.append(f"after {text[:30]!r} the answer lacks {pattern!r}")
    for pattern in step.get("silent_on") or []:
        if re.search(pattern, joined):
            played.faults.append(f"after {text[:30]!r} the answer must not say {pattern!r}")
    if broken := BROKEN.search(joined):
        if broken.group() not in text:
            played.faults.append(f"after {text[:30]!r} something broken shows: {broken.group()!r}")
    known = [t for r in replies for t in r.get("terms", [])]
    for reply in replies:
        for violation in lint(reply["text"], quoted=quoted, known_terms=known or _every_term()):
            played.faults.append(f"language {violation.rule}: {violation.fragment!r} in {reply['text'][:40]!r}")


def _check_nothing_is_asked_again(visitor: str, text: str, played: Played) -> None:
    """R25: the open question is never for a fact that the task has, nor for a proof already given."""
    with reading() as conn:
        row = conn.execute(select(conversations).where(conversations.c.visitor == visitor)).first()
        verified = set()
        if row is not None:
            verified = set(conn.execute(select(links.c.relation).where(links.c.conversation_id == row.id)).scalars())
    task = (((row.tracker if row else None) or {}).get("slots") or {}).get("task") or {}
    asked, facts = task.get("asked"), task.get("facts") or {}
    if asked and asked in facts and facts[asked] not in (None, "invalid"):
        played.faults.append(f"after {text[:30]!r} the bot asks for {asked}, which it knows")
    if asked in ("person_name", "id_number", "phone", "code", "consent") and "" in verified and "relation" not in facts:
        played.faults.append(f"after {text[:30]!r} the bot asks for {asked} of a patient whom it has verified")


def _every_term() -> list[str]:
    from bot.language.plain import terms

    return list(terms())


def _check_end(wanted: dict, visitor: str, played: Played) -> None:
    if not wanted:
        return
    with reading() as conn:
        row = conn.execute(select(conversations).where(conversations.c.visitor == visitor)).one()
        count = lambda table, *where: conn.execute(  # noqa: E731
            select(func.count()).select_from(table).where(table.c.conversation_id == row.id, *where)
        ).scalar_one()
        dangers = set(conn.execute(select(alerts.c.code).where(alerts.c.conversation_id == row.id)).scalars())
        found = {
            "bookings": count(bookings, bookings.c.state == "booked"),
            "tickets": count(tickets, tickets.c.state.notin_(("draft", "withdrawn"))),
            "drafts": count(tickets, tickets.c.state == "draft"),
            "waitlist": count(waitlist),
            "holder": row.holder,
            "danger": wanted.get("danger")
            if str(wanted.get("danger")).replace("-", "_") in dangers
            else sorted(dangers),
        }
    for name, value in wanted.items():
        if name == "danger" and value == "none":
            value, found[name] = [], sorted(dangers)
        if found[name] != value:
            played.faults.append(f"at the end {name} is {found[name]!r}, not {value!r}")
