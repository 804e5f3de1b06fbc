"""A bill taken apart: to the cent, percentages to 100.0, self-pay with alternatives (R89-R91, B2)."""

import dataclasses
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fees.breakdown import UnbalancedBill, bed_days, charges, fee_breakdown, on_days, percentages
from bot.hospital.load import load_hospital
from bot.hospital.model import BillLine

ZERO = Decimal("0.00")


def line(category="03", total="10.00", day=1, item="CT001", quantity="1", **parts) -> BillLine:
    """Build a charge; what no part claims lies within the scheme."""
    given_parts = {name: Decimal(value) for name, value in parts.items()}
    amount = Decimal(total)
    in_scope = amount - sum(given_parts.values(), ZERO)
    return BillLine(
        "S1", day, item, "检查", category, "甲", "次", Decimal(quantity), amount / Decimal(quantity), amount,
        **{"self_paid": ZERO, "over_limit": ZERO, "pay_first": ZERO, "in_scope": in_scope} | given_parts,
    )  # fmt: skip


def test_categories_sum_to_the_total_to_the_cent():
    fees = fee_breakdown([line("09", "0.10"), line("09", "0.20"), line("03", "100.01"), line("06", "3.33")], {})
    assert fees.total == Decimal("103.64") == sum(share.amount for share in fees.categories)
    assert [share.name for share in fees.categories] == ["检查费", "手术费", "西药费"]


def test_every_sample_bill_adds_up():
    hospital = load_hospital()
    for bill in [*hospital.stays.values(), *hospital.visits.values()]:
        fees = fee_breakdown(bill.lines, hospital.prices)
        assert fees.total == bill.total == sum(share.amount for share in fees.categories)
        assert fees.total == sum(day.amount for day in fees.days)
        assert fees.total == fees.self_paid + fees.over_limit + fees.pay_first + fees.in_scope
        assert sum(share.percent for share in fees.categories) == Decimal("100.0")
        assert not fees.flagged


def test_an_unknown_category_counts_as_other_and_is_flagged():
    strange = line("77", "5.00")
    fees = fee_breakdown([line("03", "5.00"), strange, line("14", "1.00")], {})
    other = next(share for share in fees.categories if share.category == "14")
    assert (other.name, other.amount) == ("其他", Decimal("6.00"))
    assert fees.flagged == (strange,)


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=14))
def test_percentages_sum_to_exactly_100_and_stay_within_a_tenth(fen):
    amounts = [Decimal(f) / 100 for f in fen]
    shares = percentages(amounts)
    assert sum(shares) == Decimal("100.0")
    total = sum(amounts)
    assert all(
        abs(share - amount * 100 / total) < Decimal("0.1") for share, amount in zip(shares, amounts, strict=True)
    )


def test_thirds_go_to_the_largest_remainder():
    assert percentages([Decimal(1)] * 3) == (Decimal("33.4"), Decimal("33.3"), Decimal("33.3"))


def test_an_empty_bill_has_no_percentages_to_divide_by_zero():
    assert fee_breakdown([], {}).total == ZERO
    assert percentages([ZERO]) == (Decimal("0.0"),)


def test_a_line_that_is_not_the_sum_of_its_parts_is_refused():
    broken = dataclasses.replace(line(), in_scope=Decimal("9.99"))
    with pytest.raises(UnbalancedBill, match="day 1, item CT001"):
        fee_breakdown([broken], {})


def test_self_pay_items_carry_price_quantity_and_curated_alternatives():
    prices = load_hospital().prices
    lines = [
        line("14", "240.00", day=3, item="NUR007", self_paid="240.00"),
        line("14", "480.00", day=4, item="NUR007", quantity="2", self_paid="480.00"),
        line("09", "98.00", item="DRG025", self_paid="98.00"),
    ]
    first, second = fee_breakdown(lines, prices).self_pay
    assert (first.item, first.price, first.quantity, first.amount) == ("NUR007", 240, 3, Decimal("720.00"))
    assert [item.code for item in first.alternatives] == ["NUR008"]
    assert second.alternatives == ()


def test_days_without_a_charge_stand_in_the_trend_with_nothing():
    fees = fee_breakdown([line(day=1), line(day=4, total="7.00")], {})
    assert [(d.day, d.amount) for d in fees.days] == [(1, 10), (2, 0), (3, 0), (4, Decimal("7.00"))]


def test_one_day_has_its_own_lines():
    lines = [line(day=1), line(day=2, total="3.00"), line(day=2, total="4.00")]
    assert fee_breakdown(on_days(lines, 2, 2), {}).total == Decimal("7.00")


def test_charges_of_one_item_on_one_day_are_one_entry():
    found = charges([line(day=1), line(day=1), line(day=2)])
    assert [(c.day, c.quantity, c.amount) for c in found] == [(1, 2, 20), (2, 1, 10)]


@pytest.mark.parametrize(
    ("admitted", "discharged", "days"),
    [
        (date(2026, 11, 6), date(2026, 11, 14), 8),
        (date(2026, 12, 30), date(2027, 1, 2), 3),
        (date(2026, 11, 6),) * 2 + (1,),
    ],
)
def test_the_bed_is_charged_on_the_day_of_admission_but_not_of_discharge(admitted, discharged, days):
    assert bed_days(admitted, discharged) == days


def test_sample_stays_charge_their_beds_by_that_rule():
    today = date(2026, 11, 30)
    for stay in load_hospital().stays.values():
        beds = sum(line.quantity for line in stay.lines if line.category == "01")
        if stay.discharged:
            assert beds == bed_days(stay.admitted.on(today), stay.discharged.on(today)), stay.code
