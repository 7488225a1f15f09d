"""The page's plots as inline SVG. Each has a title for those who do not see it; its numbers stand in a table too."""

from __future__ import annotations

import math
from collections.abc import Sequence

from atanor.evaluate.comparison import oriented
from atanor.evaluate.items import Comparison
from atanor.evaluate.page.markup import number, signed, text

WIDTH = 620
Points = Sequence[tuple[float, float]]


def _svg(title: str, height: int, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">'
        f"<title>{text(title)}</title>{body}</svg>"
    )


def _write(x: float, y: float, words: str, anchor: str = "start", soft: bool = False) -> str:
    style = ' class="soft"' if soft else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{text(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="var(--{colour})"/>'


def forest(comparisons: Sequence[Comparison]) -> str:
    """Every change with its interval; gain is to the right whatever the metric's direction, each on its own scale."""
    left, right, step = 190.0, WIDTH - 20.0, 46
    middle = (left + right) / 2
    body = [_write(left, 14, "worse", soft=True), _write(right, 14, "better", "end", soft=True)]
    for place, found in enumerate(comparisons):
        y = 44.0 + place * step
        gain, least, most = oriented(found.change, found.low, found.high, found.higher_is_better)
        reach = max(abs(least), abs(most), 1.5 * found.margin) or 1.0

        def across(value: float, reach: float = reach) -> float:
            return middle + value / reach * (right - middle)

        band = across(found.margin) - across(-found.margin)
        colour = str(found.verdict).replace(" ", "-")
        body += [
            f'<rect x="{across(-found.margin):.1f}" y="{y - 13:.1f}" width="{band:.1f}" height="26" '
            'fill="var(--band)"/>',
            _line(middle, y - 15, middle, y + 15, "soft"),
            _write(0, y + 4, found.label),
            f'<g class="{colour}" stroke="currentColor" fill="currentColor">'
            f'<line x1="{across(least):.1f}" y1="{y:.1f}" x2="{across(most):.1f}" y2="{y:.1f}" stroke-width="3"/>'
            f'<circle cx="{across(gain):.1f}" cy="{y:.1f}" r="5"/></g>',
            _write(across(gain), y - 10, signed(found.change), "middle"),
        ]
    return _svg("Change of every metric with its interval", 44 + len(comparisons) * step, "".join(body))


def curves(training: Points, validation: Points, best: int) -> str:
    """Training and validation loss by step, the kept step marked."""
    points = [point for point in (*training, *validation) if math.isfinite(point[1])]
    if not points:
        return ""
    left, right, top, bottom = 48.0, WIDTH - 12.0, 16.0, 224.0
    last = max(step for step, _ in points)
    low, high = min(value for _, value in points), max(value for _, value in points)
    span = (high - low) or 1.0

    def across(step: float) -> float:
        return left + step / max(last, 1) * (right - left)

    def down(value: float) -> float:
        return bottom - (value - low) / span * (bottom - top)

    def path(line: Points, colour: str, width: int) -> str:
        drawn = " ".join(f"{across(step):.1f},{down(value):.1f}" for step, value in line if math.isfinite(value))
        return f'<polyline points="{drawn}" fill="none" stroke="var(--{colour})" stroke-width="{width}"/>'

    body = [_line(left, bottom, right, bottom, "rule")]
    for part in range(5):
        value, step = low + span * part / 4, last * part / 4
        body += [
            _line(left - 4, down(value), right, down(value), "rule"),
            _write(left - 8, down(value) + 4, number(value), "end", soft=True),
            _write(across(step), bottom + 18, f"{step:.0f}", "middle", soft=True),
        ]
    body += [path(training, "base", 1), path(validation, "tuned", 2)]
    body += [
        f'<circle cx="{across(step):.1f}" cy="{down(value):.1f}" r="3.5" fill="var(--tuned)"/>'
        for step, value in validation
    ]
    body += [
        _line(across(best), top, across(best), bottom, "better"),
        _write(min(across(best) + 4, right - 70), top + 10, f"kept: {best}"),
        _write(right, top + 26, "thin grey: training · blue: validation", "end", soft=True),
    ]
    return _svg("Loss by step", 250, "".join(body))


def differences(found: Comparison) -> str:
    """Gain of every item on one metric, sorted: how many won, lost or stayed, and by how much."""
    pairs = zip(found.baseline_scores, found.candidate_scores, strict=True)
    sign = 1 if found.higher_is_better else -1
    gains = sorted(sign * (after - before) for before, after in pairs if before is not None and after is not None)
    if not gains:
        return ""
    left, right, middle = 8.0, WIDTH - 8.0, 84.0
    reach = max(abs(gain) for gain in gains) or 1.0
    width = (right - left) / len(gains)
    bars = []
    for place, gain in enumerate(gains):
        tall = max(abs(gain) / reach * 64, 1.0)
        colour = "better" if gain > 0 else "worse" if gain < 0 else "same"
        top = middle - tall if gain > 0 else middle
        bars.append(
            f'<rect x="{left + place * width:.1f}" y="{top:.1f}" width="{max(width - 1, 0.5):.1f}" '
            f'height="{tall:.1f}" fill="var(--{colour})"/>'
        )
    won, lost = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    words = f"{won} better, {lost} worse, {len(gains) - won - lost} the same"
    body = "".join(bars) + _line(left, middle, right, middle, "soft") + _write(left, 14, f"{found.label}: {words}")
    return _svg(f"{found.label}, item by item: {words}", 160, body)


def lengths(baseline: Sequence[int], candidate: Sequence[int]) -> str:
    """How long answers are, in characters, of both."""
    if not baseline or not candidate:
        return ""
    top = max(*baseline, *candidate, 1)
    bins = 16

    def counted(values: Sequence[int]) -> list[int]:
        counts = [0] * bins
        for value in values:
            counts[min(value * bins // top, bins - 1)] += 1
        return counts

    both = (counted(baseline), counted(candidate))
    most = max(*both[0], *both[1])
    left, right, bottom = 8.0, WIDTH - 8.0, 136.0
    width = (right - left) / bins
    body = [_write(left, 14, "length of answers in characters; grey: base, blue: candidate")]
    for series, (counts, colour) in enumerate(zip(both, ("base", "tuned"), strict=True)):
        for place, count in enumerate(counts):
            tall = count / most * 100
            x = left + place * width + series * width / 2
            body.append(
                f'<rect x="{x:.1f}" y="{bottom - tall:.1f}" width="{width / 2 - 1:.1f}" height="{tall:.1f}" '
                f'fill="var(--{colour})"/>'
            )
    body.append(_line(left, bottom, right, bottom, "soft"))
    body += [_write(left, bottom + 18, "0", soft=True), _write(right, bottom + 18, str(top), "end", soft=True)]
    return _svg("Length of answers", 164, "".join(body))
