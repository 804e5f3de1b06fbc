"""Money is whole fen (分) in storage and Decimal yuan in rules; it becomes text here."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def to_fen(yuan: Decimal) -> int:
    """Give whole fen for a yuan amount, rounded half up."""
    return int((yuan * 100).quantize(Decimal(1), ROUND_HALF_UP))


def from_fen(fen: int) -> Decimal:
    """Give yuan with two places."""
    return (Decimal(fen) / 100).quantize(CENT)


def round_cent(yuan: Decimal) -> Decimal:
    """Round half up to 0.01 yuan, as the insurance tables do (hospital-domain B3)."""
    return yuan.quantize(CENT, ROUND_HALF_UP)


def yuan_text(yuan: Decimal) -> str:
    """Show an amount as people read it: 1,300.00元, and 240元 where there are no cents."""
    rounded = round_cent(yuan)
    return f"{rounded:,.0f}元" if rounded == rounded.to_integral_value() else f"{rounded:,.2f}元"
