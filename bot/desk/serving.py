"""The deeds of who serves a patient: take, say, hand on, give back. Each is one synchronous call for the thread pool."""

from sqlalchemy import select, update

from bot.clock import now
from bot.conversations import danger, handover, holding, inbound, marks, person
from bot.conversations.holding import AlreadyTaken, NotHeld, NothingLeft
from bot.conversations.tables import alerts
from bot.desk import aids, store
from bot.desk.door import NOT_YOURS, actor, audit, readable
from bot.desk.reading import UNKNOWN_CHAT
from bot.desk.service import OUTCOMES
from bot.language.lint import lint
from bot.patients import access
from bot.patients.masking import mask
from bot.staff import roles
from bot.staff import service as staff
from bot.staff.service import Staff
from bot.storage.engine import reading, writing
from bot.web.errors import Refused

NOT_HELD = "这个会话现在不由您接待，内容没有发出。"
USED_UP = "微信现在收不到这条回复，没有发出。患者再次发来消息后，请您重新发送。"
SHORTER = "微信还可以发送{left}条，这条回复装不下，没有发出。请您缩短后再发送。"
EMPTY = "请先输入要发送的内容。"
TOO_LONG = f"内容超过{inbound.MAX_CHARACTERS}字，请分成几段发送。"
BAD_OUTCOME = "请选择这次接待的结果。"
NOBODY_WAITS = "现在没有患者在排队。"
NUMBER_ADVICE = "请尽量避免发送完整的证件号、手机号或卡号，可以只写后四位。"


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
    _take_beside(who, chat)


def _take_beside(who: Staff, chat: str) -> None:
    """Take what the same person waits in on other channels: he is one patient, with one agent."""
    moment = now()
    with reading() as conn:
        waiting = [row.id for row in person.talks_of(conn, chat, moment) if row.holder == "queue"]
    for each in waiting:
        try:
            holding.take(each, who.id, notice_of_taking(who), moment)
        except AlreadyTaken:
            continue
        audit(who, "taken", {"conversation": each, "same_person": True})


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

    Raises Refused: 400 nothing to send, 413 too long, 404, 409 when he does not hold the talk or WeChat lets nothing through.
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
    seq = written(who, chat, text, client_id)
    if found:
        audit(who, "wording_kept", {"conversation": chat, "seq": seq, "rules": [each["rule"] for each in found]})
    return {"seq": seq}


def written(who: Staff, chat: str, text: str, client_id: str, data: dict | None = None) -> int:
    """Write his line and give its seq. Raises Refused (409): the talk is not his, or WeChat lets nothing through."""
    try:
        return holding.say(chat, who.id, text, client_id, now(), data)
    except NotHeld as error:
        raise Refused(409, "not_held", NOT_HELD) from error
    except NothingLeft as error:
        raise Refused(409, "quota", SHORTER.format(left=error.left) if error.left else USED_UP) from error


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


def check(who: Staff, chat: str, text: str) -> dict:
    """Give what the language rules would change in a draft; nothing is sent. Raises Refused (403, 404)."""
    with reading() as conn:
        row = readable(conn, who, chat)
        return {"warnings": warnings(text, row.tracker, store.patient_words(conn, chat))}


def set_typing(who: Staff, chat: str, typing: bool) -> None:
    """Let the patient see that he is typing, or has stopped. Raises Refused (409)."""
    with writing() as conn:
        _held(conn, who, chat)
        marks.typing(conn, chat, "agent", now() if typing else None)


def set_read(who: Staff, chat: str, seq: int) -> None:
    """Note how far he has read. Raises Refused (409)."""
    with writing() as conn:
        _held(conn, who, chat)
        marks.move(conn, chat, agent_read=seq)


def _held(conn, who: Staff, chat: str):
    row = store.conversation(conn, chat)
    if row is None or row.holder != "agent" or row.agent_id != who.id:
        raise Refused(409, "not_held", NOT_YOURS)
    return row


