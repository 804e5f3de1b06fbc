"""The bill as a picture for a phone, and the same in words (R90).

One PNG: the pie of classes, below it the trend by day. Figure objects only; nothing global in matplotlib is touched.
"""

import asyncio
import base64
import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from bot.errors import DataError
from bot.fees.breakdown import CategoryShare, DayTotal

# Okabe and Ito's colours keep apart for every kind of colour vision; white edges and the numbered list help, too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#8C8C8C")
SLICES = len(COLOURS)
LABELLED_DAYS = 7  # with more bars only the dearest carries its amount
LIGHT = ("#E69F00", "#56B4E9", "#F0E442", "#CC79A7")  # these carry black figures
WIDTH, DPI = 3.6, 180  # inches; 648 dots: sharp at the width of a phone
ROW = 0.235  # inches between the lines of the list
_POOL = ThreadPoolExecutor(1, "fee-chart")  # matplotlib is not thread-safe: one at a time


def fee_chart(shares: Sequence[CategoryShare], days: Sequence[DayTotal], labels: Sequence[str], title: str) -> bytes:
    """Give the picture as PNG. `labels` are the days as they are to be read; fewer than two days give the pie only.

    Everything is placed in inches on the bare figure: axes would take twice the time.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    slices = merged_slices(shares)
    trend = len(days) > 1
    height = 2.85 + ROW * len(slices) + (1.95 if trend else 0.1)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    sheet = _Sheet(figure)
    sheet.text(WIDTH / 2, height - 0.22, title, 10, ha="center")
    _pie(sheet, slices, WIDTH / 2, height - 1.57, 1.15)
    _list(sheet, slices, height - 2.85)
    if trend:
        _bars(sheet, days, labels)
    return _png(figure)


def make_chart(shares: Sequence[CategoryShare], days: Sequence[DayTotal], labels: Sequence[str], title: str) -> bytes:
    """Give the picture as `fee_chart` does, after any other that is being made. Safe from every thread."""
    return _POOL.submit(fee_chart, shares, days, labels, title).result()


async def chart_async(
    shares: Sequence[CategoryShare], days: Sequence[DayTotal], labels: Sequence[str], title: str
) -> bytes:
    """Give the picture as `fee_chart` does, made in a thread so that the event loop goes on."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, fee_chart, shares, days, labels, title)


def chart_text(shares: Sequence[CategoryShare], days: Sequence[DayTotal], labels: Sequence[str]) -> str:
    """Say what the picture shows, for screen readers and for those whose pictures do not load."""
    rows = [f"{share.name}：{amount_text(share.amount)}，占{share.percent}%" for share in shares]
    if len(days) > 1:
        dearest = max(days, key=lambda day: day.amount)
        least = min(days, key=lambda day: day.amount)
        name = dict(zip((day.day for day in days), labels, strict=True))
        rows.append(
            f"每天费用：{len(days)}天中最多的是{name[dearest.day]}，{amount_text(dearest.amount)}；"
            f"最少的是{name[least.day]}，{amount_text(least.amount)}；平均每天{amount_text(mean(days))}"
        )
    return "\n".join(rows)


def mean(days: Sequence[DayTotal]) -> Decimal:
    """Give the mean of the days in yuan."""
    return sum((day.amount for day in days), Decimal("0.00")) / len(days)


def amount_text(yuan: Decimal) -> str:
    """Give an amount of a bill, always to the cent: 1,300.00元."""
    return f"{yuan:,.2f}元"


