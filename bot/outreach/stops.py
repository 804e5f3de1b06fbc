"""What patients are told when a clinic is stopped (停诊) or takes place after all. Due handlers."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from bot.appointments import service, waiting
from bot.appointments.model import SHANGHAI, Booking
from bot.appointments.tables import bookings, openings, sessions
from bot.appointments.words import booking_text
from bot.conversations import notices
from bot.conversations.tables import conversations, lines, marks, outbox
from bot.outreach import sms
from bot.outreach.waitlist import session_text
from bot.patients import access
from bot.storage import due
from bot.tickets import service as tickets
from bot.tickets.model import UNDONE

STOPPED = "clinic_stopped"
LIVE = timedelta(minutes=30)  # who has written so lately reads what appears in the chat


def changed(conn: Connection, payload: dict, now: datetime) -> None:
    """Tell everybody in a session that it is stopped, or that it takes place after all: once for each change."""
    session = conn.execute(select(sessions).where(sessions.c.id == payload["session"]).with_for_update()).one()
    if not session.stopped:
        due.schedule(conn, "waitlist_match", str(session.id), now, {"session": session.id})
    if session.stopped == session.told_stopped:
        return
    conn.execute(update(sessions).where(sessions.c.id == session.id).values(told_stopped=session.stopped))
    tell = _tell_stopped if session.stopped else _tell_resumed
    for booking, conversation_id in _booked(conn, session.id):
        tell(conn, booking, conversation_id, session.stop_reason, now)
    for known in waiting.suspend(conn, session.id) if session.stopped else ():
        notices.post(
            conn,
            known.conversation_id,
            f"停诊通知：很抱歉，您候补的{session_text(known, now)}停诊了。您的候补位置先为您保留，恢复出诊后有号会在这里通知您；"
            "您也可以看看其他时间。",
            [{"title": "看看其他时间", "payload": payload_of("book_appointment", department=known.department)}],
            now,
        )


def unanswered(conn: Connection, payload: dict, now: datetime) -> None:
    """The patient has chosen nothing since he was told: a person telephones."""
    booking = service.booking(conn, payload["booking"])
    if booking.state == "booked" and booking.stopped and booking.starts_at > now:
        _telephone(conn, booking, payload["conversation"], now)


def _booked(conn: Connection, session_id: int) -> list[tuple[Booking, str]]:
    rows = conn.execute(
        select(bookings.c.id, bookings.c.conversation_id)
        .select_from(bookings.join(openings, bookings.c.opening_id == openings.c.id))
        .where(openings.c.session_id == session_id, bookings.c.state == "booked")
        .order_by(bookings.c.id)
    ).all()
    return [(service.booking(conn, row.id), row.conversation_id) for row in rows]


def _tell_stopped(conn: Connection, booking: Booking, conversation_id: str, reason: str, now: datetime) -> None:
    if booking.starts_at <= now:
        return
    relation = access.relation(conn, conversation_id, booking.patient_id)
    facts = {"booking": booking.id} | ({"relation": relation} if relation else {})
    notices.post(
        conn,
        conversation_id,
        f"停诊通知：很抱歉，您的预约{booking.number}（{_shown(booking, now)}）停诊，原因：{reason}。"
        "线上没有收费，您无需付款或退款，也免记失约。预约先为您保留，请您选择怎么安排：",
        [
            {
                "title": "改看其他医生",
                "payload": payload_of(
                    "reschedule_appointment", **facts, department=booking.department, any_doctor=True
                ),
            },
            {"title": "改约其他时间", "payload": payload_of("reschedule_appointment", **facts)},
            {"title": "退号", "payload": payload_of("cancel_appointment", **facts)},
        ],
        now,
        {
            "kind": STOPPED,
            "facts": {
                "department": "门诊预约",  # which department somebody goes to is nobody's business on a lock screen
                "time": f"{booking.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                "place": "",
                "number": booking.number,
                "state": "已停诊",
                "tip": "请打开公众号选择改约或退号",
            },
        },
    )
    text = "您的一个预约有变动，请打开智能客服页面查看并选择。"
    sms.schedule(conn, f"stop:{booking.id}", booking.patient_id, text, now, booking.starts_at)
    heard = conn.execute(select(conversations.c.newest_at).where(conversations.c.id == conversation_id)).scalar()
    if heard is None or heard < now - LIVE:
        _telephone(conn, booking, conversation_id, now)
    else:
        at = now + timedelta(minutes=service.rules().stop_answer_minutes)
        given = {"booking": booking.id, "conversation": conversation_id}
        due.schedule(conn, "stop_unanswered", str(booking.id), at, given)


def _tell_resumed(conn: Connection, booking: Booking, conversation_id: str, _reason: None, now: datetime) -> None:
    due.settle(conn, "stop_unanswered", str(booking.id))
    if booking.starts_at > now:
        notices.post(
            conn,
            conversation_id,
            f"出诊恢复通知：您的预约{booking.number}（{_shown(booking, now)}）恢复正常出诊，预约仍然有效，请您按时到院取号。"
            "让您费心了，谢谢您的理解。",
            [],
            now,
        )


def _telephone(conn: Connection, booking: Booking, conversation_id: str, now: datetime) -> None:
    """File a task for the service centre, once for each day the booking is stopped."""
    tickets.file(
        conn,
        conversation_id,
        "review",
        {"event": f"停诊后请电话联系患者改约或退号：预约号{booking.number}，{_shown(booking, now)}"},
        now,
        "web",
        patient_id=booking.patient_id,
        key=f"stop:{booking.id}:{_today(now)}",
    )


@dataclass(frozen=True)
class Told:
    """How far one patient of a stopped session has got."""

    number: str  # of the booking
    starts_at: datetime
    conversation_id: str
    state: str  # telling · waiting (for his choice) · chosen · call (a person telephones) · called · told
    until: datetime | None  # when a person telephones
    seen: str  # read · arrived · sent · unreached; "" before he is told
    ticket_id: int | None
    ticket: str | None


def progress(conn: Connection, session_ids: list[int], now: datetime) -> list[Told]:
    """Give everybody who was or is to be told of a stop, in the order of the visits; who had left before is not among them."""
    rows = conn.execute(
        select(bookings, openings.c.starts_at)
        .select_from(bookings.join(openings, bookings.c.opening_id == openings.c.id))
        .where(openings.c.session_id.in_(session_ids))
        .order_by(openings.c.starts_at, bookings.c.id)
    ).all()
    said = _notices(conn, {row.conversation_id for row in rows})
    found = []
    for row in rows:
        notice = said.get((row.conversation_id, row.number))
        if (row.state != "booked" and notice is None) or (notice is None and row.starts_at <= now):
            continue
        task = tickets.filed_last(conn, row.conversation_id, f"stop:{row.id}:")
        until = due.when(conn, "stop_unanswered", str(row.id))
        if notice is None:
            state = "telling"
        elif row.state != "booked":
            state = "chosen"
        elif task is not None:
            state = "call" if task.state in UNDONE else "called"
        else:
            state = "waiting" if until is not None else "told"
        seen = _seen(conn, row.conversation_id, notice) if notice else ""
        known = (task.id, task.number) if task else (None, None)
        waits = until if state == "waiting" else None
        found.append(Told(row.number, row.starts_at, row.conversation_id, state, waits, seen, *known))
    return found


def _notices(conn: Connection, conversation_ids: set[str]) -> dict[tuple[str, str], int]:
    """Give (conversation, booking number) → seq of the last notice that this booking is stopped."""
    rows = conn.execute(
        select(lines.c.conversation_id, lines.c.seq, lines.c.meta)
        .where(lines.c.conversation_id.in_(conversation_ids), lines.c.sender == "system", lines.c.meta.is_not(None))
        .order_by(lines.c.seq)
    ).all()
    found = {}
    for row in rows:
        notice = (row.meta or {}).get("notice") or {}
        if notice.get("kind") == STOPPED:
            found[row.conversation_id, notice["facts"]["number"]] = row.seq
    return found


def _seen(conn: Connection, conversation_id: str, seq: int) -> str:
    mark = conn.execute(select(marks).where(marks.c.conversation_id == conversation_id)).first()
    if mark is not None and mark.patient_read >= seq:
        return "read"
    if mark is not None and mark.patient_got >= seq:
        return "arrived"
    this = (outbox.c.conversation_id == conversation_id, outbox.c.seq == seq)
    state = conn.execute(select(outbox.c.state).where(*this)).scalar()
    return {"sent": "arrived", "held": "unreached", "dropped": "unreached"}.get(state, "sent")


def _shown(booking: Booking, now: datetime) -> str:
    return booking_text(booking, _today(now))


def payload_of(intent: str, **facts) -> str:
    """Give what a button stands for: an intent with facts."""
    return f"/{intent}" + json.dumps(facts, ensure_ascii=False)


def _today(now: datetime):
    return now.astimezone(SHANGHAI).date()
