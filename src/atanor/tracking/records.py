"""What trackers are told, and the interface each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

TRAIN_LOSS, VALIDATION_LOSS = "train/loss", "validation/loss"
LEARNING_RATE, GRADIENT_NORM, SPEED = "train/learning_rate", "train/gradient_norm", "train/tokens_per_second"


class Unreachable(OSError):
    """The tracker cannot be told now; it is tried again."""


class End(StrEnum):
    """How a process left a run without a verdict."""

    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True)
class RunFacts:
    """What a run is.

    Attributes:
        project, role, method, run: its names.
        key: SHA-256 of everything that decides its result; a run that goes on has the same.
        parameters: every option in force and every hash, as text.
        tags: what else is worth finding runs by.
    """

    project: str
    role: str
    method: str
    run: str
    key: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Point:
    """Figures of one step: metric and value, and when they were known, in seconds since 1970."""

    step: int
    values: Mapping[str, float]
    at: float


@dataclass(frozen=True)
class Conclusion:
    """A run with its verdict.

    Attributes:
        step: the last one of training; 0 where nothing was trained.
        metrics: scores, changes and the ends of their intervals.
        text: the verdict in Markdown.
        tags: verdict, candidate, release.
        files: to keep with the run.
        network: folder of what was trained, to keep and to register; None where nothing was.
        alias: what the registered version is called besides, `released` where it was.
    """

    step: int
    metrics: Mapping[str, float]
    text: str
    tags: Mapping[str, str]
    files: Sequence[Path] = ()
    network: Path | None = None
    alias: str | None = None


class Tracker(Protocol):
    """One place that shows runs. Every method may raise `Unreachable` and is then called again with the same."""

    @property
    def name(self) -> str: ...

    def begin(self, facts: RunFacts) -> Mapping[str, int]:
        """Open the run, the same one again if it is there; returns the last step it knows of each metric."""

    def add(self, points: Sequence[Point]) -> None:
        """Write figures; none of them is there yet."""

    def conclude(self, conclusion: Conclusion) -> None:
        """Write the verdict and the files, and close the run; again, nothing is there twice."""

    def leave(self, end: End) -> None:
        """Close the run for now: its process ends without a verdict."""
