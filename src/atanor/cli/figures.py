"""Numbers as a person reads them: few digits, a true minus, units."""

from __future__ import annotations

import math

from atanor.evaluate.items import Comparison


def score(value: float) -> str:
    """A metric's score: two decimals below ten, three significant digits above."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return text.replace("-", "−")


def signed(value: float) -> str:
    """A change, with its sign."""
    return score(value) if value < 0 else f"+{score(value)}"


def change(found: Comparison) -> str:
    """A change and its interval: `+0.94 [+0.85, +0.98]`."""
    return f"{signed(found.change)} [{signed(found.low)}, {signed(found.high)}]"


def count(value: float) -> str:
    """A large number for reading: 4.9 M, 135 M, 118,204."""
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value:,.0f}"


def duration(seconds: float) -> str:
    """2:31 or 1:02:31."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def gigabytes(size: float) -> str:
    """Bytes as GB."""
    return f"{size / 1e9:.1f} GB"
