"""The page of a learning curve: scores by the number of training rows, the law through them, and where it leads."""

from __future__ import annotations

from pathlib import Path

from atanor.evaluate.learning_curve import Forecast, MoreRows
from atanor.page import Markup, figures, framed, join, tag
from atanor.page.chart import BASE, BOTTOM, HEIGHT, LEFT, RIGHT, TOP, TUNED, WIDTH, axes, dot, drawing, figure
from atanor.page.layout import scrolling
from atanor.page.scale import finite, linear
from atanor.project.curve import LearningCurve
from atanor.store.files import write_text

GENERATOR = "Atanor learning curve"
_POINTS = 40
"""Of the law as it is drawn."""
_SAID = {
    MoreRows.WORTH_IT: "More rows would help",
    MoreRows.HARDLY: "More rows would hardly help",
    MoreRows.CANNOT_TELL: "Whether more rows would help cannot be told",
}


def write_page(found: LearningCurve, folder: Path) -> Path:
    """Write the page of a learning curve into a folder; returns its path."""
    path = folder / f"{found.role}-{found.method}.html"
    write_text(path, curve_page(found))
    return path


def curve_page(found: LearningCurve) -> str:
    """One self-contained HTML file."""
    title = f"What more rows would bring to {found.role}"
    body = tag(
        "main",
        tag("h1", title),
        [_part(found, number, one) for number, one in enumerate(found.forecasts)],
    )
    return framed(title, [body], generator=GENERATOR)


def outlook(one: Forecast, confidence: float) -> str:
    """What twice the rows would bring, in a sentence or two."""
    places = figures.decimals(one.margin)
    if not one.follows:
        return (
            f"{_SAID[one.more]}: the scores of {one.label} do not follow the law. Where they rise faster with every "
            "step, the small sizes lacked steps rather than rows: try more epochs, or larger shares."
        )
    text = f"{_SAID[one.more]}: with {one.rows:,} the law says {one.label} {figures.score(one.score, places)}, "
    if one.interval is None:
        return text + "and there are too few test items for an interval."
    low, high = (figures.signed(end, places) for end in one.interval)
    text += (
        f"a gain of {figures.signed(one.gain, places)} "
        f"[{low}, {high}] at {figures.confidence(confidence)}; {figures.score(one.margin, places)} matters."
    )
    if one.foretold is not None:
        text += (
            f" As a check: from the smaller sizes it would have said {figures.score(one.foretold, places)} of the "
            f"largest, which came to {figures.score(one.scores[-1], places)}."
        )
    return text


def _part(found: LearningCurve, number: int, one: Forecast) -> Markup:
    return join(
        tag("h2", one.label), tag("p", outlook(one, found.confidence)), _drawing(found, number, one), _table(found, one)
    )


def _drawing(found: LearningCurve, number: int, one: Forecast) -> Markup:
    rows = [size.rows for size in found.sizes]
    x = linear([0.0, float(one.rows)], LEFT, WIDTH - RIGHT)
    ends = [end for interval in one.intervals or () for end in interval]
    y = linear(finite([one.base, one.score, *one.scores, *ends]), HEIGHT - BOTTOM, TOP)
    steps = [rows[0] + (one.rows - rows[0]) * step / _POINTS for step in range(_POINTS + 1)]
    path = " ".join(f"{x(at):.1f},{y(one.law.at(at)):.1f}" for at in steps)
    intervals = one.intervals or [(score, score) for score in one.scores]
    shapes = [
        axes(x, y, "training rows", one.label),
        tag("polyline", points=path, class_="curve base"),
        [
            join(
                tag("line", x1=x(at), x2=x(at), y1=y(low), y2=y(high), class_="axis"),
                dot(x(at), y(score), TUNED),
            )
            for at, score, (low, high) in zip(rows, one.scores, intervals, strict=True)
        ],
        dot(x(0), y(one.base), BASE),
        dot(x(one.rows), y(one.score), BASE, 6),
        tag("text", "twice the rows", x=x(one.rows) - 8, y=y(one.score) - 10, text_anchor="end", class_="label"),
    ]
    title = f"{one.label} by the number of training rows, and the law through it up to {one.rows:,} rows"
    law = f"{one.law.level:.4g} {one.law.drop:+.4g} · rows^{-one.law.exponent:.2f}".replace("-", figures.MINUS)
    caption = (
        f"Each point is a training on so many rows, with its {figures.confidence(found.confidence)} interval over "
        f"{found.items:,} test items; the line is {law}. At 0 stands the base."
    )
    return figure(caption, drawing(f"curve{number}", title, shapes))


def _table(found: LearningCurve, one: Forecast) -> Markup:
    places = figures.decimals(one.margin)
    head = [tag("th", name, scope="col") for name in ("training rows", "steps", one.label, "interval", "run")]
    lines = []
    for number, (size, score) in enumerate(zip(found.sizes, one.scores, strict=True)):
        interval = "–"
        if one.intervals is not None:
            interval = " to ".join(figures.score(end, places) for end in one.intervals[number])
        cells = [f"{size.rows:,}", f"{size.steps:,}", figures.score(score, places), interval]
        lines.append(tag("tr", [tag("td", cell) for cell in (*cells, ", ".join(found.runs[number]))]))
    return scrolling("Sizes", "Scores on the same test items.", head, lines)
