"""Numbers as a reader of the page sees them: few digits, a true minus, units."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
DECIMALS = 2


def decimals(margin: float) -> int:
    """Decimals a metric needs so that a change as small as its margin can be seen: 2, or more for a tiny margin."""
    if not math.isfinite(margin) or margin <= 0:
        return DECIMALS
    return max(DECIMALS, math.ceil(-math.log10(margin) - 1e-9))


def score(value: float | None, places: int = DECIMALS) -> str:
    """A metric's score: so many decimals below ten, three significant digits up to a thousand, no fraction above."""
    if value is None or math.isnan(value):
        return "–"
    size = abs(value)
    if math.isinf(size):
        text = "∞"
    elif size < 9.995:
        text = f"{size:.{places}f}"
    else:
        text = f"{size:.3g}" if size < 999.5 else f"{size:,.0f}"
    return MINUS + text if value < 0 else text


def signed(value: float | None, places: int = DECIMALS) -> str:
    """A change, with its sign; a change of nothing has none."""
    text = score(value, places)
    return f"+{text}" if value is not None and value > 0 else text


def percent(share: float) -> str:
    """A share as whole percent, one decimal below ten."""
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.1f} %"


def confidence(level: float) -> str:
    """A confidence level: `95 %`."""
    return f"{level * 100:.6g} %"


def p_value(value: float) -> str:
    """A p-value: three decimals, and `< 0.001` below them."""
    if math.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def count(value: float) -> str:
    """A number of things: 118,204, 4.88 M, 7.2 B."""
    if value >= 1e9:
        return f"{value / 1e9:.3g} B"
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value:,.0f}"


def things(number: int, one: str, many: str | None = None) -> str:
    """`1 item`, `48 items`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """8 s, 2 min 31 s or 1 h 02 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def gigabytes(size: float) -> str:
    """Bytes as GB."""
    return f"{size / 1e9:.1f} GB"
