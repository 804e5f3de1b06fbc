"""What the desk reads. Every function takes a connection and writes nothing; names that identify leave masked."""

import json
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.engine import Connection

from bot.clock import now
from bot.conversations.tables import alerts, conversations, lines, ratings
from bot.patients import access, binding
from bot.patients.tables import checks, links, patients
from bot.staff.service import HERE, Staff
from bot.staff.tables import staff
from bot.tickets import service as ticket_service
from bot.tickets import store as ticket_store
from bot.tickets.tables import tickets

PAGE = 200  # lines in one answer
ALL_CHATS = 100
RECENT = timedelta(hours=24)

# Statements are built once: building one costs more than running it.
_THESE = bindparam("ids", expanding=True)
_HOLDING = select(conversations.c.id, conversations.c.holder, conversations.c.agent_id, conversations.c.last_seq).where(
    conversations.c.id == bindparam("conversation")
)
_NEWEST = (
    select(lines.c.conversation_id, func.max(lines.c.seq).label("seq"))
    .where(lines.c.conversation_id.in_(_THESE), lines.c.sender == "patient")
    .group_by(lines.c.conversation_id)
    .subquery()
)
_LAST_OF_PATIENT = select(lines.c.conversation_id, lines.c.text, lines.c.at).join(
    _NEWEST, (lines.c.conversation_id == _NEWEST.c.conversation_id) & (lines.c.seq == _NEWEST.c.seq)
)
# The notice of taking has the very moment of the taking; seq, not the clocks of two hosts, says what came after.
_ANSWERED = (
    select(lines.c.conversation_id, func.max(lines.c.seq).label("seq"))
    .join(conversations, conversations.c.id == lines.c.conversation_id)
    .where(
        lines.c.conversation_id.in_(_THESE),
        (lines.c.sender == "agent") | ((lines.c.sender == "system") & (lines.c.at == conversations.c.accepted_at)),
    )
    .group_by(lines.c.conversation_id)
    .subquery()
)
_UNANSWERED = (
    select(lines.c.conversation_id, lines.c.seq, lines.c.at)
    .join(_ANSWERED, _ANSWERED.c.conversation_id == lines.c.conversation_id, isouter=True)
    .where(
        lines.c.conversation_id.in_(_THESE),
        lines.c.sender == "patient",
        lines.c.seq > func.coalesce(_ANSWERED.c.seq, 0),
    )
    .order_by(lines.c.seq)
)
_PATIENTS = (
    select(links.c.conversation_id, patients.c.name)
    .join(patients, patients.c.id == links.c.patient_id)
    .where(links.c.conversation_id.in_(_THESE))
)
_UNDER_WAY = select(checks.c.conversation_id, checks.c.pieces).where(
    checks.c.conversation_id.in_(_THESE), checks.c.pieces.is_not(None)
)
_NAMES = select(staff.c.id, staff.c.name, staff.c.number).where(staff.c.id.in_(_THESE))


def conversation(conn: Connection, conversation_id: str):
    """Give a conversation's row or None."""
    return conn.execute(select(conversations).where(conversations.c.id == conversation_id)).first()


def holding(conn: Connection, conversation_id: str):
    """Give who holds a conversation (id, holder, agent_id, last_seq), None when there is none."""
    return conn.execute(_HOLDING, {"conversation": conversation_id}).first()


def may_read(conn: Connection, row, who: Staff) -> bool:
    """Tell whether he may read it: it waits, it is his, an alert of it is unseen, he serves its person, or he sees all.

    Who serves nobody (quality control, the director's office) reads the talks of tickets that are his to see.
    """
    if who.may("see_all"):
        return True
    if not who.may("serve"):
        wanted = select(conversations.c.id).where(conversations.c.id == row.id, has_ticket_for(who, conversations.c.id))
        return who.may("read_chats") and conn.execute(wanted).first() is not None
    if row.holder == "queue" or (row.holder == "agent" and row.agent_id == who.id):
        return True
    return has_unseen_alert(conn, row.id) or serves(conn, row.id, who)


def serves(conn: Connection, conversation_id: str, who: Staff) -> bool:
    """Tell whether he serves the person of this talk, on whichever channel."""
    held = select(conversations.c.id).where(
        conversations.c.id.in_(binding.same_person(conn, conversation_id, now())),
        conversations.c.holder == "agent",
        conversations.c.agent_id == who.id,
    )
    return conn.execute(held.limit(1)).first() is not None


def has_ticket_for(who: Staff, conversation_id):
    """Give the condition that a conversation belongs to a ticket that somebody may see."""
    return exists().where(tickets.c.conversation_id == conversation_id, ticket_store.scope(who))


def has_unseen_alert(conn: Connection, conversation_id: str) -> bool:
    """Tell whether a danger sign of this conversation has been seen by nobody."""
    unseen = select(alerts.c.id).where(alerts.c.conversation_id == conversation_id, alerts.c.seen_by.is_(None))
    return conn.execute(unseen.limit(1)).first() is not None


