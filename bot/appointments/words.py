"""Days, times, doctors, clinics and bookings as a patient reads them."""

from datetime import date, datetime

from bot.appointments.model import Booking, Clinic, last_cancel
from bot.appointments.service import rules
from bot.clock import local
from bot.hospital.load import load_hospital
from bot.hospital.model import PERIODS, SLOT_CLASSES
from bot.money import yuan_text

WEEKDAYS = "一二三四五六日"
NEAR = {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"}


def day_text(day: date, today: date) -> str:
    """Give 明天（12月2日周三）, and 12月8日周二 for days farther away."""
    plain = f"{day.month}月{day.day}日周{WEEKDAYS[day.weekday()]}"
    near = NEAR.get((day - today).days)
    return f"{near}（{plain}）" if near else plain


def moment_text(moment: datetime, today: date) -> str:
    """Give 明天（12月2日周三）09:10."""
    shown = local(moment)
    return f"{day_text(shown.date(), today)}{shown:%H:%M}"


def deadline_text(moment: datetime) -> str:
    """Give 12月8日周二17:30."""
    shown = local(moment)
    return f"{shown.month}月{shown.day}日周{WEEKDAYS[shown.weekday()]}{shown:%H:%M}"


def doctor_text(code: str) -> str:
    """Give 张建华主任医师."""
    doctor = load_hospital().doctors[code]
    return f"{doctor.name}{doctor.title_name}"


def department_text(code: str) -> str:
    """Give a department's name."""
    return load_hospital().departments[code].name


def fee_text(item: str) -> str:
    """Give the price of an item."""
    return yuan_text(load_hospital().prices[item].price)


def clinic_title(clinic: Clinic, today: date, with_day: bool) -> str:
    """Give one clinic as a button or line: 明天上午 张建华主任医师 专家号 30元 余3."""
    day = day_text(clinic.day, today).split("（")[0] if with_day else ""
    left = "停诊" if clinic.stopped else f"余{clinic.free}个" if clinic.free else "请到窗口" if clinic.late else "约满"
    at = f"{local(clinic.next_at):%H:%M}" if clinic.free and clinic.next_at else ""
    return (
        f"{day}{PERIODS[clinic.period]}{at} {doctor_text(clinic.doctor)} "
        f"{SLOT_CLASSES[clinic.slot_class]} {fee_text(clinic.fee_item)} {left}"
    )


def clinic_text(clinic: Clinic, today: date) -> str:
    """Give a clinic without what is left of it."""
    return clinic_title(clinic, today, True).rsplit(" ", 1)[0]


def booking_text(booking: Booking, today: date) -> str:
    """Give one booking in a line."""
    return (
        f"{moment_text(booking.starts_at, today)} {department_text(booking.department)} "
        f"{doctor_text(booking.doctor)}（{SLOT_CLASSES[booking.slot_class]}）"
    )


def receipt_text(booking: Booking, patient: str, today: date, now: datetime) -> str:
    """Give the written receipt (R59); `patient` is the name with its middle hidden."""
    limits = rules()
    until = last_cancel(booking.starts_at, booking.slot_class, limits)
    return (
        f"预约成功\n预约号：{booking.number}\n就诊人：{patient}\n时间：{moment_text(booking.starts_at, today)}\n"
        f"科室：{department_text(booking.department)}\n医生：{doctor_text(booking.doctor)}（{SLOT_CLASSES[booking.slot_class]}）\n"
        f"地点：{booking.room}\n费用：{fee_text(booking.fee_item)}，到院取号时缴费\n"
        f"请提前{limits.lead_minutes}分钟携带身份证或医保码取号。"
        + (
            f"如需退号，请在{deadline_text(until)}前办理。"
            if until > now
            else "线上退号的时间已过，如需取消请拨打客服电话。"
        )
    )
