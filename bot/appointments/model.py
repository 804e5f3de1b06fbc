"""Rules of booking as plain functions: no SQL, no clock. All numbers are the hospital's (hospital.yml, booking)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.errors import DaoyiError

SHANGHAI = ZoneInfo("Asia/Shanghai")
SPAN_DAYS = 90  # 三个月
STARTS = {"am": time(8, 0), "pm": time(14, 0), "evening": time(18, 0)}


@dataclass(frozen=True)
class Rules:
    """What the hospital allows (R75-R82)."""

    window_days: int
    slot_minutes: int
    hold_minutes: int
    per_day_same_department: int
    per_day: int
    per_7_days: int
    per_3_months: int
    cancel_minutes_normal: int
    lead_minutes: int  # an opening that begins sooner is given out at the window only
    offer_minutes: int  # how long an opening is kept for who is next on the waitlist
    offer_hours_before: int  # no offers so near to the visit
    stop_answer_minutes: int  # without an answer to a stopped clinic for so long, a person telephones

    @classmethod
    def of(cls, booking) -> "Rules":
        """Read the rules from hospital.yml's `booking`."""
        return cls(
            window_days=booking["window_days"],
            slot_minutes=booking["slot_minutes"],
            hold_minutes=booking["hold_minutes"],
            per_day_same_department=booking["per_day_same_department"],
            per_day=booking["per_day"],
            per_7_days=booking["per_7_days"],
            per_3_months=booking["per_3_months"],
            cancel_minutes_normal=booking["cancel_before"]["normal_minutes"],
            lead_minutes=booking["collect_minutes_before"],
            offer_minutes=booking["waitlist"]["offer_minutes"],
            offer_hours_before=booking["waitlist"]["offer_hours_before"],
            stop_answer_minutes=booking["stop_answer_minutes"],
        )


@dataclass(frozen=True)
class Clinic:
    """A session on one day, with what is left of it."""

    id: int
    day: date
    period: str
    doctor: str
    department: str
    slot_class: str
    room: str
    fee_item: str
    stopped: bool
    stop_reason: str | None
    free: int
    next_at: datetime | None  # the earliest free opening
    late: int = 0  # free, but so near that they are given out at the window only
    waitable: bool = True  # its last opening is far enough away for an offer to the waitlist


@dataclass(frozen=True)
class Booking:
    """A booking with what a receipt says."""

    id: int
    number: str
    patient_id: int
    state: str
    starts_at: datetime
    opening_id: int
    session_id: int
    day: date
    period: str
    doctor: str
    department: str
    slot_class: str
    room: str
    fee_item: str
    stopped: bool = False  # the session does not take place (停诊): the booking counts for no limit


@dataclass(frozen=True)
class Waiting:
    """An entry of the waitlist (候补), with its session."""

    id: int
    session_id: int
    patient_id: int
    conversation_id: str
    state: str
    opening_id: int | None
    offered_until: datetime | None
    starts_at: datetime | None  # of the opening that is offered
    day: date
    period: str
    doctor: str
    department: str
    slot_class: str
    room: str
    fee_item: str
    stopped: bool
    stop_reason: str | None


class NotOffered(DaoyiError):
    """Nothing is offered under this entry of the waitlist: answered before, or the time has run out."""


class Taken(DaoyiError):
    """The opening has gone to somebody else, or its session has been stopped."""


class Duplicate(DaoyiError):
    """The patient has a booking in this department on this day (R80)."""

    def __init__(self, booking: Booking):
        super().__init__(booking.number)
        self.booking = booking


class LimitReached(DaoyiError):
    """The patient has as many bookings as the hospital allows; `days` is the span and `limit` the number."""

    def __init__(self, days: int, limit: int):
        super().__init__(f"{limit} in {days} days")
        self.days, self.limit = days, limit


class TooLate(DaoyiError):
    """The time until which a booking may be given back online has passed."""


def slot_times(day: date, period: str, quota: int, minutes: int) -> list[datetime]:
    """Give the start of each opening of a half-day, `minutes` apart, two or more at once where the quota asks for it."""
    first = datetime.combine(day, STARTS[period], SHANGHAI)
    room = {"am": 240, "pm": 210, "evening": 150}[period] // minutes
    return [first + timedelta(minutes=minutes * (i % room), seconds=i // room) for i in range(quota)]


def check_limits(days: list[date], wanted: date, rules: Rules) -> None:
    """Raise LimitReached when one more booking on `wanted` would be too many beside the days already booked.

    A limit holds for every row of `span` days in a line that has `wanted` among them.
    """
    for span, limit in ((1, rules.per_day), (7, rules.per_7_days), (SPAN_DAYS, rules.per_3_months)):
        for earlier in range(span):
            first = wanted - timedelta(days=earlier)
            if sum(first <= day < first + timedelta(days=span) for day in days) >= limit:
                raise LimitReached(span, limit)


def timetable_weekday(day: date, working: bool) -> int:
    """Give whose weekday's timetable (1 = Monday) runs on `day`: a public holiday runs Sunday's few clinics.

    A weekend day worked in exchange (调休) keeps its own timetable: which weekday it stands for is announced anew each
    time, and a clinic that is offered and does not take place is worse than one that is missing.
    """
    weekday = day.isoweekday()
    return weekday if working or weekday > 5 else 7


def nth_number(day: str, opening_id: int, nth: int) -> str:
    """Give a booking's number: that of its opening, and from the second booking of it on a letter (A … Z, AA …)."""
    letters = ""
    while nth:
        nth, rest = divmod(nth - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"YY{day}-{opening_id:04d}{letters}"


def last_cancel(starts_at: datetime, slot_class: str, rules: Rules) -> datetime:
    """Give the moment until which a booking may be given back: half an hour before, half a day for experts."""
    if slot_class == "normal":
        return starts_at - timedelta(minutes=rules.cancel_minutes_normal)
    return starts_at - timedelta(hours=12)
