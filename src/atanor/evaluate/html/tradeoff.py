"""What the candidate gained on its task against what it forgot: one point with both its intervals."""

from __future__ import annotations

from collections.abc import Sequence

from atanor.evaluate.comparison import GUARD
from atanor.evaluate.html import changes
from atanor.evaluate.items import Comparison
from atanor.page.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, TUNED, WIDTH, axes, dot, drawing, figure
from atanor.page.markup import Markup, tag
from atanor.page.scale import finite, linear


def gain_against_forgetting(comparisons: Sequence[Comparison]) -> Markup | None:
    """The first target's change over that of general text; None where either was not measured."""
    guard = next((one for one in comparisons if one.metric == GUARD), None)
    target = next((one for one in comparisons if one.target and one.metric != GUARD), None)
    if guard is None or target is None:
        return None
    x = linear(_ends(guard), LEFT, WIDTH - RIGHT)
    y = linear(_ends(target), HEIGHT - BOTTOM, TOP)
    along, up = x(guard.change), y(target.change)
    shapes = [
        axes(x, y, f"change of {guard.label}", f"change of {target.label}"),
        tag("line", x1=x(0), x2=x(0), y1=TOP, y2=HEIGHT - BOTTOM, class_="axis"),
        tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(0), y2=y(0), class_="axis"),
        tag("line", x1=x(guard.low), x2=x(guard.high), y1=up, y2=up, class_="curve tuned"),
        tag("line", x1=along, x2=along, y1=y(target.low), y2=y(target.high), class_="curve tuned"),
        dot(along, up, TUNED, 6),
    ]
    better = "up" if target.higher_is_better else "down"
    title = f"{target.label} {changes.change(target)} against {guard.label} {changes.change(guard)}"
    caption = (
        f"What was gained on the task against what general text lost, with both intervals. The base stands where the "
        f"lines cross; the task gains {better}wards, and to the right more was forgotten."
    )
    return figure(caption, drawing("tradeoff", title, shapes))


def _ends(found: Comparison) -> list[float]:
    """What an axis has to hold: no change, the change and its interval, and the margin either way."""
    return finite([0.0, found.change, found.low, found.high, -found.margin, found.margin])
