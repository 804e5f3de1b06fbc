"""The desk's deeds, each one synchronous call for the thread pool: sign in and look."""

from sqlalchemy import select, update

from bot.clock import local, now
from bot.conversations import handover, holding, inbound, marks, outbox, person, transcript
from bot.desk import aids, store, views, words
from bot.desk.door import actor, audit, readable
from bot.hospital.hours import closes_at, is_open, next_opening
from bot.hospital.load import load_hospital
from bot.patients import access, binding
from bot.staff import roles
from bot.staff import service as staff
from bot.staff.service import SignInRefused, Staff
from bot.staff.tables import signins
from bot.staff.tables import staff as accounts
from bot.storage.engine import reading, writing
from bot.web.errors import Refused

OUTCOMES = {
    "solved": "问题已解决",
    "ticket": "已登记工单，后续跟进",
    "referred": "已指引到相关科室或电话",
    "no_reply": "患者未再回复",
    "bot": "由智能客服继续办理",
    "other": "其他",
}
WRONG = "工号或密码有误，请核对后再试。连续输错5次，账号会暂停15分钟。"
LOCKED = "为了账号安全，这个工号已暂停登录15分钟。请稍后再试，或请主管协助。"


# ---- who works here


def sign_in(number: str, password: str) -> str:
    """Give a new sign-in's token. Raises Refused: 401 when it does not fit, 423 while the account is locked."""
    try:
        with writing() as conn:
            token = staff.sign_in(conn, number, password, now())
    except SignInRefused as refused:
        with writing() as conn:
            access.record(conn, f"staff:{number}", "sign_in_locked", now())
        raise Refused(423, "locked", LOCKED) from refused
    if token is None:
        raise Refused(401, "wrong", WRONG)
    return token


def sign_out(who: Staff, token: str) -> None:
    """End a sign-in; with his last one he is no longer on duty and his talks wait at their old places."""
    moment = now()
    with writing() as conn:
        staff.sign_out(conn, token, moment)
        access.record(conn, actor(who), "sign_out", moment)
        if conn.execute(select(signins.c.token).where(signins.c.staff_id == who.id).limit(1)).first() is None:
            conn.execute(update(accounts).where(accounts.c.id == who.id).values(seen_at=None))
            for row in holding.held_in(conn, who.id):
                handover.leave(conn, row.id, who.id, moment)


def beat(who: Staff, token: str, active: bool) -> None:
    """Note that the desk is open. Only keys and clicks (`active`) put the idle hour off: an open page is nobody."""
    with writing() as conn:
        if active:
            staff.touch(conn, token, who.id, now())
        else:
            conn.execute(update(accounts).where(accounts.c.id == who.id).values(seen_at=now()))


def me(who: Staff) -> dict:
    """Give who is signed in, the page's CSRF token and the hours of the agents."""
    moment = now()
    info = load_hospital().info
    end, start = closes_at("agents", moment), next_opening("agents", moment)
    with reading() as conn:
        row = conn.execute(select(accounts).where(accounts.c.id == who.id)).one()
    hours = f"人工服务至{end:%H:%M}" if end else f"人工服务{start:%m-%d %H:%M}开始" if start else "人工服务时间外"
    return {
        "name": who.name,
        "number": who.number,
        "role": who.role,
        "role_name": who.role_name,
        "rights": roles.rights_of(who.role),
        "duty": row.duty,
        "capacity": row.capacity,
        "skills": row.skills or [],
        "department": who.department,
        "skill_names": roles.SKILLS,
        "csrf": who.csrf,
        "hospital": info.name,
        "phones": {"emergency": info.phones["emergency"], "duty": info.phones["duty"]},
        "open": is_open("agents", moment),
        "hours": hours,
        "outcomes": [{"key": key, "name": name} for key, name in OUTCOMES.items()],
        "max_characters": inbound.MAX_CHARACTERS,
        "now": moment.isoformat(),
    }


# ---- looking


def news_of_chat(who: Staff, chat: str, since: int) -> dict:
    """Give the lines after `since` and who holds, has read, types; `gone`: it is no longer his to read. Audited."""
    with reading() as conn:
        row = store.holding(conn, chat)
        if row is None or not store.may_read(conn, row, who):
            name = store.staff_names(conn, [row.agent_id]).get(row.agent_id, "") if row else ""
            return {"id": chat, "gone": True, "holder_name": name, "lines": []}
        rows = transcript.since(conn, chat, since)
        seen = _line_views(conn, chat, rows)
        names = store.staff_names(conn, [row.agent_id])
        read = marks.of(conn, chat, now())
        quota = views.quota_view(outbox.quota(conn, chat, now()))
        talks = _talks_of_person(conn, who, chat)
    _audit_reading(who, chat, rows)
    typing = read.pop("patient_typing")
    live = {"read": read, "typing": typing, "quota": quota, "talks": talks}
    return {"id": chat, "gone": False, **views.holder_view(row, names, who.id), **live, "lines": seen}


