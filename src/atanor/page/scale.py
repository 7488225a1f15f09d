"""Where a value stands on a drawing: linear and logarithmic scales with round ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps values in [low, high] to coordinates in [start, end]; `start > end` turns the axis round.

    Attributes:
        ticks: round values within the range, for the axis.
        logarithmic: equal factors are equally far apart.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The coordinate of a value; what lies outside is drawn at the edge."""
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def finite(values: Iterable[float | None]) -> list[float]:
    """The values that can be drawn."""
    return [value for value in values if value is not None and math.isfinite(value)]


def linear(values: Sequence[float], start: float, end: float, *, from_zero: bool = False, steps: int = 5) -> Scale:
    """A scale that holds all values and ends on round numbers. `from_zero` lets it begin at 0 where that costs little.

    Args:
        values: finite; none give the scale from 0 to 1.
        start: coordinate of the low end.
        end: coordinate of the high end.
        from_zero: begin at 0 when the least value is below half of the largest.
        steps: about so many ticks.
    """
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if from_zero and 0 <= low < high / 2:
        low = 0.0
    largest = max(abs(high), abs(low))
    if high - low <= 1e-9 * max(largest, 1.0):
        # One value, as far as a drawing goes: put it in the middle.
        spread = largest / 2 if largest > 1e-6 else 0.5
        low, high = low - spread, high + spread
    step = round_step((high - low) / steps)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # `+ 0.0` turns a negative zero into a plain one.
    ticks = tuple(round(number * step, 12) + 0.0 for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], start, end, ticks)


def logarithmic(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale between powers of ten that holds all values, which are above 0; ticks at 1, 2 and 5 when few."""
    low = 10.0 ** math.floor(math.log10(min(values)))
    high = 10.0 ** math.ceil(math.log10(max(values)))
    if high <= low:
        high = low * 10
    powers = round(math.log10(high / low))
    marks = (1, 2, 5) if powers <= 2 else (1,)
    ticks = [low * 10**power * mark for power in range(powers) for mark in marks]
    return Scale(low, high, start, end, (*ticks, high), logarithmic=True)


def fitting(values: Sequence[float], start: float, end: float) -> Scale:
    """Logarithmic where positive values differ by more than a factor of 20, else linear."""
    if values and min(values) > 0 and max(values) / min(values) > 20:
        return logarithmic(values, start, end)
    return linear(values, start, end)


def round_step(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is at least so large."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(mark * power for mark in (1, 2, 5, 10) if mark * power >= least * (1 - 1e-9))
