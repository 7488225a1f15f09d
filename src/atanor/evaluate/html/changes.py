"""A change and its interval as a reader of the page sees them."""

from __future__ import annotations

from atanor.evaluate.items import Comparison
from atanor.page.figures import decimals, signed


def interval(found: Comparison) -> str:
    """The ends of the interval of a change: `[+0.85, +0.98]`."""
    places = decimals(found.margin)
    return f"[{signed(found.low, places)}, {signed(found.high, places)}]"


def change(found: Comparison) -> str:
    """A change and its interval: `+0.94 [+0.85, +0.98]`."""
    return f"{signed(found.change, decimals(found.margin))} {interval(found)}"