def open_chat(who: Staff, chat: str) -> dict:
    """Give a conversation with its last lines and the panel. The reading is audited. Raises Refused (404, 403)."""
    with reading() as conn:
        row = readable(conn, who, chat)
        rows = store.lines_before(conn, chat, None)
        seen = _line_views(conn, chat, rows)
        names = store.staff_names(conn, [row.agent_id])
        read = marks.of(conn, chat, now())
        quota = views.quota_view(outbox.quota(conn, chat, now()))
        talks = _talks_of_person(conn, who, chat)
    _audit_reading(who, chat, rows)
    return {
        "id": chat,
        "quota": quota,
        "talks": talks,
        "read": {name: read[name] for name in marks.SEQS},
        "visitor": views.visitor(chat),
        "channel": words.CHANNELS.get(row.channel, row.channel),
        "reason": words.reason_text(row.queue_reason) if row.queue_reason else "",
        **views.holder_view(row, names, who.id),
        "lines": seen,
        "more": bool(rows) and rows[0].seq > 1,
        "panel": panel(who, chat),
    }


def _talks_of_person(conn, who: Staff, chat: str) -> list[dict]:
    """Give the talks of the same verified person that he may read, where he wrote last first; [] when this is his only one."""
    if len(binding.same_person(conn, chat, now())) < 2:
        return []
    found = person.talks_of(conn, chat, now())
    if len(found) < 2 or not (who.may("see_all") or store.serves(conn, chat, who)):
        return []
    names = store.staff_names(conn, [row.agent_id for row in found])
    return [views.talk_view(row, names, who.id) for row in found]


def earlier_lines(who: Staff, chat: str, before: int) -> dict:
    """Give the page of lines before a seq, audited. Raises Refused (404, 403)."""
    with reading() as conn:
        readable(conn, who, chat)
        rows = store.lines_before(conn, chat, before)
        seen = _line_views(conn, chat, rows)
    _audit_reading(who, chat, rows)
    return {"lines": seen, "more": bool(rows) and rows[0].seq > 1}


def panel(who: Staff, chat: str) -> dict:
    """Give what is known besides the words: task, patients (each reading audited), tickets, alerts."""
    moment = now()
    with writing() as conn:
        row = readable(conn, who, chat)
        patients = []
        for relation, patient_id in access.linked(conn, chat, moment).items():
            detail = {"purpose": "人工接待", "conversation": chat}
            access.record(conn, actor(who), "read", moment, patient_id, detail)
            shown = views.patient_view(relation, access.load(conn, patient_id), local(moment).date())
            patients.append({"id": patient_id, **shown})
        filed = [views.ticket_view(ticket) for ticket in store.tickets_of(conn, chat)]
        raised = store.alerts_of(conn, chat)
        names = store.staff_names(conn, [each.seen_by for each in raised])
        hidden = store.names_to_hide(conn, [chat])[chat]
        beside = {
            "notes": aids.read_notes(conn, chat),
            "tags": aids.tags_of(conn, chat),
            "rating": store.rating_of(conn, chat),
        }
    memory = ((row.tracker or {}).get("slots") or {}).get("memory") or {}
    shown = {
        **beside,
        "summary": (memory.get("person") or {}).get("summary") or None,
        **views.task_view(row.tracker),
        "patients": patients,
        "tickets": filed,
        "alerts": [views.past_alert_view(each, names) for each in raised],
    }
    for task in [shown["task"], *shown["suspended"]]:
        for fact in task["facts"] if task else ():
            fact["value"] = views.hide(fact["value"], hidden)
    return shown


def all_chats(who: Staff) -> dict:
    """Give the supervisor what the bot and the colleagues hold; `away`: the colleague's desk is closed."""
    moment = now()
    with reading() as conn:
        rows = [row for row in store.recent(conn, moment) if not (row.holder == "agent" and row.agent_id == who.id)]
        ids = [row.id for row in rows]
        newest, hidden = store.last_patient_lines(conn, ids), store.names_to_hide(conn, ids)
        holders = [row.agent_id for row in rows if row.holder == "agent"]
        names, gone = store.staff_names(conn, holders), store.away(conn, holders, moment)
    return {
        "chats": [
            {
                **views.chat_item(row, newest.get(row.id), hidden[row.id]),
                **views.holder_view(row, names, who.id),
                "updated_at": row.updated_at.isoformat(),
                "away": row.holder == "agent" and row.agent_id in gone,
            }
            for row in rows
        ]
    }


def _line_views(conn, chat: str, rows: list) -> list[dict]:
    if not rows:
        return []
    hidden = store.names_to_hide(conn, [chat])[chat]
    names = store.staff_names(conn, [(row.meta or {}).get("staff") for row in rows if row.sender == "agent"])
    return [views.line_view(row, hidden, names) for row in rows]


def _audit_reading(who: Staff, chat: str, rows: list) -> None:
    """Say in the audit which lines he has been shown (R5, R8)."""
    if rows:
        audit(who, "transcript_read", {"conversation": chat, "from": rows[0].seq, "to": rows[-1].seq})