def data_uri(png: bytes) -> str:
    """Give the picture in the form that a message carries."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def merged_slices(shares: Sequence[CategoryShare]) -> list[CategoryShare]:
    """Give at most eight slices, the smallest together as 其余; refunds have no slice."""
    positive = [share for share in shares if share.amount > 0]
    if len(positive) <= SLICES:
        return positive
    rest = positive[SLICES - 1 :]
    together = CategoryShare(
        "", f"其余{len(rest)}类", sum((s.amount for s in rest), Decimal("0.00")), sum(s.percent for s in rest)
    )
    return [*positive[: SLICES - 1], together]


def warm_up() -> Future:
    """Load matplotlib and the font in the background, so that the first patient need not wait two seconds for it."""
    share = CategoryShare("14", "费用", Decimal("1.00"), Decimal("100.0"))
    days = [DayTotal(1, Decimal("1.00")), DayTotal(2, Decimal("1.00"))]
    return _POOL.submit(fee_chart, [share], days, ["1日", "2日"], "费用")


@lru_cache(maxsize=1)
def font_file() -> Path:
    """Give the Chinese font of the mplfonts package. Raises DataError when the package came without it."""
    package = find_spec("mplfonts")
    folder = Path(package.origin).parent if package and package.origin else Path()
    file = folder / "fonts" / "NotoSansCJKsc-Regular.otf"
    if not file.is_file():
        raise DataError("mplfonts lacks NotoSansCJKsc-Regular.otf: install mplfonts below 0.0.11 again.")
    return file


@lru_cache(maxsize=16)
def _font(size: float):
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(font_file()), size=size)


class _Sheet:
    """A figure to draw on in inches, counted from the lower left corner."""

    def __init__(self, figure) -> None:
        self.figure = figure
        self.inches = figure.dpi_scale_trans

    def text(self, x: float, y: float, words: str, size: float, **options) -> None:
        options = {"va": "center", **options}
        self.figure.text(x, y, words, transform=self.inches, fontproperties=_font(size), **options)

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        from matplotlib.patches import Rectangle

        self.figure.add_artist(Rectangle((x, y), width, height, color=colour, linewidth=0, transform=self.inches))

    def wedge(self, x: float, y: float, radius: float, start: float, end: float, colour: str) -> None:
        from matplotlib.patches import Wedge

        style = {"width": radius * 0.55, "facecolor": colour, "edgecolor": "white", "linewidth": 1.2}
        self.figure.add_artist(Wedge((x, y), radius, start, end, transform=self.inches, **style))


def _pie(sheet: _Sheet, slices: Sequence[CategoryShare], x: float, y: float, radius: float) -> None:
    """Draw a ring clockwise from the top, the dearest class first."""
    total = sum((share.amount for share in slices), Decimal("0.00"))
    start = 90.0
    for number, share in enumerate(slices, 1):
        sweep = 360 * float(share.amount / total)
        sheet.wedge(x, y, radius, start - sweep, start, COLOURS[number - 1])
        if sweep >= 20:
            angle = math.radians(start - sweep / 2)
            ink = "black" if COLOURS[number - 1] in LIGHT else "white"
            at = (x + 0.73 * radius * math.cos(angle), y + 0.73 * radius * math.sin(angle))
            sheet.text(*at, str(number), 9, ha="center", color=ink)
        start -= sweep
    sheet.text(x, y + 0.09, "合计", 8.5, ha="center")
    sheet.text(x, y - 0.09, amount_text(total), 8, ha="center")


def _list(sheet: _Sheet, slices: Sequence[CategoryShare], top: float) -> None:
    for row, share in enumerate(slices):
        y = top - (row + 0.5) * ROW
        sheet.box(0.25, y - 0.06, 0.12, 0.12, COLOURS[row])
        sheet.text(0.47, y, f"{row + 1}. {share.name}", 9)
        sheet.text(2.75, y, amount_text(share.amount), 9, ha="right")
        sheet.text(WIDTH - 0.2, y, f"{share.percent}%", 9, ha="right")


def _bars(sheet: _Sheet, days: Sequence[DayTotal], labels: Sequence[str]) -> None:
    """Draw the trend at the foot of the sheet: the dearest day has its amount, with few days each has."""
    sheet.text(0.25, 1.68, "每天费用（元）", 9)
    left, foot, tall = 0.25, 0.35, 1.0
    place = (WIDTH - 2 * left) / len(days)
    top = max(day.amount for day in days) or Decimal(1)
    step = 1 if len(days) <= LABELLED_DAYS else -(-len(days) // 6)
    for number, (day, label) in enumerate(zip(days, labels, strict=True)):
        x = left + number * place
        height = tall * max(0.0, float(day.amount / top))
        sheet.box(x + place * 0.15, foot, place * 0.7, height, COLOURS[0])
        if len(days) <= LABELLED_DAYS or day.amount == top:
            sheet.text(x + place / 2, foot + height + 0.1, f"{day.amount:,.0f}", 8, ha="center")
        if number % step == 0:
            sheet.text(x + place / 2, foot - 0.13, label, 8, ha="center")
    sheet.box(left, foot - 0.006, WIDTH - 2 * left, 0.012, "black")


def _png(figure) -> bytes:
    """Give the figure with a palette of 64 colours: a third of the bytes, and the eye sees no difference."""
    from PIL import Image

    figure.canvas.draw()
    picture = Image.frombuffer(
        "RGBA", figure.canvas.get_width_height(), figure.canvas.buffer_rgba(), "raw", "RGBA", 0, 1
    )
    out = BytesIO()
    picture.convert("RGB").quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()
