"""What the drawings share: a titled SVG, a frame with two axes, a legend."""

from __future__ import annotations

import math
from dataclasses import dataclass

from atanor.page.figures import MINUS
from atanor.page.markup import Content, Markup, join, tag
from atanor.page.scale import Scale

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 48
"""Room around the drawing area for ticks and names, in SVG units."""


@dataclass(frozen=True)
class Series:
    """How one of two things is drawn: by shape and by colour, so that either tells them apart."""

    name: str
    style: str


BASE = Series("base", "base")
TUNED = Series("candidate", "tuned")


def picture(name: str, title: str, content: Content, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Markup:
    """An SVG that a screen reader announces by its title.

    Args:
        name: unique in the page, for ids.
        title: what can be seen, in a sentence.
        content: shapes.
        size: width and height in SVG units.
    """
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        content,
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{name}-title",
    )


def figure(caption: str | Markup, *content: Content, wide: bool = False) -> Markup:
    """A drawing with its caption; drawings scroll inside their box where the screen is narrow."""
    return tag("figure", content, tag("figcaption", caption), class_="wide" if wide else None)


def drawing(name: str, title: str, content: Content) -> Markup:
    """A chart in a box that scrolls where the screen is narrow, reachable by keyboard."""
    return tag(
        "div", picture(name, title, content), class_="scroll chart", tabindex="0", role="group", aria_label=title
    )


def axes(x: Scale, y: Scale, x_name: str, y_name: str) -> Markup:
    """Grid lines at the ticks of y, ticks under x, and the names of both."""
    bottom = HEIGHT - BOTTOM
    across = [
        join(
            tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(value), y2=y(value), class_="grid"),
            tag("text", tick(value), x=LEFT - 8, y=y(value) + 4, text_anchor="end", class_="tick"),
        )
        for value in y.ticks
    ]
    along = [
        join(
            tag("line", x1=x(value), x2=x(value), y1=bottom, y2=bottom + 5, class_="axis"),
            tag("text", tick(value), x=x(value), y=bottom + 19, text_anchor="middle", class_="tick"),
        )
        for value in x.ticks
    ]
    middle = (TOP + bottom) / 2
    return join(
        across,
        tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, class_="axis"),
        along,
        tag("text", x_name, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 8, text_anchor="middle", class_="name"),
        tag("text", y_name, transform=f"translate(14 {middle:.1f}) rotate(-90)", text_anchor="middle", class_="name"),
    )


def legend(*series: Series, line: bool = False) -> Markup:
    """The names of what is drawn, each beside a sample of its mark."""
    return tag("ul", [tag("li", _sample(one, line), " ", one.name) for one in series], class_="legend")


def dot(x: float, y: float, series: Series, radius: float = 4.0) -> Markup:
    """A value of one of the two."""
    return tag("circle", cx=x, cy=y, r=radius, class_=f"dot {series.style}")


def tick(value: float) -> str:
    """A round number beside an axis, short enough for its place: 0.25, 500, 20k, 1e6."""
    size = abs(value)
    if value and (size >= 1e6 or size < 1e-3):
        power = math.floor(math.log10(size) + 1e-9)
        text = f"{size / 10**power:.3g}e{power}".replace("-", MINUS)
    elif size >= 1e4:
        text = f"{size / 1000:.6g}k"
    else:
        text = f"{size:,.6f}".rstrip("0").rstrip(".")
    return MINUS + text if value < 0 else text


def _sample(series: Series, line: bool) -> Markup:
    mark = tag("line", x1=1, x2=25, y1=7, y2=7, class_=f"curve {series.style}") if line else dot(13.0, 7.0, series, 5.0)
    return tag("svg", mark, viewBox="0 0 26 14", class_="sample", aria_hidden="true")
