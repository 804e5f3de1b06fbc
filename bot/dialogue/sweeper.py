"""What the clock does: each kind of due row has one handler, found here by name."""

import logging
from datetime import datetime, timedelta

from bot.appointments import schedule
from bot.appointments import service as appointments
from bot.conversations import erasure, handover
from bot.conversations.transcript import record_incident
from bot.outreach import reminders, sms, stops, waitlist
from bot.patients import access
from bot.settings import settings
from bot.storage import due
from bot.storage.engine import reading, writing
from bot.tickets import clock as tickets

log = logging.getLogger(__name__)
REPORTED = 3  # failures in a row after which the technical department has a row (R81)


def _retention(conn, _payload: dict, now: datetime) -> datetime:
    erasure.erase_old(conn, now, settings().retention_days)
    access.forget_old(conn, now, settings().retention_days)
    return now + timedelta(days=1)


HANDLERS = {
    "retention": _retention,
    "release_hold": appointments.release_hold,
    "top_up": schedule.top_up_daily,
    "waitlist_match": waitlist.match,
    "waitlist_lapse": waitlist.lapse,
    "waitlist_close": waitlist.close,
    "clinic_changed": stops.changed,
    "stop_unanswered": stops.unanswered,
    "visit_reminder": reminders.remind,
    **tickets.HANDLERS,
    **handover.HANDLERS,
}
SENDERS = {"sms": sms.send}  # these speak to another machine: no transaction is open meanwhile


def sweep(now: datetime) -> int:
    """Do what is due and give how many rows were done. A row that fails comes back later, less and less often."""
    with reading() as conn:
        if not due.pending(conn, now):
            return 0
    with writing() as conn:
        rows = due.claim(conn, now)
    done = 0
    for row in rows:
        try:
            if row.kind in SENDERS:
                SENDERS[row.kind](row.payload, now)
            with writing() as conn:
                again = None if row.kind in SENDERS else HANDLERS[row.kind](conn, row.payload, now)
                due.finish(conn, row, again)
            done += 1
        except Exception as error:
            log.exception("due %s %s failed (attempt %s)", row.kind, row.id, row.attempts + 1)
            if row.attempts + 1 == REPORTED:
                with writing() as conn:
                    record_incident(conn, None, "due_failed", f"{row.kind} {row.id}: {type(error).__name__}", now)
    return done
