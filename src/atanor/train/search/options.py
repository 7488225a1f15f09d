"""The options of a search, as they are written under `search:` in a role of a project file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field, field_validator

from atanor.options import Options
from atanor.train.search.space import Value, written_parameter


class Pruner(StrEnum):
    """When a trial is given up before its end."""

    MEDIAN = "median"
    """Its best validation loss so far is above the median of the others at the same share of the data."""
    HALVING = "halving"
    """Not among the best quarter at a rung: asynchronous successive halving (Li et al. 2020, arXiv:1810.05934)."""
    NONE = "none"


class SearchOptions(Options):
    """What `atanor tune` tries. It decides nothing about a run."""

    method: str | None = Field(
        None,
        min_length=1,
        description="Of the role's methods the one whose options are searched. Default: the first that trains.",
    )
    trials: int = Field(20, ge=1, description="Most trainings, those of an interrupted search included.")
    minutes: float | None = Field(
        None, gt=0, description="No trial begins after so many minutes of the command; one that trains is finished."
    )
    space: Mapping[str, str | tuple[Value, ...] | None] = Field(
        default_factory=dict,
        description="What is tried for an option: a range as `1e-5 .. 1e-3` (logarithmic from a factor of ten on), a "
        "list as `[4, 8, 16]`, or `null` to keep the value that is written. Default: the learning rate over two "
        "decades around the one in force; half, once and twice the epochs and the batch; a quarter to four times the "
        "rank, width or tokens.",
    )
    pruner: Pruner = Field(
        Pruner.MEDIAN,
        description="What gives a trial up early, by its validation losses: `median`, `halving` (successive halving) "
        "or `none`.",
    )
    repeats: int = Field(
        3,
        ge=0,
        description="With so many other seeds the best and the written values are trained again, to tell a "
        "lead from noise.",
    )
    seed: int = Field(0, ge=0, description="Of what is tried; what is trained follows the project's seed.")

    @field_validator("space")
    @classmethod
    def _can_be_read(
        cls, value: Mapping[str, str | tuple[Value, ...] | None]
    ) -> Mapping[str, str | tuple[Value, ...] | None]:
        for name, written in value.items():
            if written is not None:
                written_parameter(name, written)
        return value
