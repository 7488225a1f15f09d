"""Words for what is put into a base, apart from what computes it: a project file is checked without loading torch."""

from __future__ import annotations

from enum import StrEnum


class Placement(StrEnum):
    """Behind which sublayers bottleneck blocks stand."""

    PFEIFFER = "pfeiffer"
    """Behind the feed-forward block of every layer."""
    HOULSBY = "houlsby"
    """Behind the attention as well."""


class Activation(StrEnum):
    """What stands between the two matrices of a bottleneck block."""

    RELU = "relu"
    GELU = "gelu"
    SILU = "silu"
