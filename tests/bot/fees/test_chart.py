"""The bill as a picture, and the same in words (R90)."""

import asyncio
import io
import math
from decimal import Decimal

import pytest
from PIL import Image

from bot.fees import chart
from bot.fees.breakdown import fee_breakdown
from bot.hospital.load import load_hospital


def sample(code: str = "ZY2001"):
    """Give a bill's breakdown and labels for its days."""
    hospital = load_hospital()
    bill = hospital.stays.get(code) or hospital.visits[code]
    fees = fee_breakdown(bill.lines, hospital.prices)
    return fees, [f"11-{day.day:02d}" for day in fees.days]


def test_the_longest_sample_bill_makes_a_small_picture_of_a_phones_width():
    fees, labels = sample()
    png = chart.make_chart(fees.categories, fees.days, labels, "住院费用")
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG" and len(png) <= 60 * 1024
    assert 600 <= picture.width <= 800 and picture.height > picture.width


def test_a_visit_of_one_day_has_the_pie_only():
    stay, labels = sample()
    visit, day = sample("MZ3001")
    tall = Image.open(io.BytesIO(chart.make_chart(stay.categories, stay.days, labels, "住院费用")))
    short = Image.open(io.BytesIO(chart.make_chart(visit.categories, visit.days, day, "门诊费用")))
    assert short.height < tall.height - 300


def test_the_same_bill_gives_the_same_picture_also_off_the_event_loop():
    fees, labels = sample()
    at_once = chart.make_chart(fees.categories, fees.days, labels, "住院费用")
    later = asyncio.run(chart.chart_async(fees.categories, fees.days, labels, "住院费用"))
    assert later == at_once


def test_the_event_loop_goes_on_while_a_picture_is_made():
    fees, labels = sample()

    async def both() -> int:
        ticks, made = 0, asyncio.ensure_future(chart.chart_async(fees.categories, fees.days, labels, "住院费用"))
        while not made.done():
            await asyncio.sleep(0.001)
            ticks += 1
        return ticks

    assert asyncio.run(both()) >= 2


def test_the_text_alternative_names_every_category_with_yuan_and_per_cent():
    fees, labels = sample()
    text = chart.chart_text(fees.categories, fees.days, labels)
    for share in fees.categories:
        assert f"{share.name}：{share.amount:,.2f}元，占{share.percent}%" in text
    assert "每天费用" in text and "最多的是" in text


def test_no_more_than_eight_slices_and_none_is_lost():
    fees, _ = sample()
    slices = chart.merged_slices(fees.categories)
    assert len(fees.categories) > len(slices) == 8
    assert sum(s.amount for s in slices) == fees.total and sum(s.percent for s in slices) == Decimal("100.0")


def test_the_chinese_font_comes_with_its_package():
    assert chart.font_file().name.startswith("NotoSansCJK")


def test_matplotlib_stays_without_a_display_and_without_global_figures():
    import sys

    fees, labels = sample()
    chart.make_chart(fees.categories, fees.days, labels, "住院费用")
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def as_seen(colour: str, eye: tuple) -> tuple[float, ...]:
    """Give a colour as seen by an eye without one kind of cone (Viénot's matrices on linear light)."""
    light = [(int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    return tuple(sum(part * value for part, value in zip(row, light, strict=True)) ** (1 / 2.2) for row in eye)


DEUTERANOPE = (0.29, 0.71, 0.0), (0.29, 0.71, 0.0), (0.0, 0.02, 0.98)
PROTANOPE = (0.11, 0.89, 0.0), (0.11, 0.89, 0.0), (0.0, 0.0, 1.0)


@pytest.mark.parametrize("eye", [DEUTERANOPE, PROTANOPE])
def test_neighbours_in_the_ring_differ_for_colour_blind_eyes(eye):
    for one, two in zip(chart.COLOURS, chart.COLOURS[1:], strict=False):
        left, right = as_seen(one, eye), as_seen(two, eye)
        assert math.dist(left, right) > 0.2, (one, two)
