"""The options of the bias report and of counterfactual augmentation."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from atanor.options import Options

Language = Literal["en", "es"]


class Dimension(StrEnum):
    """What a group of people may be told by."""

    GENDER = "gender"
    ORIGIN = "origin"
    """Nationality and ethnicity."""
    AGE = "age"
    RELIGION = "religion"


class BiasOptions(Options):
    """What the bias report looks at."""

    dimensions: tuple[Dimension, ...] = Field(
        tuple(Dimension), min_length=1, description="What is counted: `gender`, `origin`, `age`, `religion`."
    )
    languages: tuple[Language, ...] = Field(
        ("en", "es"),
        min_length=1,
        description="Languages of the lexicons asked; each text is read in the one it has most small words of.",
    )
    window: int = Field(
        8,
        ge=1,
        le=50,
        description="Words on either side of a mention, in its sentence, that count as standing near it.",
    )
    lowest_count: int = Field(
        20, ge=2, description="Fewest rows of a group for a sentiment to be judged, and fewest mentions for a warning."
    )
    words: int = Field(10, ge=0, le=100, description="Words shown for each group, those that belong to it the most.")
    examples: int = Field(3, ge=0, le=20, description="Excerpts of rows shown for each group.")


class CounterfactualOptions(Options):
    """New rows in which the groups of a dimension are exchanged (counterfactual data augmentation)."""

    dimensions: tuple[Dimension, ...] = Field(
        (Dimension.GENDER,), min_length=1, description="What is exchanged; a new row exchanges one dimension."
    )
    languages: tuple[Language, ...] = Field(
        ("en", "es"), min_length=1, description="Languages whose rows are swapped; rows of others are refused."
    )
    share: float = Field(
        1.0, gt=0, le=1, description="Share of the rows that could be swapped that are, drawn by the seed."
    )
    balancing: bool = Field(
        False,
        description="Swap only rows that name groups which are named more often than those they would become.",
    )
    protect: tuple[str, ...] = Field(
        (), description="Words and phrases whose rows are never swapped, whatever their case."
    )
    report: BiasOptions = Field(BiasOptions(), description="How bias is counted before and after.")
