"""Every metric's change with its interval, on its own scale, better to the right whatever the metric's direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from atanor.evaluate.comparison import oriented
from atanor.evaluate.html import changes
from atanor.evaluate.html.words import verdict_mark
from atanor.evaluate.items import Comparison
from atanor.page import figures
from atanor.page.chart import picture
from atanor.page.markup import Markup, join, tag
from atanor.page.scale import Scale, finite

STRIP = (600, 36)
_EDGE = 12.0
_MIDDLE = STRIP[1] / 2


@dataclass(frozen=True)
class _Gain:
    """A comparison as a gain: positive is better. `reach` is the largest gain or loss the strip shows."""

    gain: float
    least: float
    most: float
    reach: float

    @classmethod
    def of(cls, found: Comparison) -> _Gain:
        gain, least, most = oriented(found.change, found.low, found.high, found.higher_is_better)
        shown = finite([gain, least, most, 2 * found.margin])
        return cls(gain, least, most, 1.08 * max((abs(value) for value in shown), default=1.0) or 1.0)


def forest(comparisons: Sequence[Comparison], confidence: float) -> Markup:
    """The interval plot, one strip a metric."""
    caption = (
        f"Dot: the change. Line: its {figures.confidence(confidence)} interval. Shaded: changes within the margin, "
        "too small to matter. Each metric has its own scale, given under it; better is always to the right."
    )
    rows = [_row(number, found) for number, found in enumerate(comparisons)]
    return tag("figure", tag("ol", rows, class_="forest"), tag("figcaption", caption), class_="wide")


def _row(number: int, found: Comparison) -> Markup:
    shape = _Gain.of(found)
    sign = 1 if found.higher_is_better else -1
    places = figures.decimals(found.margin)
    ends = [
        tag("span", figures.signed(-sign * shape.reach, places)),
        " ",
        tag("span", "0"),
        " ",
        tag("span", figures.signed(sign * shape.reach, places)),
    ]
    return tag(
        "li",
        tag("div", tag("b", found.label), " ", verdict_mark(found.verdict), class_="what"),
        tag("div", changes.change(found), class_="change num"),
        tag(
            "div",
            picture(f"forest-{number}", _title(found), _strip(shape, found.margin), STRIP),
            tag("div", ends, class_="ends num", aria_hidden="true"),
            class_="strip",
        ),
    )


def _title(found: Comparison) -> str:
    margin = figures.score(found.margin, figures.decimals(found.margin))
    return f"{found.label}: change {changes.change(found)}, margin {margin}: {found.verdict}"


def _strip(shape: _Gain, margin: float) -> list[Markup]:
    x = Scale(-shape.reach, shape.reach, _EDGE, STRIP[0] - _EDGE, ())
    parts = []
    if math.isfinite(margin):
        parts.append(
            tag("rect", x=x(-margin), y=0, width=x(margin) - x(-margin), height=STRIP[1], rx=3, class_="margin")
        )
    parts += [
        tag("line", x1=_EDGE, x2=STRIP[0] - _EDGE, y1=_MIDDLE, y2=_MIDDLE, class_="grid"),
        tag("line", x1=x(0), x2=x(0), y1=0, y2=STRIP[1], class_="axis"),
    ]
    if not (math.isnan(shape.least) or math.isnan(shape.most)):
        parts.append(
            join(
                tag("line", x1=x(shape.least), x2=x(shape.most), y1=_MIDDLE, y2=_MIDDLE, class_="interval"),
                _end(x, shape.least),
                _end(x, shape.most),
            )
        )
    if math.isfinite(shape.gain):
        parts.append(tag("circle", cx=x(shape.gain), cy=_MIDDLE, r=7, class_="dot tuned"))
    return parts


def _end(x: Scale, value: float) -> Markup:
    """A cross-bar where the interval ends; an arrow where it is unbounded."""
    at = x(value)
    if math.isfinite(value):
        return tag("line", x1=at, x2=at, y1=_MIDDLE - 7, y2=_MIDDLE + 7, class_="interval")
    back = -8 if value > 0 else 8
    return tag(
        "path", d=f"M{at + back:.1f} {_MIDDLE - 6}L{at:.1f} {_MIDDLE}L{at + back:.1f} {_MIDDLE + 6}", class_="arrow"
    )
