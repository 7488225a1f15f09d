"""Counts of the rows that are not simply one example, one refusal or left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tally:
    """Counted while examples are made. `rows + extra == examples + refusals + left_out + joined`.

    Attributes:
        extra: examples and refusals beyond the first of a row that gives several.
        joined: rows that are part of another row's example and make none of their own.
        left_out: rows that the shape's own options leave out.
        shortened: conversations whose last turns, which nobody answers, were left off.
    """

    extra: int = 0
    joined: int = 0
    left_out: int = 0
    shortened: int = 0

    def add(self, other: Tally) -> None:
        """Count what another tally counted."""
        self.extra += other.extra
        self.joined += other.joined
        self.left_out += other.left_out
        self.shortened += other.shortened
