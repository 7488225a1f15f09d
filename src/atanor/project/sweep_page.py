"""The page of a sweep: gain against forgetting at every scale, drawn and in a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from atanor.evaluate import Comparison
from atanor.page import Markup, figures, framed, join, tag
from atanor.page.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, axes, drawing, figure
from atanor.page.layout import scrolling
from atanor.page.scale import Scale, finite, linear
from atanor.project.sweep import Sweep, SweepPoint
from atanor.store.files import write_text

GENERATOR = "Atanor sweep"


def write_page(found: Sweep, folder: Path) -> Path:
    """Write the page of a sweep into a folder; returns its path."""
    path = folder / f"{found.candidate}.html"
    write_text(path, sweep_page(found))
    return path


def sweep_page(found: Sweep) -> str:
    """One self-contained HTML file."""
    body = tag(
        "main",
        tag("h1", f"{found.candidate} at {len(found.points)} scales"),
        tag("p", verdict_of(found)),
        _drawing(found),
        _table(found),
    )
    return framed(f"Sweep of {found.candidate}", [body], generator=GENERATOR)


def verdict_of(found: Sweep) -> str:
    """What came of it, in a sentence or two."""
    if found.picked is None:
        return "No scale gains on the task and forgets as little as the gates ask; nothing was made."
    if found.picked == 1:
        return "The candidate as it was trained is the best of its scales."
    text = f"Scale {found.picked:g} gains most among those that forget no more than the gates allow."
    if found.report is not None:
        text += f" It is the candidate {found.report.candidate}. On the test items: {found.report.headline}"
    return text


def _drawing(found: Sweep) -> Markup:
    points = found.points
    guard, target = points[0].forgetting, points[0].target
    x = linear(_ends(one.forgetting for one in points), LEFT, WIDTH - RIGHT)
    y = linear(_ends(one.target for one in points), HEIGHT - BOTTOM, TOP)
    path = " ".join(f"{x(one.forgetting.change):.1f},{y(one.target.change):.1f}" for one in points)
    shapes = [
        axes(x, y, f"change of {guard.label}, on general text", f"change of {target.label}"),
        tag("polyline", points=path, class_="curve base"),
        [_point(x, y, one, found.picked) for one in points],
    ]
    scales = f"at scales from {points[0].scale:g} to {points[-1].scale:g}"
    title = f"Change of {target.label} against change of {guard.label} {scales}"
    caption = (
        f"Each point is a scale of what was trained: 0 is the base, 1 the candidate. Lines are "
        f"{figures.confidence(found.confidence)} intervals. {found.items:,} validation rows; the test was not asked."
    )
    return figure(caption, drawing("sweep", title, shapes))


def _ends(changes: Iterable[Comparison]) -> list[float]:
    """What an axis has to hold: no change, every change, and its interval where that is bounded."""
    return [0.0, *finite(value for found in changes for value in (found.low, found.change, found.high))]


def _point(x: Scale, y: Scale, one: SweepPoint, picked: float | None) -> Markup:
    """A dot with its two intervals and its scale; the picked one in the other colour."""
    along, up = x(one.forgetting.change), y(one.target.change)
    chosen = one.scale == picked
    return join(
        tag("line", x1=x(one.forgetting.low), x2=x(one.forgetting.high), y1=up, y2=up, class_="axis"),
        tag("line", x1=along, x2=along, y1=y(one.target.low), y2=y(one.target.high), class_="axis"),
        tag("circle", cx=along, cy=up, r=6 if chosen else 4, class_=f"dot {'tuned' if chosen else 'base'}"),
        tag("text", f"{one.scale:g}", x=along + 8, y=up - 8, class_="label"),
    )


def _table(found: Sweep) -> Markup:
    first = found.points[0]
    names = ("scale", first.target.label, "change", first.forgetting.label, "change", "forgets no more than allowed")
    head = [tag("th", name, scope="col") for name in names]
    return scrolling("Scales", "Scores and changes against the base.", head, [_row(one) for one in found.points])


def _row(one: SweepPoint) -> Markup:
    cells: list[str] = [f"{one.scale:g}"]
    for found in (one.target, one.forgetting):
        places = figures.decimals(found.margin)
        change, low, high = (figures.signed(value, places) for value in (found.change, found.low, found.high))
        cells += [figures.score(found.candidate, places), f"{change} [{low}, {high}]"]
    cells.append("yes" if one.allowed else "; ".join(gate.reason for gate in one.gates if not gate.passed))
    return tag("tr", [tag("td", cell) for cell in cells])
