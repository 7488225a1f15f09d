"""Write a mask over places of a text, and tell where a place of the masked text stood before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atanor.data.findings import Finding


@dataclass(frozen=True, slots=True)
class _Cover:
    """Characters `start` to `end` of a text, and the mask that takes their place."""

    start: int
    end: int
    mask: str


def mask(text: str, findings: Sequence[Finding]) -> str:
    """The text with every finding written over by its mask.

    Findings that overlap become one place, which takes the mask of the longest. A finding whose rule cannot mask
    (`mask` is None) is left as it is.

    Args:
        text: the text the findings are places of.
        findings: in any order; all of this one text.
    """
    # From right to left, so that the offsets further left stay true.
    for cover in reversed(_covers(findings)):
        text = text[: cover.start] + cover.mask + text[cover.end :]
    return text


def unmasked_place(start: int, end: int, findings: Sequence[Finding]) -> tuple[int, int]:
    """Where characters `start` to `end` of the masked text stood in the text before `mask` was applied.

    A place that begins or ends inside a mask takes in all that the mask stands for.
    """
    covers = _covers(findings)
    return _unmasked(start, covers, to_end=False), _unmasked(end, covers, to_end=True)


def _unmasked(position: int, covers: Sequence[_Cover], *, to_end: bool) -> int:
    moved = 0  # how far the masks so far have moved the text to the left
    for cover in covers:
        left = cover.start - moved
        right = left + len(cover.mask)
        if position < left or (to_end and position == left):
            break
        if position < right or (to_end and position == right):
            return cover.end if to_end else cover.start
        moved += cover.end - cover.start - len(cover.mask)
    return position + moved


def _covers(findings: Sequence[Finding]) -> list[_Cover]:
    """The places to write over from left to right, none touching another's characters."""
    covers: list[_Cover] = []
    longest = 0
    for found in sorted(findings, key=lambda one: (one.start, -one.end)):
        if found.mask is None:
            continue
        length = found.end - found.start
        if covers and found.start < covers[-1].end:
            last = covers[-1]
            label = found.mask if length > longest else last.mask
            covers[-1] = _Cover(last.start, max(last.end, found.end), label)
            longest = max(longest, length)
        else:
            covers.append(_Cover(found.start, found.end, found.mask))
            longest = length
    return covers
