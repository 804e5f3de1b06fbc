"""The lists that every desk shows besides the open talk, read once for all of them; of the talks only what has changed."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import and_, bindparam, func, select, type_coerce
from sqlalchemy.engine import Connection, Row
from sqlalchemy.types import NullType

from bot.clock import now
from bot.conversations import episodes
from bot.conversations.tables import alerts, conversations, lines
from bot.desk import store, views
from bot.staff import service as staff
from bot.staff.service import Staff
from bot.storage.engine import reading
from bot.tickets import store as ticket_store

ALERTS_SHOWN = 20

# Statements are built once: building one costs more than running it. No column here that nobody looks at.
_MARKS = (  # moments as the database has them: they are only compared
    select(
        *(
            conversations.c[name]
            for name in ("id", "holder", "agent_id", "last_seq", "priority", "queue_reason", "skill")
        ),
        *(
            type_coerce(conversations.c[name], NullType).label(name)
            for name in ("accepted_at", "queued_at", "updated_at")
        ),
    )
    .where(conversations.c.holder.in_(("queue", "agent")))
    .order_by(conversations.c.priority.desc(), conversations.c.queued_at, conversations.c.id)
)
_TALKS = select(
    *(
        conversations.c[name]
        for name in (
            *("id", "channel", "holder", "agent_id", "priority", "queue_reason", "skill"),
            *("accepted_at", "queued_at", "updated_at"),
        )
    )
).where(conversations.c.id.in_(bindparam("ids", expanding=True)))
_ALERTS = (
    select(alerts, lines.c.text, func.count().over().label("all"))
    .join(lines, and_(lines.c.conversation_id == alerts.c.conversation_id, lines.c.seq == alerts.c.seq), isouter=True)
    .where(alerts.c.seen_by.is_(None))
    .order_by(alerts.c.at)
    .limit(ALERTS_SHOWN)
)


@dataclass(frozen=True)
class Part:
    """One list, or a count, and a short mark that changes with it."""

    value: list | dict | int
    mark: str


def part(value: list | dict | int) -> Part:
    """Give a list, or a count, with its mark."""
    return Part(value, hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12])


EMPTY = part([])


@dataclass(frozen=True)
class Board:
    """Who is signed in, unseen alerts, who waits, and who is served by whom."""

    signed_in: dict[str, Staff] = field(default_factory=dict)  # by staff.key_of(token)
    alerts: list[tuple] = field(default_factory=list)  # (alert with its words, talk, name of who holds it)
    alerts_more: int = 0
    queue: Part = EMPTY
    held: dict[int, Part] = field(default_factory=dict)  # by staff id


@dataclass(frozen=True)
class _Talk:
    row: Row
    names: dict[str, str]  # to hide
    item: dict  # as a list shows it


class Boards:
    """Gives the board; what is known of a talk is read again when it has moved. Calls must not overlap."""

    def __init__(self) -> None:
        self._marks: dict[str, Row] = {}
        self._talks: dict[str, _Talk] = {}
        self._last = Board()

    def __call__(self) -> Board:
        """Read the board as it stands now."""
        moment = now()
        with reading() as conn:
            rows, raised = conn.execute(_MARKS).all(), conn.execute(_ALERTS).all()
            self._keep_up(conn, {row.id: row for row in rows}, {row.conversation_id for row in raised})
            names = store.staff_names(conn, [self._talks[row.conversation_id].row.agent_id for row in raised])
            here, usual = staff.on_duty(conn, moment), episodes.usual_minutes(conn)
            signed_in = staff.all_signed_in(conn, moment)
        waiting = [self._talks[row.id].item for row in rows if row.holder == "queue"]
        queue = [
            {**item, "place": place, "wait": episodes.share_of_wait(usual, place, here)}
            for place, item in enumerate(waiting, 1)
        ]
        self._last = Board(
            signed_in,
            [self._alert(row, names) for row in raised],
            raised[0].all - len(raised) if raised else 0,
            _renewed(self._last.queue, queue),
            self._held([row for row in rows if row.holder == "agent"]),
        )
        return self._last

    def _keep_up(self, conn: Connection, marks: dict[str, Row], alarmed: set[str]) -> None:
        """Read the talks that have moved since, and those of the bot with an alert; forget those that left."""
        moved = [each for each, mark in marks.items() if self._marks.get(each) != mark]
        moved += alarmed - marks.keys()
        self._marks, kept = marks, {each: talk for each, talk in self._talks.items() if each in marks}
        if moved:
            rows = conn.execute(_TALKS, {"ids": moved}).all()
            newest, hidden = store.last_patient_lines(conn, moved), store.names_to_hide(conn, moved)
            holders = {row.id: marks.get(row.id, row).holder for row in rows}  # another may have come since the marks
            open_lines = store.unanswered(conn, [each for each in holders if holders[each] == "agent"])
            for row in rows:
                given = row, newest.get(row.id), hidden[row.id]
                held = holders[row.id] == "agent"
                item = views.mine_item(*given, open_lines[row.id]) if held else views.queue_item(*given)
                kept[row.id] = _Talk(row, hidden[row.id], item)
        self._talks = kept

    def _alert(self, alert: Row, names: dict[int, str]) -> tuple:
        talk = self._talks[alert.conversation_id]
        return alert, views.preview(alert.text or "", talk.names), talk.row, names.get(talk.row.agent_id, "")

    def _held(self, serving: list[Row]) -> dict[int, Part]:
        held: dict[int, list[dict]] = defaultdict(list)
        for row in sorted(serving, key=lambda row: row.accepted_at):
            held[row.agent_id].append(self._talks[row.id].item)
        return {who: _renewed(self._last.held.get(who, EMPTY), items) for who, items in held.items()}


def _renewed(last: Part, items: list) -> Part:
    return last if last.value == items else part(items)


def ticket_counts(who: Staff) -> Part:
    """Give how many tickets wait for him."""
    if not who.may("tickets"):
        return part({})
    with reading() as conn:
        return part(ticket_store.counts(conn, who))


def lists_of(board: Board, who: Staff, tickets: Part) -> dict[str, Part]:
    """Give the lists of his page: unseen alerts, who waits, whom he serves, how many tickets wait for him."""
    if not who.may("serve"):
        return {"alerts": EMPTY, "alerts_more": part(0), "queue": EMPTY, "mine": EMPTY, "tickets": tickets}
    raised = [
        views.alert_item(
            row, text, talk.holder, name, talk.holder == "agent" and talk.agent_id == who.id, row.second_id == who.id
        )
        for row, text, talk, name in board.alerts
    ]
    return {
        "alerts": part(raised) if raised else EMPTY,
        "alerts_more": part(board.alerts_more),
        "queue": board.queue,
        "mine": board.held.get(who.id, EMPTY),
        "tickets": tickets,
    }
