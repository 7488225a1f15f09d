"""Histograms, and a bar of shares."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from atanor.page.chart import BOTTOM, HEIGHT, TOP, Series, axes, picture
from atanor.page.markup import Markup, join, tag
from atanor.page.scale import Scale, linear

SHARES = (560, 46)


@dataclass(frozen=True)
class Bins:
    """Edges of neighbouring bins and the axis they stand on. A value on the last edge belongs to the last bin."""

    edges: tuple[float, ...]
    x: Scale

    def counts(self, values: Sequence[float]) -> list[int]:
        """How many values each bin holds."""
        counts = [0] * (len(self.edges) - 1)
        for value in values:
            counts[min(max(bisect_right(self.edges, value) - 1, 0), len(counts) - 1)] += 1
        return counts


def bin_edges(x: Scale, about: int) -> tuple[float, ...]:
    """Equal bins from end to end of a scale, about so many, with an edge at every tick."""
    within = max(1, round(about / (len(x.ticks) - 1)))
    number = within * (len(x.ticks) - 1)
    return tuple(x.low + (x.high - x.low) * index / number for index in range(number + 1))


def two_histograms(bins: Bins, of: Sequence[tuple[Series, Sequence[float]]], x_name: str, y_name: str) -> list[Markup]:
    """One histogram or two side by side within each bin, with axes."""
    counted = [(series, bins.counts(values)) for series, values in of]
    most = max((count for _, counts in counted for count in counts), default=1)
    steps = min(5, max(1, most))  # no fraction of an item on the axis
    y = linear([0.0, float(most)], HEIGHT - BOTTOM, TOP, steps=steps)
    return [
        axes(bins.x, y, x_name, y_name),
        *(_columns(bins, y, series, counts, place=place, of=len(of)) for place, (series, counts) in enumerate(counted)),
    ]


def _columns(bins: Bins, y: Scale, series: Series, counts: Sequence[int], *, place: int, of: int) -> Markup:
    shapes = []
    for start, end, count in zip(bins.edges, bins.edges[1:], counts, strict=False):
        if not count:
            continue
        left, right = bins.x(start) + 1.5, bins.x(end) - 1.5
        width = max((right - left) / of - 1, 0.5)
        shapes.append(
            tag(
                "rect",
                x=left + place * (right - left) / of,
                y=y(count),
                width=width,
                height=y(0) - y(count),
                class_=f"column {series.style}",
            )
        )
    return join(shapes)


def stacked_bar(name: str, title: str, cases: Sequence[tuple[str, str, int]]) -> Markup:
    """Counts as shares of one bar, with a list that names each.

    Args:
        name: unique in the page.
        title: what can be seen, in a sentence.
        cases: name, style and count of each case; a case of none is listed and not drawn.
    """
    total = sum(count for _, _, count in cases) or 1
    shapes, at = [], 0.0
    for _, style, count in cases:
        width = SHARES[0] * count / total
        if count:
            shapes.append(_share(at, width, style, count))
        at += width
    listed = [
        tag(
            "li",
            tag("span", class_=f"swatch {style}", aria_hidden="true"),
            tag("b", f"{count:,}", class_="num"),
            f" {text}",
        )
        for text, style, count in cases
    ]
    return join(picture(name, title, shapes, SHARES), tag("ul", listed, class_="cases"))


def _share(at: float, width: float, style: str, count: int) -> Markup:
    box = tag("rect", x=at + 1, y=1, width=max(width - 2, 1.0), height=SHARES[1] - 2, rx=3, class_=f"share {style}")
    if width < 14 + 9 * len(str(count)):
        return box
    number = tag(
        "text", f"{count:,}", x=at + width / 2, y=SHARES[1] / 2 + 6, text_anchor="middle", class_=f"in {style}"
    )
    return join(box, number)


def counted_bars(
    title: str, counts: Sequence[tuple[str, int]], *, of: int | None = None, style: str = "base"
) -> Markup:
    """Named counts as bars beside each other's numbers, readable as a table without colour.

    Args:
        title: what is counted, for the caption.
        counts: names and counts, in the order they stand.
        of: what the shares are of; default the sum of the counts.
        style: of the bars.
    """
    total = of if of is not None else sum(count for _, count in counts)
    longest = max((count for _, count in counts), default=0) or 1
    rows = [
        tag(
            "tr",
            tag("th", name, scope="row"),
            tag("td", f"{count:,}", class_="num"),
            tag("td", f"{100 * count / total:.1f} %" if total else "–", class_="num"),
            tag("td", _bar(count / longest, style), class_="bar"),
        )
        for name, count in counts
    ]
    return tag("table", tag("caption", title), tag("tbody", rows), class_="narrow counted")


def _bar(share: float, style: str) -> Markup:
    box = tag("rect", x=0, y=2, width=max(200 * share, 1.0), height=10, class_=f"column {style} full")
    return tag("svg", box, viewBox="0 0 200 14", aria_hidden="true", preserveAspectRatio="none")
