"""The desk's deeds, each one synchronous call for the thread pool: sign in, look, take, say, give back."""

import hashlib
import json

from sqlalchemy import select, update

from bot.clock import local, now
from bot.conversations import danger, holding, inbound, transcript
from bot.conversations.holding import AlreadyTaken, NotHeld
from bot.conversations.tables import alerts
from bot.desk import store, views, words
from bot.desk.door import actor, audit
from bot.hospital.hours import closes_at, is_open, next_opening
from bot.hospital.load import load_hospital
from bot.language.lint import lint
from bot.patients import access
from bot.patients.masking import mask
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
UNKNOWN_CHAT = "没有找到这个会话，列表已为您更新。"
NOT_YOURS = "这个会话不在您名下，可以从排队列表接入。"
NOT_HELD = "这个会话现在不由您接待，内容没有发出。"
EMPTY = "请先输入要发送的内容。"
TOO_LONG = f"内容超过{inbound.MAX_CHARACTERS}字，请分成几段发送。"
BAD_OUTCOME = "请选择这次接待的结果。"
NOBODY_WAITS = "现在没有患者在排队。"
NUMBER_ADVICE = "请尽量避免发送完整的证件号、手机号或卡号，可以只写后四位。"


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
    """End a sign-in; with his last one he is no longer on duty."""
    moment = now()
    with writing() as conn:
        staff.sign_out(conn, token, moment)
        access.record(conn, actor(who), "sign_out", moment)
        if conn.execute(select(signins.c.token).where(signins.c.staff_id == who.id).limit(1)).first() is None:
            conn.execute(update(accounts).where(accounts.c.id == who.id).values(seen_at=None))


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
    hours = f"人工服务至{end:%H:%M}" if end else f"人工服务{start:%m-%d %H:%M}开始" if start else "人工服务时间外"
    return {
        "name": who.name,
        "number": who.number,
        "role": who.role,
        "role_name": who.role_name,
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


def desk_state(who: Staff) -> dict:
    """Give the three lists of the page: unseen alerts, who waits, whom he serves."""
    waiting, mine = holding.waiting(), holding.held_by(who.id)
    with reading() as conn:
        raised = danger.unseen(conn)
        shown = raised[: store.ALERTS_SHOWN]
        ids = {row.id for row in [*waiting, *mine]} | {row.conversation_id for row in shown}
        newest = store.last_patient_lines(conn, ids)
        hidden = store.names_to_hide(conn, ids)
        open_lines = store.unanswered(conn, [row.id for row in mine])
        said = store.alert_lines(conn, shown)
        holders = {each: store.conversation(conn, each) for each in {row.conversation_id for row in shown}}
        names = store.staff_names(conn, [row.agent_id for row in holders.values()])
    return {
        "alerts": [
            views.alert_item(
                row,
                views.preview(said[row.conversation_id, row.seq], hidden[row.conversation_id]),
                holder := holders[row.conversation_id].holder,
                names.get(holders[row.conversation_id].agent_id, ""),
                holder == "agent" and holders[row.conversation_id].agent_id == who.id,
            )
            for row in shown
        ],
        "alerts_more": len(raised) - len(shown),
        "queue": [
            views.queue_item(row, place, newest.get(row.id), hidden[row.id]) for place, row in enumerate(waiting, 1)
        ],
        "mine": [views.mine_item(row, newest.get(row.id), hidden[row.id], open_lines.get(row.id, [])) for row in mine],
    }


def version_of(state: dict) -> str:
    """Give a short mark that changes when the lists do."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]


def news(who: Staff, chat: str | None, since: int, version: str) -> dict:
    """Give what the page does not have yet; `changed` tells whether there is anything."""
    state = desk_state(who)
    found = {"now": now().isoformat(), "version": version_of(state), "desk": None, "chat": None}
    if found["version"] != version:
        found["desk"] = state
    if chat:
        found["chat"] = _news_of_chat(who, chat, since)
    found["changed"] = found["desk"] is not None or bool(found["chat"] and found["chat"]["lines"])
    return found


def _news_of_chat(who: Staff, chat: str, since: int) -> dict:
    with reading() as conn:
        row = store.conversation(conn, chat)
        if row is None or not store.may_read(conn, row, who):
            name = store.staff_names(conn, [row.agent_id]).get(row.agent_id, "") if row else ""
            return {"id": chat, "gone": True, "holder_name": name, "lines": []}
        rows = transcript.since(conn, chat, since)
        seen = _line_views(conn, chat, rows)
        names = store.staff_names(conn, [row.agent_id])
    _audit_reading(who, chat, rows)
    return {"id": chat, "gone": False, **views.holder_view(row, names, who.id), "lines": seen}


def open_chat(who: Staff, chat: str) -> dict:
    """Give a conversation with its last lines and the panel. The reading is audited. Raises Refused (404, 403)."""
    with reading() as conn:
        row = _readable(conn, who, chat)
        rows = store.lines_before(conn, chat, None)
        seen = _line_views(conn, chat, rows)
        names = store.staff_names(conn, [row.agent_id])
    _audit_reading(who, chat, rows)
    return {
        "id": chat,
        "visitor": views.visitor(chat),
        "channel": words.CHANNELS.get(row.channel, row.channel),
        "reason": words.reason_text(row.queue_reason) if row.queue_reason else "",
        **views.holder_view(row, names, who.id),
        "lines": seen,
        "more": bool(rows) and rows[0].seq > 1,
        "panel": panel(who, chat),
    }


def earlier_lines(who: Staff, chat: str, before: int) -> dict:
    """Give the page of lines before a seq, audited. Raises Refused (404, 403)."""
    with reading() as conn:
        _readable(conn, who, chat)
        rows = store.lines_before(conn, chat, before)
        seen = _line_views(conn, chat, rows)
    _audit_reading(who, chat, rows)
    return {"lines": seen, "more": bool(rows) and rows[0].seq > 1}


def panel(who: Staff, chat: str) -> dict:
    """Give what is known besides the words: task, patients (each reading audited), tickets, alerts."""
    moment = now()
    with writing() as conn:
        row = _readable(conn, who, chat)
        patients = []
        for relation, patient_id in access.linked(conn, chat, moment).items():
            detail = {"purpose": "人工接待", "conversation": chat}
            access.record(conn, actor(who), "read", moment, patient_id, detail)
            patients.append(views.patient_view(relation, access.load(conn, patient_id), local(moment).date()))
        filed = [views.ticket_view(ticket) for ticket in store.tickets_of(conn, chat)]
        raised = store.alerts_of(conn, chat)
        names = store.staff_names(conn, [each.seen_by for each in raised])
        hidden = store.names_to_hide(conn, [chat])[chat]
    shown = {
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


def _readable(conn, who: Staff, chat: str):
    row = store.conversation(conn, chat)
    if row is None:
        raise Refused(404, "unknown_chat", UNKNOWN_CHAT)
    if not store.may_read(conn, row, who):
        raise Refused(403, "not_yours", NOT_YOURS)
    return row


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


# ---- serving


def take(who: Staff, chat: str, over: bool = False) -> None:
    """Make him the one who answers; a second press is harmless. Raises Refused (404, 409 with the winner's name).

    `over`: a supervisor takes it from the bot or a colleague. An agent may also take a talk of the bot whose danger
    sign nobody has seen: it is put into the queue first (R85).
    """
    moment = now()
    with reading() as conn:
        row = store.conversation(conn, chat)
        if row is None:
            raise Refused(404, "unknown_chat", UNKNOWN_CHAT)
        alarmed = row.holder == "bot" and store.has_unseen_alert(conn, chat)
    if alarmed and not over:
        with writing() as conn:
            holding.enqueue(conn, chat, row.queue_reason or "危险信号待查看", moment, priority=danger.URGENT)
    try:
        holding.take(chat, who.id, notice_of_taking(who), moment, supervisor=over)
    except AlreadyTaken as taken:
        with reading() as conn:
            present = store.conversation(conn, chat)
            if present.holder == "agent" and present.agent_id == who.id:
                return
            name = staff.name_of(conn, taken.agent_id) if taken.agent_id is not None else ""
        said = f"这位患者已由{name}接待，您可以接待下一位。" if name else "这位患者已不在排队，由智能客服继续接待。"
        raise Refused(409, "taken", said) from taken
    audit(who, "taken_over" if over else "taken", {"conversation": chat})


def take_next(who: Staff) -> str:
    """Take the most urgent talk that waits and give its id. Raises Refused (404) when nobody waits."""
    for row in holding.waiting():
        try:
            take(who, row.id)
        except Refused:
            continue  # a colleague was quicker: the next one
        return row.id
    raise Refused(404, "nobody_waits", NOBODY_WAITS)


def say(who: Staff, chat: str, text: str, client_id: str, despite: bool) -> dict:
    """Send his line once per client_id and give {"seq"}, or {"warnings"} with nothing sent unless `despite` them.

    Raises Refused: 400 nothing to send, 413 too long, 404, 409 when he does not hold the talk.
    """
    try:
        text = inbound.clean(text).strip()
    except inbound.Empty as error:
        raise Refused(400, "empty", EMPTY) from error
    except inbound.TooLong as error:
        raise Refused(413, "too_long", TOO_LONG) from error
    with reading() as conn:
        if (earlier := store.own_line(conn, chat, who, client_id)) is not None:
            return {"seq": earlier}
        row = store.conversation(conn, chat)
        if row is None:
            raise Refused(404, "unknown_chat", UNKNOWN_CHAT)
        found = warnings(text, row.tracker, store.patient_words(conn, chat))
    if found and not despite:
        return {"warnings": found}
    try:
        seq = holding.say(chat, who.id, text, client_id, now())
    except NotHeld as error:
        raise Refused(409, "not_held", NOT_HELD) from error
    if found:
        audit(who, "wording_kept", {"conversation": chat, "seq": seq, "rules": [each["rule"] for each in found]})
    return {"seq": seq}


def warnings(text: str, tracker: dict | None, said_by_patient: list[str]) -> list[dict]:
    """Give what the hospital's language rules would change in a draft, once per rule and words."""
    memory = ((tracker or {}).get("slots") or {}).get("memory") or {}
    found = lint(
        text,
        quoted=said_by_patient,
        known_terms=memory.get("terms") or (),
        bereaved_or_complaint=bool(memory.get("complained") or memory.get("bereaved")),
    )
    shown = [{"rule": each.rule, "fragment": each.fragment, "advice": each.advice} for each in found]
    shown += [{"rule": "R5", "fragment": each.masked, "advice": NUMBER_ADVICE} for each in mask(text).secrets]
    return list({(each["rule"], each["fragment"]): each for each in shown}.values())


def give_back(who: Staff, chat: str, outcome: str) -> None:
    """Return the talk to the bot and keep what came of it. Raises Refused: 400 unknown outcome, 409 not his."""
    if outcome not in OUTCOMES:
        raise Refused(400, "outcome", BAD_OUTCOME)
    try:
        holding.give_back(chat, who.id, NOTICE_OF_RETURN, now())
    except NotHeld as error:
        raise Refused(409, "not_held", NOT_YOURS) from error
    audit(who, "given_back", {"conversation": chat, "outcome": outcome})


def see_alert(who: Staff, alert_id: int) -> None:
    """Note that he has seen a danger sign; the first one who does stays noted. Raises Refused (404, 403)."""
    moment = now()
    with writing() as conn:
        row = conn.execute(select(alerts).where(alerts.c.id == alert_id)).first()
        if row is None:
            raise Refused(404, "unknown_alert", "没有找到这条警示，列表已为您更新。")
        if row.seen_by is None:
            _readable(conn, who, row.conversation_id)
        conn.execute(
            update(alerts)
            .where(alerts.c.id == alert_id, alerts.c.seen_by.is_(None))
            .values(seen_by=who.id, seen_at=moment)
        )
        access.record(conn, actor(who), "alert_seen", moment, detail={"alert": alert_id})


def notice_of_taking(who: Staff) -> str:
    """Give what the patient reads when a person comes."""
    return f"您好，让您久等了。人工客服{who.name}（工号{who.number}）为您服务。"


NOTICE_OF_RETURN = "人工服务已结束，已为您转回智能客服。请问还有什么可以帮到您？需要人工时，请随时发送“转人工”。"
