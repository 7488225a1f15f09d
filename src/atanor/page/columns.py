"""A histogram of counts that are given: columns over named steps."""

from __future__ import annotations

from collections.abc import Sequence

from atanor.page.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, drawing, tick
from atanor.page.markup import Markup, join, tag
from atanor.page.scale import linear

_MOST_NAMES = 12


def counted_columns(name: str, title: str, counts: Sequence[tuple[str, int]], *, x_name: str, y_name: str) -> Markup:
    """Columns in the order of their steps; each tells its count to whoever points at it.

    Args:
        name: unique in the page.
        title: what can be seen, in a sentence.
        counts: name of each step and its count.
        x_name: what the steps are of.
        y_name: what is counted.
    """
    bottom = HEIGHT - BOTTOM
    most = max((count for _, count in counts), default=0)
    y = linear([0.0, float(max(most, 1))], bottom, TOP, steps=min(5, max(1, most)))
    width = (WIDTH - LEFT - RIGHT) / max(len(counts), 1)
    every = -(-len(counts) // _MOST_NAMES)  # names that would touch are left out
    shapes = [
        tag(
            "rect",
            tag("title", f"{step}: {count:,}"),
            x=LEFT + number * width + 2,
            y=y(count),
            width=max(width - 4, 1.0),
            height=bottom - y(count),
            class_="column base full",
        )
        for number, (step, count) in enumerate(counts)
        if count
    ]
    steps = [
        tag("text", step, x=LEFT + number * width, y=bottom + 19, text_anchor="middle", class_="tick")
        for number, (step, _) in enumerate(counts)
        if number % every == 0
    ]
    lines = [
        join(
            tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(value), y2=y(value), class_="grid"),
            tag("text", tick(value), x=LEFT - 8, y=y(value) + 4, text_anchor="end", class_="tick"),
        )
        for value in y.ticks
    ]
    middle = (TOP + bottom) / 2
    names = [
        tag("text", x_name, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 8, text_anchor="middle", class_="name"),
        tag("text", y_name, transform=f"translate(8 {middle:.1f}) rotate(-90)", text_anchor="middle", class_="name"),
    ]
    axis = tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, class_="axis")
    return drawing(name, title, join(lines, shapes, axis, steps, names))
