"""What a run tells whoever is watching, stage by stage, as values a face can lay out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from atanor.evaluate.report import DataSection, Report
from atanor.progress import Progress, Silent

if TYPE_CHECKING:
    from atanor.project.estimating import Prediction


@dataclass(frozen=True)
class DataReady:
    """The data was read, split and rendered; `pieces` is one example cut where the loss weight changes."""

    role: str
    data: DataSection
    pieces: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class BaseReady:
    """The base was loaded."""

    title: str
    reference: str
    licence: str | None
    parameters: int
    precision: str


@dataclass(frozen=True)
class RunPlanned:
    """A run begins, goes on, or was finished before; `plan` says in words what will be done.

    Attributes:
        prediction: what training will take, where something is trained.
    """

    role: str
    method: str
    run: str
    plan: str
    finished_before: bool
    prediction: Prediction | None = None


@dataclass(frozen=True)
class RunJudged:
    """A run has its verdict; the report and the page lie at these paths."""

    report: Report
    json_path: str
    html_path: str


Event = DataReady | BaseReady | RunPlanned | RunJudged


class Watcher(Progress, Protocol):
    """Sees long work and stages."""

    def show(self, event: Event) -> None: ...


class Unwatched(Silent):
    """Nobody is looking: the default of the Python API."""

    def show(self, event: Event) -> None:
        del event
