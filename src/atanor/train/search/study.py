"""A study: its trials in Optuna's storage, which several workers share, and which of them is taken up next.

A trial that was begun and is worked on by nobody (its process was interrupted or killed) is taken up before a new one
is begun. Whether somebody works on it is said by a file lock, which ends with the process that holds it; so trials of
another machine are left alone.
"""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, Trial
from optuna.trial import TrialState as OptunaState
from sqlalchemy.exc import SQLAlchemyError

from atanor.errors import Problem, StoreError
from atanor.train.search.options import Pruner
from atanor.train.search.outcome import TrialState, Tried, ranking
from atanor.train.search.sampling import SeededSampler, drawn, encoded
from atanor.train.search.space import Space, Value

QUARTERS = 4
"""Validation losses are compared at quarters of an epoch: rows seen are then the same whatever the batch."""
_UNPRUNED = 4
"""Trials that have to finish before one is given up."""
_MOST_MENTIONED = 8
"""Finished trials from which the importance of options is told."""

_STATES = {
    OptunaState.COMPLETE: TrialState.FINISHED,
    OptunaState.PRUNED: TrialState.PRUNED,
    OptunaState.FAIL: TrialState.FAILED,
    OptunaState.RUNNING: TrialState.UNFINISHED,
}


@dataclass(frozen=True)
class Plan:
    """What decides a study.

    Attributes:
        name: of the study; holds the hash of everything that decides its losses.
        space: what is tried.
        seed: of what is tried.
        pruner: what gives a trial up.
    """

    name: str
    space: Space
    seed: int
    pruner: Pruner


class GivenUpError(Exception):
    """A trial's validation losses are not worth going on."""


class TrialAtWork:
    """A trial that this process trains."""

    def __init__(self, trial: Trial, values: dict[str, Value]) -> None:
        self._trial = trial
        self._told = set(trial.study._storage.get_trial(trial._trial_id).intermediate_values)
        self.number: int = trial.number
        self.values = values

    def follow(self, quarter: int, loss: float) -> None:
        """Tell a validation loss; of several in the same quarter of an epoch the first counts.

        Raises:
            GivenUpError: the pruner gives the trial up. The default never is: others are compared with it.
        """
        if quarter in self._told:
            return
        self._told.add(quarter)
        self._trial.report(loss, quarter)
        if self.number and self._trial.should_prune():
            raise GivenUpError

    def repeat(self, quarter: int, loss: float) -> None:
        """Tell a validation loss that an earlier trial of the same values had."""
        if quarter not in self._told:
            self._told.add(quarter)
            self._trial.report(loss, quarter)

    def note(self, **facts: Any) -> None:
        """Keep what is known about the trial; it can be told until the trial has ended."""
        for name, value in facts.items():
            self._trial.set_user_attr(name, value)


