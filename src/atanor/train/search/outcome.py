"""What a search found: its trials, the best of them, and what can be said of its lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from atanor.train.search.space import Parameter, Value, plain


class TrialState(StrEnum):
    """How a trial ended."""

    FINISHED = "finished"
    PRUNED = "pruned"
    """Given up by its validation losses."""
    DIVERGED = "diverged"
    """A loss was not finite."""
    FAILED = "failed"
    """Its values do not go together; the note says why."""
    UNFINISHED = "unfinished"
    """It trains now, or its process ended; the same command takes it up."""


@dataclass(frozen=True)
class Tried:
    """One trial.

    Attributes:
        number: from 0; the default comes first.
        values: of the options searched.
        loss: the lowest validation loss so far; None before the first.
        validations: quarters of an epoch, and the validation loss there.
        seconds: of training; 0 where nothing was trained.
        note: why it ended as it did.
    """

    number: int
    state: TrialState
    values: Mapping[str, Value]
    loss: float | None
    validations: tuple[tuple[int, float], ...] = ()
    seconds: float = 0.0
    note: str = ""

    @property
    def default(self) -> bool:
        """It has the values that were in force before the search."""
        return self.number == 0


@dataclass(frozen=True)
class Noise:
    """The best and the default trained again with other seeds.

    Attributes:
        best, default: validation losses, one a seed.
    """

    best: tuple[float, ...]
    default: tuple[float, ...]

    @property
    def lead(self) -> float:
        """By how much the best has the lower mean loss."""
        return fmean(self.default) - fmean(self.best)

    @property
    def spread(self) -> float:
        """Between the lowest and the highest loss of the same values, the larger of both."""
        return max(max(self.best) - min(self.best), max(self.default) - min(self.default))

    @property
    def beyond(self) -> bool:
        """The lead is larger than what seeds alone make."""
        return len(self.best) > 1 and self.lead > self.spread


@dataclass(frozen=True)
class Search:
    """What a search came to.

    Attributes:
        role, method: whose options were searched.
        study: its name in the storage.
        space: what was tried.
        trials: in the order they began.
        wanted: trials that were asked for.
        validation_rows: what every loss was measured on.
        importance: share of each option in reaching low losses (PED-ANOVA); empty where there are too few trials.
        noise: None where it was not measured, or the default is the best.
        removed: (trainings, bytes) of checkpoints of trials that lost.
    """

    role: str
    method: str
    study: str
    space: tuple[Parameter, ...]
    trials: tuple[Tried, ...]
    wanted: int
    validation_rows: int
    importance: Mapping[str, float]
    noise: Noise | None
    removed: tuple[int, int]

    @property
    def ranking(self) -> list[Tried]:
        """Finished trials, the lowest loss first, the earlier of equals."""
        return ranking(self.trials)

    @property
    def best(self) -> Tried | None:
        """The trial with the lowest validation loss."""
        return next(iter(self.ranking), None)

    @property
    def place_of_default(self) -> int | None:
        """From 1; None where the default has not finished."""
        return next((place for place, one in enumerate(self.ranking, 1) if one.default), None)

    def count(self, state: TrialState) -> int:
        """Trials that ended so."""
        return sum(one.state is state for one in self.trials)

    @property
    def warnings(self) -> list[str]:
        """What a careful reader should know, a sentence or two each."""
        return [*_edges(self), *_reuse(self), *_noise(self)]


def ranking(trials: Sequence[Tried]) -> list[Tried]:
    """See `Search.ranking`."""
    finished = [one for one in trials if one.state is TrialState.FINISHED and one.loss is not None]
    return sorted(finished, key=lambda one: (one.loss, one.number))


def _edges(search: Search) -> list[str]:
    if search.best is None:
        return []
    found = []
    for parameter in search.space:
        value = search.best.values[parameter.name]
        edge = parameter.edge(value)
        if edge is not None:
            found.append(
                f"The best {parameter.name.replace('_', ' ')}, {plain(value)}, lies at the {edge} edge of what was "
                f"tried ({parameter.in_words}): widen it in `search: space`."
            )
    return found


def _reuse(search: Search) -> list[str]:
    finished = len(search.ranking)
    if finished < 2:
        return []
    return [
        f"Chosen among {finished} on {search.validation_rows:,} validation rows: its validation loss flatters it. The "
        "test items were not asked; `atanor run` judges the winner on them."
    ]


def _noise(search: Search) -> list[str]:
    noise = search.noise
    if search.best is None or search.best.default:
        return []
    if noise is None:
        return ["Whether its lead is more than noise was not measured: no training was repeated with other seeds."]
    told = (
        f"Over {len(noise.best)} other seeds the mean validation loss is {fmean(noise.best):.4f}, the default's "
        f"{fmean(noise.default):.4f}"
    )
    if len(noise.best) < 2:
        return [f"{told}; one seed shows no spread, so that the lead may be noise."]
    compared = f"seeds alone make up to {noise.spread:.4f}"
    if noise.beyond:
        return [f"{told}: better by {noise.lead:.4f}, and {compared}."]
    if noise.lead <= 0:
        return [f"{told}: not better, and {compared}. The lead in the search was noise."]
    return [f"{told}: better by {noise.lead:.4f}, but {compared}. The lead may be noise."]
