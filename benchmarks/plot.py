"""Curves as one SVG, without a plotting library: the same text for the same figures, so that a test can compare it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 440, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 18, 40, 52
_COLUMNS = 2
_COLOURS = ("#0b62a4", "#c2410c", "#3f7d20")


@dataclass(frozen=True)
class Line:
    """One series; drawn dashed if it is not the main one."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """One plot: a label for each place on the x axis, evenly spaced, and lines from zero upwards."""

    title: str
    below: str
    beside: str
    labels: tuple[str, ...]
    lines: tuple[Line, ...]


def svg(panels: Sequence[Panel]) -> str:
    """All panels, two in a row."""
    rows = math.ceil(len(panels) / _COLUMNS)
    width, height = _WIDTH * min(_COLUMNS, len(panels)), _HEIGHT * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        x, y = number % _COLUMNS * _WIDTH, number // _COLUMNS * _HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel) -> list[str]:
    top = _ceiling(max(value for line in panel.lines for value in line.values))
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<text x="{_LEFT}" y="18" font-weight="600">{escape(panel.title)}</text>',
        f'<text x="{(_LEFT + right) / 2:.0f}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(panel.below)}</text>',
        f'<text transform="translate(14 {(_TOP + bottom) / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(panel.beside)}</text>",
    ]
    for step in range(5):
        value = top * step / 4
        y = _y(value, top)
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for number, label in enumerate(panel.labels):
        x = _x(number, len(panel.labels))
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{escape(label)}</text>')
    for number, line in enumerate(panel.lines):
        parts += _line(line, top, _COLOURS[number % len(_COLOURS)], dashed=number > 0)
        parts.append(_legend(line.name, number))
    return parts


def _line(line: Line, top: float, colour: str, *, dashed: bool) -> list[str]:
    points = [(_x(number, len(line.values)), _y(value, top)) for number, value in enumerate(line.values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    drawn = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
    return [drawn, *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)]


def _legend(name: str, number: int) -> str:
    colour = _COLOURS[number % len(_COLOURS)]
    return f'<text x="{_LEFT + number * 170}" y="34" fill="{colour}">{escape(name)}</text>'


def _x(number: int, count: int) -> float:
    inner = _WIDTH - _LEFT - _RIGHT
    return _LEFT + inner * (number + 0.5) / count


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top


def _ceiling(value: float) -> float:
    """The next of 1, 2, 4, 5, 8 or 10 times a power of ten, for four round steps."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 2, 4, 5, 8, 10) if value <= power * factor)
