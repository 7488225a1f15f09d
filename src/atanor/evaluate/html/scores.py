"""Base and candidate on every single item, metric by metric: who gained, who lost, and by how much."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from atanor.evaluate.html.words import ITEM_STYLES, ItemOutcome, gain, outcome_of
from atanor.evaluate.items import Comparison
from atanor.page import figures
from atanor.page.bars import Bins, bin_edges, stacked_bar, two_histograms
from atanor.page.chart import BASE, BOTTOM, HEIGHT, LEFT, RIGHT, TOP, TUNED, WIDTH, axes, dot, drawing, figure
from atanor.page.chart import legend as legend_of
from atanor.page.markup import Markup, join, tag
from atanor.page.scale import Scale, fitting, linear

MOST_PAIRS = 160
"""More items than this are drawn as a histogram of differences: pairs of dots would lie on each other."""


@dataclass(frozen=True)
class _Pair:
    """One item's two scores."""

    before: float
    after: float
    gain: float


def item_scores(comparisons: Sequence[Comparison]) -> Markup:
    """One drawing a metric."""
    return join(_of_metric(number, found) for number, found in enumerate(comparisons))


def _of_metric(number: int, found: Comparison) -> Markup:
    pairs = _pairs(found)
    missing = len(found.baseline_scores) - len(pairs)
    heading = tag("h3", found.label)
    if not pairs:
        return tag("div", heading, tag("p", "No item has a score of its own on this metric.", class_="absent"))
    if found.yes_no:
        return tag("div", heading, _yes_or_no(number, found, pairs))
    if len(pairs) > MOST_PAIRS:
        return tag("div", heading, _differences(number, found, pairs, missing))
    return tag("div", heading, _dots(number, found, pairs, missing))


def _pairs(found: Comparison) -> list[_Pair]:
    """Items with two finite scores, the most harmed first."""
    both = zip(found.baseline_scores, found.candidate_scores, strict=False)
    pairs = [
        _Pair(before, after, gain(before, after, found))
        for before, after in both
        if before is not None and after is not None and math.isfinite(before) and math.isfinite(after)
    ]
    return sorted(pairs, key=lambda pair: (pair.gain, pair.after))


def _dots(number: int, found: Comparison, pairs: Sequence[_Pair], missing: int) -> Markup:
    """Two dots an item, joined, from the largest loss to the largest gain."""
    values = [value for pair in pairs for value in (pair.before, pair.after)]
    x = Scale(-0.5, len(pairs) - 0.5, LEFT, WIDTH - RIGHT, ())
    y = fitting(values, HEIGHT - BOTTOM, TOP)
    radius = max(1.6, min(4.0, (WIDTH - LEFT - RIGHT) / len(pairs) / 2.6))
    shapes = [axes(x, y, "items, from largest loss to largest gain", found.label)]
    shapes += [_pair(x(at), y, pair, radius) for at, pair in enumerate(pairs)]
    scale = " Logarithmic scale." if y.logarithmic else ""
    summary = _summary(pairs, missing)
    return figure(
        f"{summary} {_direction(found)}{scale}",
        legend_of(BASE, TUNED),
        drawing(f"scores-{number}", f"{found.label} of each item: {summary}", shapes),
    )


def _pair(at: float, y: Scale, pair: _Pair, radius: float) -> Markup:
    style = ITEM_STYLES[outcome_of(pair.gain)]
    return join(
        tag("line", x1=at, x2=at, y1=y(pair.before), y2=y(pair.after), class_=f"link {style}"),
        dot(at, y(pair.before), BASE, radius),
        dot(at, y(pair.after), TUNED, radius),
    )


def _yes_or_no(number: int, found: Comparison, pairs: Sequence[_Pair]) -> Markup:
    """The four cases of a yes or no, as shares of a bar."""
    counts = Counter((pair.before > 0.5, pair.after > 0.5) for pair in pairs)
    cases = [
        ("both yes", "both", counts[True, True]),
        ("gained: no, then yes", "gained", counts[False, True]),
        ("lost: yes, then no", "lost", counts[True, False]),
        ("both no", "neither", counts[False, False]),
    ]
    title = f"{found.label} of {figures.things(len(pairs), 'item')}: " + ", ".join(
        f"{count} {name}" for name, _, count in cases
    )
    return figure(
        f"{figures.things(len(pairs), 'item')}, each a yes or a no, under the base and under the candidate.",
        stacked_bar(f"scores-{number}", title, cases),
    )


def _differences(number: int, found: Comparison, pairs: Sequence[_Pair], missing: int) -> Markup:
    """How many items gained how much."""
    gains = [pair.gain for pair in pairs]
    x = linear(gains, LEFT, WIDTH - RIGHT, steps=6)
    bins = Bins(bin_edges(x, 24), x)
    summary = _summary(pairs, missing)
    shapes = two_histograms(bins, [(TUNED, gains)], "gain of an item (right is better)", "items")
    zero = tag("line", x1=x(0), x2=x(0), y1=TOP, y2=HEIGHT - BOTTOM, class_="best")
    return figure(
        f"{summary} Differences of {len(pairs):,} items; right of 0 the candidate did better.",
        drawing(f"scores-{number}", f"Gains of items on {found.label}: {summary}", [*shapes, zero]),
    )


def _summary(pairs: Sequence[_Pair], missing: int) -> str:
    counts = Counter(outcome_of(pair.gain) for pair in pairs)
    text = f"{counts[ItemOutcome.WIN]} better, {counts[ItemOutcome.TIE]} equal, {counts[ItemOutcome.LOSS]} worse."
    return f"{text} {figures.things(missing, 'item')} without a score not drawn." if missing else text


def _direction(found: Comparison) -> str:
    return "Higher is better." if found.higher_is_better else "Lower is better."
