"""How an engine computes, and what that cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Route(StrEnum):
    """How an engine computes, fastest first."""

    FOREST = "one forest with hand-written layers"
    PLAIN_LAYERS = "one forest with the model's own layers"
    SEPARATE = "every row on its own with the model's own attention"


@dataclass(frozen=True)
class Work:
    """What the last window cost in tokens: as written in its rows, as computed, and as predicted."""

    logical: int = 0
    executed: int = 0
    supervised: int = 0