class Study:
    """The trials of one search.

    Args:
        plan: what decides it.
        url: of the storage, as SQLAlchemy writes it.
        folder: for locks; shared by the workers of this machine.

    Raises:
        StoreError: the storage cannot be used.
    """

    def __init__(self, plan: Plan, url: str, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self._url = url
        optuna.logging.set_verbosity(logging.ERROR)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "study.lock")
        with self.alone(), self._reaching():
            self._study = optuna.create_study(
                study_name=plan.name,
                storage=optuna.storages.RDBStorage(url, engine_kwargs=_engine(url)),
                sampler=SeededSampler(plan.seed, len(plan.space.first) + len(plan.space.parameters)),
                pruner=_pruner(plan.pruner),
                direction="minimize",
                load_if_exists=True,
            )
            if not self._study.get_trials(deepcopy=False):
                for values in plan.space.first:
                    self._study.enqueue_trial(encoded(plan.space, values))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other worker of this machine begins, ends or removes something meanwhile."""
        with self._lock:
            yield

    @contextmanager
    def taken(self, most: int) -> Iterator[TrialAtWork | None]:
        """The trial to train now, held for this process; None where `most` have begun and nobody's is left."""
        with self.alone(), self._reaching():
            trial, lock = self._left_behind() or self._begun(most)
            values = {} if trial is None else drawn(trial, self.plan.space)
            at = None if trial is None else TrialAtWork(trial, values)
            if at is not None:
                at.note(values=json.dumps(values))
        try:
            yield at
        finally:
            if lock is not None:
                lock.release()

    def finish(self, at: TrialAtWork, loss: float) -> None:
        """The trial was trained to its end; its lowest validation loss."""
        self._tell(at, loss)

    def give_up(self, at: TrialAtWork, note: str, *, state: TrialState = TrialState.PRUNED) -> None:
        """The trial ended before."""
        at.note(ended=state.value, note=note)
        self._tell(at, state=OptunaState.FAIL if state is TrialState.FAILED else OptunaState.PRUNED)

    def twin(self, at: TrialAtWork) -> Tried | None:
        """An earlier trial of the same values that has ended or is being trained."""
        return next((one for one in self.trials() if one.number != at.number and one.values == at.values), None)

    def trials(self) -> list[Tried]:
        """Every trial that has begun, in the order of their numbers."""
        with self._reaching():
            found = self._study.get_trials(deepcopy=False)
        return [self._tried(one) for one in found if one.state is not OptunaState.WAITING and self._whole(one)]

    def ranking(self) -> list[Tried]:
        """Finished trials, the best first."""
        return ranking(self.trials())

    def facts(self, number: int) -> Mapping[str, Any]:
        """What was noted of a trial."""
        with self._reaching():
            return dict(self._study.get_trials(deepcopy=False)[number].user_attrs)

    def remember(self, name: str, value: Any) -> None:
        """Keep a fact about the study."""
        with self._reaching():
            self._study.set_user_attr(name, value)

    def remembered(self) -> dict[str, Any]:
        """The facts kept."""
        with self._reaching():
            return dict(self._study.user_attrs)

    def importance(self) -> dict[str, float]:
        """Share of each option in reaching the best quarter of losses, the largest first (PED-ANOVA, Watanabe et al.
        2023, arXiv:2304.10255); nothing where fewer than eight trials have finished or one option is searched."""
        if len(self.ranking()) < _MOST_MENTIONED or len(self.plan.space.parameters) < 2:
            return {}
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
        with self._reaching():
            found = optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {name: float(share) for name, share in found.items()}

    def _left_behind(self) -> tuple[Trial, FileLock] | None:
        """A trial of this machine that nobody works on any more."""
        for one in self._study.get_trials(deepcopy=False, states=(OptunaState.RUNNING,)):
            lock = self._lock_of(one.number)
            if one.user_attrs.get("host", socket.gethostname()) == socket.gethostname() and _acquired(lock):
                return Trial(self._study, one._trial_id), lock
        return None

    def _begun(self, most: int) -> tuple[Trial | None, FileLock | None]:
        begun = [one for one in self._study.get_trials(deepcopy=False) if one.state is not OptunaState.WAITING]
        if len(begun) >= most:
            return None, None
        trial = self._study.ask()
        lock = self._lock_of(trial.number)
        lock.acquire()
        trial.set_user_attr("host", socket.gethostname())
        return trial, lock

    def _lock_of(self, number: int) -> FileLock:
        return FileLock(self.folder / f"trial-{number}.lock")

    def _tell(self, at: TrialAtWork, loss: float | None = None, state: OptunaState | None = None) -> None:
        with self.alone(), self._reaching():
            self._study.tell(at.number, loss, state=state, skip_if_finished=True)

    def _whole(self, one: FrozenTrial) -> bool:
        """Killed between its beginning and its values, a trial has none yet."""
        return "values" in one.user_attrs

    def _tried(self, one: FrozenTrial) -> Tried:
        losses = tuple(sorted(one.intermediate_values.items()))
        ended = TrialState(one.user_attrs.get("ended", _STATES[one.state]))
        state = TrialState.UNFINISHED if one.state is OptunaState.RUNNING else ended
        best = min((loss for _, loss in losses), default=None)
        return Tried(
            number=one.number,
            state=state,
            values=json.loads(one.user_attrs["values"]),
            loss=one.value if one.state is OptunaState.COMPLETE else best,
            validations=losses,
            seconds=float(one.user_attrs.get("seconds", 0.0)),
            note=str(one.user_attrs.get("note", "")),
        )

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Errors of the storage as ours, without the password that its address may hold."""
        try:
            yield
        except (SQLAlchemyError, ImportError, optuna.exceptions.StorageInternalError) as error:
            reason = shown(str(error.__cause__ or error).splitlines()[0], self._url)
            problem = Problem(
                reason,
                field="--storage",
                value=shown(self._url, self._url),
                fix="Check its address and that it answers",
            )
            raise StoreError("the storage of the search cannot be used", [problem]) from error


def shown(text: str, url: str) -> str:
    """A text without the password of an address."""
    found = re.match(r"[^:/]+://[^:@/]*:([^@]*)@", url)
    return text.replace(found[1], "[secret]") if found and found[1] else text


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _engine(url: str) -> dict[str, Any]:
    """SQLite lets others wait while one writes."""
    return {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}


def _pruner(kind: Pruner) -> optuna.pruners.BasePruner:
    match kind:
        case Pruner.MEDIAN:
            return optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED, n_warmup_steps=1)
        case Pruner.HALVING:
            return optuna.pruners.SuccessiveHalvingPruner(min_resource=QUARTERS // 2, reduction_factor=4)
        case Pruner.NONE:
            return optuna.pruners.NopPruner()