def give_back(who: Staff, chat: str, outcome: str, summary: str = "", ask_rating: bool = False) -> None:
    """Return the talk to the bot and keep what came of it. Raises Refused: 400 unknown outcome, 409 not his."""
    if outcome not in OUTCOMES:
        raise Refused(400, "outcome", BAD_OUTCOME)
    summary = mask(summary.strip()).text
    with reading() as conn:
        beside = _beside(conn, who, chat)
    try:
        holding.give_back(chat, who.id, NOTICE_OF_RETURN, now(), outcome, summary, ask_rating)
        for other in beside:
            holding.give_back(other, who.id, NOTICE_OF_RETURN, now(), outcome, summary)
    except NotHeld as error:
        raise Refused(409, "not_held", NOT_YOURS) from error
    for each in (chat, *beside):
        audit(who, "given_back", {"conversation": each, "outcome": outcome})


def _beside(conn, who: Staff, chat: str) -> list[str]:
    """Give the other talks of the same person that he holds: they go where this one goes."""
    held = {row.id for row in holding.held_in(conn, who.id)}
    return [row.id for row in person.talks_of(conn, chat, now()) if row.id in held and row.id != chat]


def transfer(who: Staff, chat: str, note: str, to: int | None, skill: str) -> None:
    """Hand the talk to a colleague who is here, or to a skill group at its old place, with a note for who comes.

    Raises Refused: 400 neither or unknown, 409 not his, or the colleague is away or has no place left.
    """
    moment = now()
    if (to is None) == (not skill) or (skill and skill not in roles.SKILLS) or to == who.id:
        raise Refused(400, "transfer", "请选择一位同事或一个技能组。")
    with reading() as conn:
        _held(conn, who, chat)
        beside = _beside(conn, who, chat)
        colleague = None
        if to is not None:
            present = {row.id: row for row in staff.here(conn, moment) if row.duty != "break"}
            colleague = present.get(to)
            full = colleague is not None and len(holding.held_in(conn, to)) >= colleague.capacity
            if colleague is None or full:
                raise Refused(409, "away", "这位同事现在不在岗或接待已满，请选择其他同事或技能组。")
    try:
        if colleague is not None:
            notice = NOTICE_OF_TRANSFER.format(name=colleague.name, number=colleague.number)
            for each in (chat, *beside):
                holding.hand_on(each, who.id, colleague.id, notice, moment)
        else:
            with writing() as conn:
                for each in (chat, *beside):
                    holding.put_back(conn, each, who.id, NOTICE_OF_GROUP, moment, skill)
    except NotHeld as error:
        raise Refused(409, "not_held", NOT_YOURS) from error
    with writing() as conn:
        if note.strip():
            aids.write_note(conn, who, chat, note.strip(), moment)
        access.record(conn, actor(who), "transferred", moment, detail={"conversation": chat, "to": to, "skill": skill})


def see_alert(who: Staff, alert_id: int) -> None:
    """Note that he has seen a danger sign; the first one who does stays noted. Raises Refused (404, 403)."""
    moment = now()
    with writing() as conn:
        row = conn.execute(select(alerts).where(alerts.c.id == alert_id)).first()
        if row is None:
            raise Refused(404, "unknown_alert", "没有找到这条警示，列表已为您更新。")
        if row.seen_by is None:
            readable(conn, who, row.conversation_id)
        conn.execute(
            update(alerts)
            .where(alerts.c.id == alert_id, alerts.c.seen_by.is_(None))
            .values(seen_by=who.id, seen_at=moment)
        )
        access.record(conn, actor(who), "alert_seen", moment, detail={"alert": alert_id})


def notice_of_taking(who: Staff) -> str:
    """Give what the patient reads when a person comes."""
    return handover.TAKEN.format(name=who.name, number=who.number)


NOTICE_OF_TRANSFER = "接下来由人工客服{name}（工号{number}）继续为您服务，之前的内容已经转告，您可以直接往下说。"
NOTICE_OF_GROUP = "正在为您转接更熟悉这方面的同事，您排在第{place}位，请您稍等。"
NOTICE_OF_RETURN = "人工服务已结束，已为您转回智能客服。请问还有什么可以帮到您？需要人工时，请随时发送“转人工”。"
