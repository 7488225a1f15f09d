"""What every group of options of an objective declares."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from atanor.options import Options


class LearnsFrom(StrEnum):
    """What an objective has to find in the rows."""

    ANSWERS = "answers"
    """The answer of a row, or its text."""

    PAIRS = "pairs"
    """A better and a worse answer to one prompt."""

    JUDGEMENTS = "judgements"
    """An answer that was found good or bad; of a pair both."""


class ObjectiveOptions(Options):
    """What training minimises.

    Attributes:
        learns_from: what it has to find in the rows.
        rate: the learning rate it wants by default, as a multiple of the method's.
    """

    learns_from: ClassVar[LearnsFrom] = LearnsFrom.ANSWERS
    rate: ClassVar[float] = 1.0
