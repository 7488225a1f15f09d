"""Words for what is put into a base, apart from what computes it: a project file is checked without loading torch."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Placement(StrEnum):
    """Behind which sublayers bottleneck blocks stand."""

    PFEIFFER = "pfeiffer"
    """Behind the feed-forward block of every layer."""
    HOULSBY = "houlsby"
    """Behind the attention as well."""


class Pooling(StrEnum):
    """What the head of a classifier reads of a text."""

    LAST = "last"
    """The last token, of a decoder: the one that has seen the whole text."""
    CLS = "cls"
    """What an encoder's family makes of the first token."""
    MEAN = "mean"
    """The mean over an encoder's tokens."""


class Activation(StrEnum):
    """What stands between the two matrices of a bottleneck block."""

    RELU = "relu"
    GELU = "gelu"
    SILU = "silu"


class Levels(StrEnum):
    """The 16 values a weight in 4 bits can have, as shares of the largest in its block."""

    NF4 = "nf4"
    """Each as frequent as the others where weights are normally distributed."""
    FP4 = "fp4"
    """Those of a number with one bit of mantissa."""


class Quantisation(BaseModel):
    """How a base's linear layers are kept in 4 bits.

    Attributes:
        levels: the values a weight can have.
        double: the scales of the blocks are quantised too, which saves 0.4 bits a weight.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    levels: Levels = Levels.NF4
    double: bool = True

    @property
    def bits(self) -> float:
        """Bits a weight: 4, and its share of the scale of its block of 64, which is kept in 32 bits or in 8."""
        return 4 + (8 / 64 + 32 / (64 * 256) if self.double else 32 / 64)

    @property
    def in_words(self) -> str:
        return f"4 bits ({self.levels.upper()}{', double quantisation' if self.double else ''})"
