"""Whether base and candidate are right as often as they believe to be, drawn by bins of their probability."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from atanor.evaluate.metrics.calibration import bin_of
from atanor.evaluate.metrics.classes import classes_in
from atanor.evaluate.report import ReportItem
from atanor.page.chart import BASE, BOTTOM, HEIGHT, LEFT, RIGHT, TOP, TUNED, WIDTH, Series, axes, dot, drawing, figure
from atanor.page.chart import legend as names
from atanor.page.markup import Markup, join, tag
from atanor.page.scale import Scale, linear

_LEAST, _MOST = 3.0, 9.0
"""Radius of a bin's dot, by the square root of its share of the answers."""


def calibration(items: Sequence[ReportItem]) -> Markup | None:
    """Share right against probability, a dot for each bin and side; None where answers have no probability."""
    before = _believed([(item, item.baseline_answer, item.baseline_confidence) for item in items])
    after = _believed([(item, item.candidate_answer, item.candidate_confidence) for item in items])
    if not before and not after:
        return None
    x, y = linear([0.0, 1.0], LEFT, WIDTH - RIGHT), linear([0.0, 1.0], HEIGHT - BOTTOM, TOP)
    shapes = [
        axes(x, y, "probability of the answer", "share right"),
        tag("line", x1=x(0), x2=x(1), y1=y(0), y2=y(1), class_="axis"),
        _dots(x, y, before, BASE),
        _dots(x, y, after, TUNED),
    ]
    caption = (
        "Answers by the probability they had, in tenths: how many of them were right. On the line a model is right as "
        "often as it believes; below it, it believes too much. A larger dot stands for more answers."
    )
    return figure(caption, names(BASE, TUNED), drawing("calibration", caption, shapes))


def _believed(answers: Sequence[tuple[ReportItem, str | None, float | None]]) -> list[tuple[float, bool]]:
    """(probability, right) of every answer that has a probability."""
    right = []
    for item, answer, probability in answers:
        if answer is not None and probability is not None:
            wanted = [classes_in(text) for text in (item.reference, *item.also_right)]
            right.append((probability, classes_in(answer) in wanted))
    return right


def _dots(x: Scale, y: Scale, answers: Sequence[tuple[float, bool]], series: Series) -> Markup:
    bins: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, right in answers:
        bins[bin_of(probability)].append((probability, right))
    dots = []
    for _, inside in sorted(bins.items()):
        believed = sum(probability for probability, _ in inside) / len(inside)
        share = sum(right for _, right in inside) / len(inside)
        radius = _LEAST + (_MOST - _LEAST) * (len(inside) / len(answers)) ** 0.5
        dots.append(dot(x(believed), y(share), series, round(radius, 1)))
    return join(dots)
