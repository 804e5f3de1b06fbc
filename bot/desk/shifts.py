"""交接班: what somebody leaves to the next shift, written by the house, with a note of his own (R60)."""

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from bot.clock import moment_text, now
from bot.conversations import danger, holding
from bot.conversations.tables import conversations, episodes
from bot.desk import store, views
from bot.desk.door import actor
from bot.desk.tables import shifts
from bot.patients import access
from bot.staff.service import Staff
from bot.staff.tables import signins
from bot.staff.tables import staff as accounts
from bot.storage.engine import reading, writing
from bot.tickets import store as ticket_store
from bot.tickets.model import KINDS, STATES
from bot.web.errors import Refused

KEPT = 30
LISTED = 20


def draft(who: Staff) -> dict:
    """Give the report as it stands now."""
    moment = now()
    with reading() as conn:
        return _facts(conn, who, moment)


def hand_over(who: Staff, note: str, to: int | None) -> dict:
    """Keep the report with its note, for a colleague or for whoever comes. Raises Refused (404)."""
    moment = now()
    with writing() as conn:
        if to is not None and conn.execute(select(accounts.c.id).where(accounts.c.id == to)).first() is None:
            raise Refused(404, "unknown_account", "没有找到这位同事，请重新选择。")
        facts = _facts(conn, who, moment)
        made = conn.execute(
            insert(shifts).values(
                staff_id=who.id,
                to_id=to,
                since=datetime.fromisoformat(facts["since"]),
                at=moment,
                note=note.strip(),
                facts=facts,
            )
        ).inserted_primary_key[0]
        access.record(conn, actor(who), "shift_handed_over", moment, detail={"report": made, "to": to})
    return {"report": made, **facts}


def past(who: Staff) -> dict:
    """Give the last reports, the newest first."""
    with reading() as conn:
        rows = conn.execute(select(shifts).order_by(shifts.c.id.desc()).limit(KEPT)).all()
        names = store.staff_names(conn, [each for row in rows for each in (row.staff_id, row.to_id)])
    return {
        "reports": [
            {
                "id": row.id,
                "at": row.at.isoformat(),
                "by": names.get(row.staff_id, ""),
                "to": names.get(row.to_id, "") if row.to_id else None,
                "note": row.note,
                "facts": row.facts,
            }
            for row in rows
        ]
    }


def _facts(conn: Connection, who: Staff, moment: datetime) -> dict:
    since = _since(conn, who, moment)
    served = conn.execute(
        select(func.count()).select_from(episodes).where(episodes.c.agent_id == who.id, episodes.c.accepted_at >= since)
    ).scalar_one()
    held = conn.execute(
        select(conversations).where(conversations.c.holder == "agent", conversations.c.agent_id == who.id)
    ).all()
    mine = ticket_store.listed(conn, who, "mine", "", "", "", 0)
    late = ticket_store.listed(conn, who, "overdue", "", "", "", 0)
    facts = {
        "since": since.isoformat(),
        "until": moment.isoformat(),
        "served": served,
        "waiting": len(holding.waiting_in(conn)),
        "talks": [{"id": row.id, "visitor": views.visitor(row.id)} for row in held],
        "tickets": [_ticket(row) for row in mine[:LISTED]],
        "overdue": [_ticket(row) for row in late[:LISTED]],
        "alerts": len(danger.unseen(conn)),
    }
    return {**facts, "text": _text(who, facts)}


def _since(conn: Connection, who: Staff, moment: datetime) -> datetime:
    """Give when his shift began: after his last report, else with his earliest sign-in that is still open."""
    last = conn.execute(select(func.max(shifts.c.at)).where(shifts.c.staff_id == who.id)).scalar()
    began = conn.execute(select(func.min(signins.c.started_at)).where(signins.c.staff_id == who.id)).scalar() or moment
    return max(last, began) if last else began


def _ticket(row) -> dict:
    return {
        "id": row.id,
        "number": row.number,
        "kind": KINDS[row.kind],
        "state": STATES[row.state],
        "due": moment_text(row.due_at) if row.due_at else "",
    }


def _text(who: Staff, facts: dict) -> str:
    lines = [
        f"交班人：{who.name}（工号{who.number}）",
        f"本班接待{facts['served']}位，现有排队{facts['waiting']}位，未查看的危险信号{facts['alerts']}条。",
        f"仍在接待{len(facts['talks'])}位：" + ("、".join(each["visitor"] for each in facts["talks"]) or "无"),
        f"名下未办结工单{len(facts['tickets'])}张，已超期{len(facts['overdue'])}张。",
    ]
    lines += [f"{each['number']} {each['kind']}，{each['state']}，期限{each['due']}" for each in facts["tickets"]]
    return "\n".join(lines)