def recent(conn: Connection, now: datetime) -> list:
    """Give the talks of the last day that the bot or colleagues hold, the newest first."""
    return conn.execute(
        select(conversations)
        .where(conversations.c.holder != "queue", conversations.c.last_seq > 0)
        .where((conversations.c.holder == "agent") | (conversations.c.updated_at > now - RECENT))
        .order_by(conversations.c.updated_at.desc())
        .limit(ALL_CHATS)
    ).all()


def last_patient_lines(conn: Connection, ids: Collection[str]) -> dict:
    """Give each conversation's last line of the patient: its text and moment."""
    if not ids:
        return {}
    return {row.conversation_id: row for row in conn.execute(_LAST_OF_PATIENT, {"ids": list(ids)})}


def unanswered(conn: Connection, ids: Collection[str]) -> dict[str, list]:
    """Give each conversation's lines of the patient (seq, at) since an agent last wrote or took it."""
    found = defaultdict(list)
    if ids:
        for row in conn.execute(_UNANSWERED, {"ids": list(ids)}):
            found[row.conversation_id].append(row)
    return found


def lines_before(conn: Connection, conversation_id: str, seq: int | None) -> list:
    """Give the PAGE lines before `seq` (None: the last ones), oldest first."""
    wanted = select(lines).where(lines.c.conversation_id == conversation_id)
    if seq is not None:
        wanted = wanted.where(lines.c.seq < seq)
    return conn.execute(wanted.order_by(lines.c.seq.desc()).limit(PAGE)).all()[::-1]


def rating_of(conn: Connection, conversation_id: str) -> int | None:
    """Give the patient's last answer to how satisfied he is, 1 to 5."""
    return conn.execute(
        select(ratings.c.score)
        .where(ratings.c.conversation_id == conversation_id, ratings.c.score.is_not(None))
        .order_by(ratings.c.id.desc())
        .limit(1)
    ).scalar()


def staff_names(conn: Connection, ids: Collection[int | None]) -> dict[int, str]:
    """Give 王客服（工号1001） for each id."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    rows = conn.execute(_NAMES, {"ids": list(wanted)})
    return {row.id: f"{row.name}（工号{row.number}）" for row in rows}


def away(conn: Connection, ids: Collection[int | None], now: datetime) -> set[int]:
    """Give those of the staff whose desk has not been open for two minutes."""
    wanted = {each for each in ids if each is not None}
    rows = conn.execute(select(staff.c.id, staff.c.seen_at).where(staff.c.id.in_(wanted))) if wanted else ()
    return {row.id for row in rows if row.seen_at is None or row.seen_at < now - HERE}


def names_to_hide(conn: Connection, ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Give for each conversation the names of its patients as they would stand in its lines, with their masked form."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    if not ids:
        return found
    known = conn.execute(_PATIENTS, {"ids": list(ids)}).all()
    under_way = conn.execute(_UNDER_WAY, {"ids": list(ids)}).all()
    given = [(row.conversation_id, json.loads(row.pieces).get("person_name")) for row in under_way]
    for conversation_id, name in [*known, *given]:
        if isinstance(name, str) and len(name) > 1:
            found[conversation_id][name] = masked_name(name)
    return found


def masked_name(name: str) -> str:
    """Give 王*国."""
    return access.Patient(0, None, name, None, None, None, False).shown_name


def alerts_of(conn: Connection, conversation_id: str) -> list:
    """Give a conversation's alerts, the newest first."""
    return conn.execute(
        select(alerts).where(alerts.c.conversation_id == conversation_id).order_by(alerts.c.id.desc()).limit(20)
    ).all()


def tickets_of(conn: Connection, conversation_id: str) -> list[ticket_service.Ticket]:
    """Give a conversation's tickets with its drafts, the newest first."""
    ids = conn.execute(
        select(tickets.c.id)
        .where(tickets.c.conversation_id == conversation_id, tickets.c.state != "withdrawn")
        .order_by(tickets.c.id.desc())
        .limit(20)
    ).scalars()
    return [ticket_service.get(conn, each) for each in ids.all()]


def patient_words(conn: Connection, conversation_id: str, count: int = 10) -> list[str]:
    """Give the patient's last lines: what an answer may repeat to the letter."""
    return list(
        conn.execute(
            select(lines.c.text)
            .where(lines.c.conversation_id == conversation_id, lines.c.sender == "patient")
            .order_by(lines.c.seq.desc())
            .limit(count)
        ).scalars()
    )


def own_line(conn: Connection, conversation_id: str, who: Staff, client_id: str) -> int | None:
    """Give the seq of the line that he has written under `client_id`, None when there is none."""
    row = conn.execute(
        select(lines.c.seq, lines.c.meta).where(
            lines.c.conversation_id == conversation_id, lines.c.sender == "agent", lines.c.client_id == client_id
        )
    ).first()
    return row.seq if row and (row.meta or {}).get("staff") == who.id else None
