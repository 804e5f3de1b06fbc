"""Which bill a patient means (昨天, 上个月住院, 上次门诊) and which of its days. Pure: today comes in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bot.fees.breakdown import ItemCharge, charges, on_days
from bot.hospital.model import BillLine, Hospital

WHOLE_STAY_FROM = 28  # 上个月住院 means the stay, also where it began the month before; 这三天 means three days
EMERGENCY = "emergency"


@dataclass(frozen=True)
class Bill:
    """The bill of a stay (住院) or a visit (门诊), with dates instead of days counted."""

    code: str
    setting: str  # inpatient, outpatient or emergency
    department: str  # its name
    first: date
    last: date | None  # None: still in hospital
    lines: tuple[BillLine, ...]
    deposit: Decimal | None  # 预交金, None for a visit

    def date_of(self, day: int) -> date:
        """Give the date of day 1, 2, …"""
        return self.first + timedelta(days=day - 1)

    @property
    def setting_name(self) -> str:
        """Give 住院, 门诊 or 急诊."""
        return {"inpatient": "住院", "emergency": "急诊"}.get(self.setting, "门诊")

    @property
    def title(self) -> str:
        """Give 住院（心血管内科，10月6日至10月14日）."""
        return f"{self.setting_name}（{self.department}，{self.span}）"

    @property
    def span(self) -> str:
        """Give 10月6日至10月14日, one day for a visit, 11月26日起 while the patient is in hospital."""
        start = day_month(self.first)
        if self.last is None:
            return f"{start}入院，目前在院"
        return start if self.last == self.first else f"{start}至{day_month(self.last)}"


def day_month(day: date) -> str:
    """Give 10月6日."""
    return f"{day.month}月{day.day}日"


def bills_of(hospital: Hospital, patient: str | None, today: date) -> list[Bill]:
    """Give a patient's bills, the latest first; [] for a patient whom the hospital's records do not know."""
    found = []
    for stay in hospital.stays.values():
        if patient and stay.patient == patient:
            last = stay.discharged.on(today) if stay.discharged else None
            found.append(_bill(hospital, stay, "inpatient", stay.admitted.on(today), last, stay.deposit))
    for visit in hospital.visits.values():
        if patient and visit.patient == patient:
            setting = "emergency" if visit.department == EMERGENCY else "outpatient"
            found.append(_bill(hospital, visit, setting, visit.day.on(today), visit.day.on(today), None))
    return sorted((bill for bill in found if bill.first <= today), key=lambda bill: bill.last or today, reverse=True)


def _bill(hospital: Hospital, encounter, setting: str, first: date, last: date | None, deposit: Decimal | None) -> Bill:
    department = hospital.departments[encounter.department].name
    return Bill(encounter.code, setting, department, first, last, encounter.lines, deposit)


def fitting(bills: Sequence[Bill], setting: str | None, span: tuple[date, date] | None, today: date) -> list[Bill]:
    """Give the bills of a setting that touch the days meant; None leaves either open."""
    return [
        bill
        for bill in bills
        if (setting is None or bill.setting == setting)
        and (span is None or (bill.first <= span[1] and (bill.last or today) >= span[0]))
    ]


def lines_of(bill: Bill, span: tuple[date, date] | None, today: date) -> tuple[tuple[BillLine, ...], bool]:
    """Give the lines of the days meant, and whether they are only a part of the bill.

    A span of four weeks or more, none at all, and one that the bill does not touch mean the whole bill.
    """
    if span is None or bill.setting != "inpatient" or (span[1] - span[0]).days + 1 >= WHOLE_STAY_FROM:
        return bill.lines, False
    first, last = (span[0] - bill.first).days + 1, (span[1] - bill.first).days + 1
    end = ((bill.last or today) - bill.first).days + 1
    if last < 1 or first > end or (first <= 1 and last >= end):
        return bill.lines, False
    return on_days(bill.lines, first, last), True


def look_back(span: tuple[date, date], today: date, words: str = "") -> tuple[date, date]:
    """Give the last such day for one that was read as the next: a bill lies behind (11月5日 said in late November)."""
    ahead = (span[0] - today).days
    if ahead <= 0:
        return span
    if any(name in words for name in ("周", "星期", "礼拜")):
        step = timedelta(days=7 * (-(-ahead // 7)))
        return span[0] - step, span[1] - step
    months = 12 if "月" in words or ahead > 31 else 1
    return _earlier(span[0], months), _earlier(span[1], months)


def _earlier(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    for last in range(day.day, 0, -1):
        try:
            return date(number // 12, number % 12 + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def charge_rows(bill: Bill, lines: Iterable[BillLine]) -> list[str]:
    """Give a line per item and price with quantity, sum and the days on which it was charged."""
    by_item: dict[tuple, list[ItemCharge]] = {}
    for charge in charges(lines):
        by_item.setdefault((charge.name, charge.price), []).append(charge)
    rows = []
    for (name, price), same in by_item.items():
        unit = same[0].unit
        quantity = sum((charge.quantity for charge in same), Decimal(0))
        amount = sum((charge.amount for charge in same), Decimal("0.00"))
        days = "、".join(_runs(bill, same))
        rows.append(f"{name}：{price:,.2f}元/{unit}，共{plain(quantity)}{unit}，合计{amount:,.2f}元。收费日期：{days}")
    return rows


def _runs(bill: Bill, same: Sequence[ItemCharge]) -> list[str]:
    runs: list[list[ItemCharge]] = []
    for charge in sorted(same, key=lambda charge: charge.day):
        if runs and runs[-1][-1].day == charge.day - 1 and runs[-1][-1].quantity == charge.quantity:
            runs[-1].append(charge)
        else:
            runs.append([charge])
    texts = []
    for run in runs:
        amount = f"{plain(run[0].quantity)}{run[0].unit}"
        start = day_month(bill.date_of(run[0].day))
        if len(run) == 1:
            texts.append(f"{start}{amount}")
        else:
            texts.append(f"{start}至{day_month(bill.date_of(run[-1].day))}每天{amount}")
    return texts


def plain(number: Decimal) -> str:
    """Give a quantity without needless noughts: 2, 0.5."""
    return f"{number.normalize():f}"
