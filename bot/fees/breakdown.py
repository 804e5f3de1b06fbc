"""A bill taken apart: by national class, by who pays, by day (R89-R91, B2). Pure: lines in, sums out, no clock.

Money is Decimal yuan with two places; every sum is exact.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from bot.errors import DaoyiError
from bot.hospital.model import CATEGORIES, BillLine, PriceItem

OTHER = "14"
UNKNOWN_NAME = "其他"
ZERO = Decimal("0.00")
TENTH = Decimal("0.1")


class UnbalancedBill(DaoyiError):
    """A line is not the sum of its four parts, so nothing about the bill may be said."""

    def __init__(self, line: BillLine):
        super().__init__(f"bill {line.bill}, day {line.day}, item {line.item}: the four parts do not give {line.total}")
        self.line = line


@dataclass(frozen=True)
class CategoryShare:
    """What one class of the bill costs. `percent` has one place; those of a bill sum to 100.0."""

    category: str  # key of CATEGORIES
    name: str
    amount: Decimal
    percent: Decimal


@dataclass(frozen=True)
class DayTotal:
    """What one day cost; day 1 is the day of admission or of the visit."""

    day: int
    amount: Decimal


@dataclass(frozen=True)
class SelfPayItem:
    """An item that the patient pays wholly himself, all its charges at one price together (R91)."""

    item: str
    name: str
    unit: str
    price: Decimal
    quantity: Decimal
    amount: Decimal  # 全自费 of these charges
    alternatives: tuple[PriceItem, ...]  # from the curated list, to be discussed with the doctor; () means: ask him


@dataclass(frozen=True)
class FeeBreakdown:
    """A bill or a part of it. Always total = self_paid + over_limit + pay_first + in_scope."""

    total: Decimal
    self_paid: Decimal  # 全自费
    over_limit: Decimal  # 超限价
    pay_first: Decimal  # 先行自付
    in_scope: Decimal  # 符合范围
    categories: tuple[CategoryShare, ...]  # dearest first
    days: tuple[DayTotal, ...]  # every day from the first to the last, also those without a charge
    self_pay: tuple[SelfPayItem, ...]  # dearest first
    flagged: tuple[BillLine, ...]  # lines whose class is unknown; they are counted as 其他


@dataclass(frozen=True)
class ItemCharge:
    """The charges of one item on one day."""

    day: int
    name: str
    unit: str
    price: Decimal
    quantity: Decimal
    amount: Decimal


def fee_breakdown(lines: Iterable[BillLine], prices: Mapping[str, PriceItem]) -> FeeBreakdown:
    """Take the lines of a bill apart. `prices` names the alternatives to self-pay items.

    Raises UnbalancedBill when a line is not 全自费 + 超限价 + 先行自付 + 符合范围 (national interface, B2).
    """
    lines = tuple(lines)
    for line in lines:
        if line.total != line.self_paid + line.over_limit + line.pay_first + line.in_scope:
            raise UnbalancedBill(line)
    return FeeBreakdown(
        total=_sum(line.total for line in lines),
        self_paid=_sum(line.self_paid for line in lines),
        over_limit=_sum(line.over_limit for line in lines),
        pay_first=_sum(line.pay_first for line in lines),
        in_scope=_sum(line.in_scope for line in lines),
        categories=_categories(lines),
        days=daily_totals(lines),
        self_pay=_self_pay(lines, prices),
        flagged=tuple(line for line in lines if line.category not in CATEGORIES),
    )


def percentages(amounts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Give percentages with one place that sum to exactly 100.0 (largest remainder); all 0.0 for a total of nothing."""
    total = sum(amounts, ZERO)
    if total <= 0:
        return tuple(Decimal("0.0") for _ in amounts)
    exact = [amount * 100 / total for amount in amounts]
    down = [share.quantize(TENTH, ROUND_FLOOR) for share in exact]
    missing = int((100 - sum(down)) / TENTH)
    by_remainder = sorted(range(len(exact)), key=lambda i: (down[i] - exact[i], i))
    for i in by_remainder[:missing]:
        down[i] += TENTH
    return tuple(down)


def daily_totals(lines: Iterable[BillLine]) -> tuple[DayTotal, ...]:
    """Give the total of each day, days without a charge between the first and the last as nothing."""
    sums: dict[int, Decimal] = {}
    for line in lines:
        sums[line.day] = sums.get(line.day, ZERO) + line.total
    if not sums:
        return ()
    return tuple(DayTotal(day, sums.get(day, ZERO)) for day in range(min(sums), max(sums) + 1))


def on_days(lines: Iterable[BillLine], first: int, last: int) -> tuple[BillLine, ...]:
    """Give the lines of the days first..last, both included, in the order of the bill."""
    return tuple(line for line in lines if first <= line.day <= last)


def charges(lines: Iterable[BillLine]) -> tuple[ItemCharge, ...]:
    """Give the charges with one entry per day, item and price, in the order of the bill."""
    merged: dict[tuple, ItemCharge] = {}
    for line in lines:
        key = (line.day, line.item, line.price)
        old = merged.get(key)
        quantity = line.quantity + (old.quantity if old else 0)
        amount = line.total + (old.amount if old else ZERO)
        merged[key] = ItemCharge(line.day, line.name, line.unit, line.price, quantity, amount)
    return tuple(merged.values())


def bed_days(admitted: date, until: date) -> int:
    """Give the days for which a bed is charged: the day of admission counts, the day of discharge does not (B2).

    A stay that ends on the day it began is one day.
    """
    return max((until - admitted).days, 1)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _categories(lines: Sequence[BillLine]) -> tuple[CategoryShare, ...]:
    sums: dict[str, Decimal] = {}
    for line in lines:
        category = line.category if line.category in CATEGORIES else OTHER
        sums[category] = sums.get(category, ZERO) + line.total
    found = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    shares = percentages([amount for _, amount in found])
    flagged = any(line.category not in CATEGORIES for line in lines)
    return tuple(
        CategoryShare(code, UNKNOWN_NAME if flagged and code == OTHER else CATEGORIES[code], amount, percent)
        for (code, amount), percent in zip(found, shares, strict=True)
    )


def _self_pay(lines: Iterable[BillLine], prices: Mapping[str, PriceItem]) -> tuple[SelfPayItem, ...]:
    merged: dict[tuple, list[BillLine]] = {}
    for line in lines:
        if line.self_paid:
            merged.setdefault((line.item, line.price), []).append(line)
    found = [
        SelfPayItem(
            item=code,
            name=same[0].name,
            unit=same[0].unit,
            price=price,
            quantity=sum((line.quantity for line in same), Decimal(0)),
            amount=_sum(line.self_paid for line in same),
            alternatives=_alternatives(code, prices),
        )
        for (code, price), same in merged.items()
    ]
    return tuple(sorted(found, key=lambda item: (-item.amount, item.item)))


def _alternatives(code: str, prices: Mapping[str, PriceItem]) -> tuple[PriceItem, ...]:
    item = prices.get(code)
    return tuple(prices[other] for other in item.alternatives if other in prices) if item else ()
