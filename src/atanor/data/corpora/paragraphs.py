"""Plain text as paragraphs: runs of lines between blank lines, with the place of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_BLANK_LINES = 0.02
"""Share of blank lines under which a text is taken to be one line a paragraph."""
LONGEST_FILLED = 160
"""Characters above which a line is no line of a filled page but a whole paragraph."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together.

    Attributes:
        start: offset of its first line, indentation included.
        end: offset after its last character that is not white space.
        lines: its lines without their ends.
        gap: blank lines before it.
    """

    start: int
    end: int
    lines: tuple[str, ...]
    gap: int

    @property
    def line(self) -> str:
        """The text in one line."""
        return " ".join(" ".join(self.lines).split())


def paragraphs(text: str) -> list[Paragraph]:
    """The paragraphs of a text in order; between them there is only white space."""
    lines = [(found.start(), found[0].rstrip()) for found in _LINE.finditer(text)]
    blank = sum(not content for _, content in lines)
    a_line_each = blank < FEWEST_BLANK_LINES * len(lines)
    found: list[Paragraph] = []
    held: list[tuple[int, str]] = []
    gap = 0
    for start, content in lines:
        whole = a_line_each or (bool(held) and max(len(held[-1][1]), len(content)) > LONGEST_FILLED)
        if held and (not content or whole):
            found.append(_paragraph(held, gap))
            held, gap = [], 0
        if content:
            held.append((start, content))
        else:
            gap += 1
    return [*found, _paragraph(held, gap)] if held else found


def usual_gap(found: Sequence[Paragraph]) -> int:
    """Blank lines that stand between most paragraphs of the book."""
    gaps = Counter(paragraph.gap for paragraph in found[1:])
    return max(gaps, key=lambda gap: (gaps[gap], -gap), default=1)


def line_width(found: Sequence[Paragraph]) -> int:
    """Characters at which the book's lines are filled; 0 where its paragraphs are single lines."""
    broken = sorted(len(line) for paragraph in found for line in paragraph.lines[:-1])
    return broken[int(len(broken) * 0.95)] if len(broken) > len(found) / 4 else 0


_LINE = re.compile(r"[^\n]+\n?|\n")


def _paragraph(held: Sequence[tuple[int, str]], gap: int) -> Paragraph:
    last_start, last = held[-1]
    return Paragraph(held[0][0], last_start + len(last), tuple(content for _, content in held), gap)
