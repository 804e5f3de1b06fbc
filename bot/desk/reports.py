"""Figures for who leads: the live queue, the service, complaints, the month (R61, R71-R73). Numbers only, no persons."""

import calendar
from collections import Counter
from datetime import date, datetime, time, timedelta
from statistics import median

from sqlalchemy import func, select

from bot.clock import SHANGHAI, local
from bot.conversations import danger, holding
from bot.conversations.tables import conversations, episodes, ratings
from bot.desk.store import staff_names
from bot.desk.ticket_views import department
from bot.patients.masking import mask
from bot.staff import service as staff
from bot.storage.engine import reading
from bot.tickets import model, store
from bot.tickets.tables import events, tickets

PARETO = 0.8  # the causes that together make four fifths


def live(moment: datetime) -> dict:
    """Give how it stands this moment; waits in seconds."""
    with reading() as conn:
        waiting = holding.waiting_in(conn)
        held = conn.execute(select(func.count()).where(conversations.c.holder == "agent")).scalar_one()
        here = staff.here(conn, moment)
        open_ = conn.execute(select(tickets.c.overdue).where(tickets.c.state.in_(model.UNDONE))).scalars().all()
        alerts = len(danger.unseen(conn))
    waits = [(moment - row.queued_at).total_seconds() for row in waiting if row.queued_at]
    return {
        "waiting": len(waiting),
        "longest_wait": round(max(waits, default=0)),
        "held": held,
        "here": sum(row.duty != "break" for row in here),
        "breaks": sum(row.duty == "break" for row in here),
        "alerts": alerts,
        "open_tickets": len(open_),
        "overdue": sum(open_),
    }


def service(first: date, last: date) -> dict:
    """Give the figures of the talks with people that began to wait on these days, both included. Times in seconds."""
    start, end = _bounds(first, last)
    with reading() as conn:
        rows = conn.execute(select(episodes).where(episodes.c.queued_at >= start, episodes.c.queued_at < end)).all()
        rated = conn.execute(
            select(ratings).where(ratings.c.kind == "episode", ratings.c.asked_at >= start, ratings.c.asked_at < end)
        ).all()
        names = staff_names(conn, {row.agent_id for row in rows})
    taken = [row for row in rows if row.accepted_at]
    by_agent = []
    for agent in sorted({row.agent_id for row in taken}):
        own = [row for row in taken if row.agent_id == agent]
        scores = [row.score for row in rated if row.agent_id == agent and row.score]
        by_agent.append(
            {
                "agent": names.get(agent, ""),
                "talks": len(own),
                "first_response": _spread(_seconds(own, "accepted_at", "first_reply_at"))["median"],
                "handling": _spread(_seconds(own, "accepted_at", "ended_at"))["median"],
                "rating": round(sum(scores) / len(scores), 2) if scores else None,
            }
        )
    days = Counter(local(row.queued_at).date().isoformat() for row in rows)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "talks": len(rows),
        "taken": len(taken),
        "transfers": sum(row.transfers for row in rows),
        "wait": _spread(_seconds(taken, "queued_at", "accepted_at")),
        "first_response": _spread(_seconds(taken, "queued_at", "first_reply_at")),
        "handling": _spread(_seconds(taken, "accepted_at", "ended_at")),
        "rating": rating_of([row.score for row in rated]),
        "outcomes": dict(Counter(row.outcome for row in rows if row.outcome).most_common()),
        "by_agent": by_agent,
        "by_day": [{"day": day, "talks": days[day]} for day in sorted(days)],
    }


def complaints(first: date, last: date) -> dict:
    """Give the figures of the complaints received on these days: Pareto, trend, repeat departments, deadlines, days."""
    start, end = _bounds(first, last)
    before = start - (end - start)
    with reading() as conn:
        # Withdrawn before it was sent: no number, not a complaint received.
        wanted = select(tickets).where(tickets.c.kind == "complaint", tickets.c.number.is_not(None))
        rows = conn.execute(wanted.where(tickets.c.received_at >= start, tickets.c.received_at < end)).all()
        earlier = conn.execute(wanted.where(tickets.c.received_at >= before, tickets.c.received_at < start)).all()
        moves = conn.execute(
            select(events.c.ticket_id, events.c.what, events.c.at).where(
                events.c.ticket_id.in_([row.id for row in rows] or [0]), events.c.what.in_(("assign", "escalate"))
            )
        ).all()
        rated = conn.execute(
            select(ratings.c.score).where(
                ratings.c.kind == "ticket", ratings.c.ref.in_([row.id for row in rows] or [0])
            )
        ).scalars()
        scores = list(rated)
    where = Counter(code for row in rows for code in row.departments or [])
    days = [(row.result_sent_at - row.received_at).total_seconds() / 86400 for row in rows if row.result_sent_at]
    first_moves: dict[int, datetime] = {}
    for move in moves:
        if move.what == "assign":
            first_moves[move.ticket_id] = min(move.at, first_moves.get(move.ticket_id, move.at))
    to_person = [(first_moves[row.id] - row.received_at).total_seconds() for row in rows if row.id in first_moves]
    hands = Counter(move.ticket_id for move in moves)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "count": len(rows),
        "before": len(earlier),
        "types": pareto(Counter(row.type or "other" for row in rows), model.TYPES),
        "subtypes": dict(Counter(_subtype(row) for row in rows if row.subtype).most_common()),
        "trend": _trend(rows, first, last),
        "departments": [
            {"department": department(code), "count": count, "repeat": count >= model.REPEATED}
            for code, count in where.most_common()
        ],
        "sla": {
            "answered": len(days),
            "in_time": sum(
                bool(row.result_sent_at and row.due_at and row.result_sent_at <= row.due_at) for row in rows
            ),
            "overdue": sum(row.overdue for row in rows),
            "open": sum(row.state in model.UNDONE for row in rows),
        },
        "median_days": round(median(days), 2) if days else None,
        "levels": {model.LEVELS[level]: count for level, count in Counter(row.level for row in rows).items()},
        "handovers": {
            "mean": round(sum(hands.values()) / len(rows), 2) if rows else None,
            "first_person": _spread(to_person),
        },
        "rating": rating_of(scores),
    }


