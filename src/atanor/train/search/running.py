"""The trials of a study one after another, and the repetitions that tell a lead from noise."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from atanor.errors import ConfigurationError, TrainingError
from atanor.progress import Progress
from atanor.train.search.outcome import Noise, TrialState, Tried, ranking
from atanor.train.search.space import Values, plain
from atanor.train.search.study import GivenUpError, Study, TrialAtWork

Tell = Callable[[int, float], None]
"""Takes quarters of an epoch and the validation loss there; raises `GivenUpError` to end the training."""


@dataclass(frozen=True)
class Trained:
    """What a training came to: its lowest validation loss, and seconds."""

    loss: float
    seconds: float


class Trainer(Protocol):
    """What trains with the values of a trial."""

    def train(self, values: Values, tell: Tell, repetition: int = 0) -> Trained:
        """Train to the end, from where an interrupted training of the same values stands.

        Args:
            values: of the options that are searched.
            tell: told every validation loss.
            repetition: added to the seed of training.

        Raises:
            GivenUpError: `tell` ended it.
            TrainingError: a loss was not finite.
            ConfigurationError: the values do not go together.
            Interrupted: the person pressed ^C; the trial stays begun and is taken up by the next search.
        """

    def name(self, values: Values, repetition: int = 0) -> str:
        """Of the training's folder."""

    def drop(self, name: str) -> int:
        """Remove what a training left; returns how many bytes, 0 where it belongs to a run or is at work."""


def run_trials(
    study: Study, trainer: Trainer, progress: Progress, *, most: int, until: Callable[[], bool] = lambda: False
) -> None:
    """Train trials until `most` have begun and none is left, or `until` says that it is enough.

    Raises:
        AtanorError: of the first trial, which has the values of the project: nothing can be searched. Of others only
            what has nothing to do with their values.
    """
    while not until():
        with study.taken(most) as at:
            if at is None:
                return
            told = ", ".join(f"{name} {plain(value)}" for name, value in at.values.items())
            progress.say(f"trial     {at.number + 1} of {most}: {told}")
            _train(study, trainer, at)
        found = next(one for one in study.trials() if one.number == at.number)
        progress.say(f"          {in_words(found)}")
        _clear(study, trainer)


def measure_noise(study: Study, trainer: Trainer, progress: Progress, repeats: int) -> Noise | None:
    """Train the best and the default with other seeds; None where there is nothing to compare."""
    found = study.ranking()
    default = next((one for one in found if one.default), None)
    if not repeats or default is None or found[0].default:
        return None
    losses = {
        one.number: tuple(_repeated(study, trainer, one, number, progress) for number in range(1, repeats + 1))
        for one in (found[0], default)
    }
    return Noise(losses[found[0].number], losses[default.number])


def in_words(trial: Tried) -> str:
    """How a trial ended, for a line."""
    loss = "" if trial.loss is None else f"validation loss {trial.loss:.4f}"
    if trial.state is TrialState.FINISHED:
        return loss + (f", {trial.note}" if trial.note else "")
    return ", ".join(
        part for part in (f"{trial.state}: {trial.note}" if trial.note else trial.state.value, loss) if part
    )


def removed(study: Study) -> tuple[int, int]:
    """(trainings, bytes) that were removed because others are better."""
    sizes = [size for name, size in study.remembered().items() if name.startswith(_REMOVED)]
    return len(sizes), sum(sizes)


_REMOVED = "removed "


def _train(study: Study, trainer: Trainer, at: TrialAtWork) -> None:
    twin = study.twin(at)
    if twin is not None:
        _take_over(study, at, twin)
        return
    begun = time.perf_counter()
    try:
        at.note(training=trainer.name(at.values))
        trained = trainer.train(at.values, at.follow)
    except GivenUpError:
        at.note(seconds=time.perf_counter() - begun)
        study.give_up(at, "its validation losses are worse than those of others")
    except TrainingError as error:
        if not at.number:
            raise
        study.give_up(at, error.summary, state=TrialState.DIVERGED)
    except ConfigurationError as error:
        if not at.number:
            raise
        reason = error.problems[0].reason if error.problems else error.summary
        study.give_up(at, reason, state=TrialState.FAILED)
    else:
        at.note(seconds=trained.seconds)
        study.finish(at, trained.loss)


def _take_over(study: Study, at: TrialAtWork, twin: Tried) -> None:
    """The same values train to the same bits: what they came to is known."""
    note = f"the values of trial {twin.number + 1} again"
    for quarter, loss in twin.validations:
        at.repeat(quarter, loss)
    if twin.state is TrialState.FINISHED and twin.loss is not None:
        at.note(note=note)
        study.finish(at, twin.loss)
    else:
        ended = TrialState.FAILED if twin.state is TrialState.UNFINISHED else twin.state
        study.give_up(at, note, state=ended)


def _repeated(study: Study, trainer: Trainer, trial: Tried, repetition: int, progress: Progress) -> float:
    fact = f"loss of trial {trial.number} with seed {repetition}"
    known = study.remembered().get(fact)
    if known is not None:
        return float(known)
    which = "the default" if trial.default else f"trial {trial.number + 1}"
    trained = trainer.train(trial.values, lambda _quarter, _loss: None, repetition)
    progress.say(f"repeat    {which} with seed +{repetition}: validation loss {trained.loss:.4f}")
    study.remember(fact, trained.loss)
    trainer.drop(trainer.name(trial.values, repetition))
    return trained.loss


def _clear(study: Study, trainer: Trainer) -> None:
    """Remove what trials left that have ended and are not the best."""
    with study.alone():
        known, found = study.remembered(), study.trials()
        staying = [*ranking(found)[:1], *(one for one in found if one.state is TrialState.UNFINISHED)]
        kept = {study.facts(one.number).get("training") for one in staying}
        for one in found:
            name, fact = study.facts(one.number).get("training"), f"{_REMOVED}{one.number}"
            if one.state is TrialState.UNFINISHED or name is None or name in kept or fact in known:
                continue
            if size := trainer.drop(name):
                study.remember(fact, size)
