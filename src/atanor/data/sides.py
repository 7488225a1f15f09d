"""The three sides of a split, and what an assignment of rows to them says."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """The three sides of a split."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


SIDES = (Side.TRAIN, Side.VALIDATION, Side.TEST)
"""The side each number in an array stands for: the higher, the less a model may know of its rows."""