def pareto(counted: Counter, names: dict[str, str]) -> list[dict]:
    """Give causes by frequency with share and running share in percent; `vital` are those that make up four fifths."""
    whole, running, found = sum(counted.values()), 0, []
    for key, count in sorted(counted.items(), key=lambda each: (-each[1], each[0])):
        vital = running < PARETO * whole
        running += count
        found.append(
            {
                "type": key,
                "name": names.get(key, key),
                "count": count,
                "share": round(100 * count / whole, 1),
                "cumulative": round(100 * running / whole, 1),
                "vital": vital,
            }
        )
    return found


def month(first: date) -> dict:
    """Give the monthly report (R71): service, complaints, top causes with what is done about them."""
    last = _last_day(first)
    start, end = _bounds(first, last)
    told = complaints(first, last)
    with reading() as conn:
        closed = store.closed_between(conn, start, end)
    return {
        "month": f"{first:%Y-%m}",
        "service": service(first, last),
        "complaints": told,
        "top": [each for each in told["types"] if each["vital"]],
        "lessons": [
            {
                "number": row.number,
                "type": model.TYPES.get(row.type or "", ""),
                "departments": [department(code) for code in row.departments or []],
                "lesson": mask(row.lesson or "").text,
            }
            for row in closed
        ],
    }


def rectification(first: date) -> dict:
    """Give what the hospital may publish (R72): what was changed, for which kind of complaint. No number, no person.

    Lessons are written by the staff; numbers in them are masked, and a name of who complained or is complained of
    keeps the whole entry back.
    """
    start, end = _bounds(first, _last_day(first))
    with reading() as conn:
        closed = store.closed_between(conn, start, end)
        people = {row.name for row in staff.everybody(conn)}
    entries = [
        {
            "type": model.TYPES.get(row.type or "", ""),
            "departments": [department(code) for code in row.departments or []],
            "lesson": mask(row.lesson or "").text,
            "closed": f"{local(row.closed_at):%Y-%m-%d}",
        }
        for row in closed
        if row.lesson and not store.names_somebody(row, people)
    ]
    return {"month": f"{first:%Y-%m}", "entries": entries, "held_back": len(closed) - len(entries)}


def rating_of(scores: list[int | None]) -> dict:
    """Give how many were asked and answered, the mean, and the share of 4 and 5 in percent."""
    given = [score for score in scores if score]
    return {
        "asked": len(scores),
        "answered": len(given),
        "mean": round(sum(given) / len(given), 2) if given else None,
        "satisfied": round(100 * sum(score >= 4 for score in given) / len(given), 1) if given else None,
        "scores": {str(score): given.count(score) for score in range(5, 0, -1)},
    }


def _subtype(row) -> str:
    return model.SUBTYPES.get(row.type or "", {}).get(row.subtype, row.subtype)


def _trend(rows: list, first: date, last: date) -> list[dict]:
    """Give the count of each day, of each month where the span is longer than two."""
    form = "%Y-%m" if (last - first).days > 62 else "%Y-%m-%d"
    counted = Counter(f"{local(row.received_at):{form}}" for row in rows)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [{"at": at, "count": counted[at]} for at in dict.fromkeys(f"{day:{form}}" for day in days)]


def _seconds(rows: list, start: str, end: str) -> list[float]:
    return [
        (getattr(row, end) - getattr(row, start)).total_seconds()
        for row in rows
        if getattr(row, start) and getattr(row, end)
    ]


def _spread(values: list[float]) -> dict:
    """Give count, median and the 90th of a hundred in whole seconds; None without values."""
    values = sorted(values)
    if not values:
        return {"count": 0, "median": None, "p90": None}
    return {
        "count": len(values),
        "median": round(median(values)),
        "p90": round(values[min(len(values) - 1, int(0.9 * len(values)))]),
    }


def _bounds(first: date, last: date) -> tuple[datetime, datetime]:
    return (
        datetime.combine(first, time(), SHANGHAI),
        datetime.combine(max(first, last) + timedelta(days=1), time(), SHANGHAI),
    )


def _last_day(first: date) -> date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])
