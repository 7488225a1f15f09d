"""`atanor tune`: options of a role's method tried on its validation rows, by whole trainings of the real thing.

A trial is a training as a run makes one, in a folder of the store named by the hash of all that decides its weights.
So a run of the winner finds its training done, and a trial of what was run before is not trained again. The test items
are never asked.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from atanor import __version__
from atanor.errors import ConfigurationError, DataError, MissingExtraError, Problem
from atanor.launch.options import LaunchKind
from atanor.project.bench import SEARCHED, bench_of
from atanor.project.events import Watcher
from atanor.project.file import LoadedProject
from atanor.project.keys import training_key
from atanor.project.launching import make
from atanor.project.options import MethodChoice
from atanor.project.probing import learned_by
from atanor.project.searchable import searched, space_for, with_values
from atanor.project.workflow import RoleJob, Trial, beginning_of, open_role
from atanor.store.holding import is_held
from atanor.train import OBJECTIVES, TrainOptions
from atanor.train.search.options import SearchOptions
from atanor.train.search.outcome import Search
from atanor.train.search.space import Space, Values

if TYPE_CHECKING:
    from atanor.train.search.running import Tell, Trained
    from atanor.train.search.study import Study

FOLDER = "searches"


@dataclass(frozen=True)
class Searching:
    """What is asked of a search beside the project file.

    Attributes:
        role: whose method.
        method: which; None as the file says.
        trials: how many; None as the file says.
        storage: of the trials, as SQLAlchemy writes an address; None for a file of the project's store.
        until: moment of `time.time()` after which no trial begins.
    """

    role: str
    method: str | None = None
    trials: int | None = None
    storage: str | None = None
    until: float | None = None


@dataclass
class OpenSearch:
    """A search with its base in memory and its study open."""

    job: RoleJob
    choice: MethodChoice
    options: SearchOptions
    space: Space
    study: Study
    trainer: TrialTrainer
    asked: Searching

    @property
    def most(self) -> int:
        """Trials in all."""
        return self.asked.trials or self.options.trials

    def enough(self) -> bool:
        """No trial may begin any more."""
        return self.asked.until is not None and time.time() >= self.asked.until

    def result(self) -> Search:
        """What was found, the lead measured by repetitions first."""
        from atanor.train.search.running import measure_noise, removed

        noise = measure_noise(self.study, self.trainer, self.job.watcher, self.options.repeats)
        return Search(
            role=self.job.name,
            method=self.choice.name,
            study=self.study.plan.name,
            space=self.space.parameters,
            trials=tuple(self.study.trials()),
            wanted=self.most,
            validation_rows=len(self.job.data.validation_rows),
            importance=self.study.importance(),
            noise=noise,
            removed=removed(self.study),
        )


def searching(
    loaded: LoadedProject,
    role: str,
    method: str | None = None,
    *,
    trials: int | None = None,
    minutes: float | None = None,
    storage: str | None = None,
) -> Searching:
    """What is asked, with minutes as the moment they end."""
    most = loaded.file.roles[role].search.minutes if minutes is None else minutes
    return Searching(role, method, trials, storage, None if most is None else time.time() + 60 * most)


def plan_search(loaded: LoadedProject, asked: Searching) -> tuple[MethodChoice, Space]:
    """The method that is searched and what is tried of it; nothing is read or loaded.

    Raises:
        ConfigurationError: nothing can be searched, or not here.
        MissingExtraError: Optuna is not installed.
    """
    role, place = loaded.file.roles[asked.role], f"roles.{asked.role}"
    if find_spec("optuna") is None:
        fix = "Run `python -m pip install 'atanor[search]'`"
        raise MissingExtraError("a search needs the `optuna` package", [Problem("it is not installed", fix=fix)])
    try:
        choice = searched(role.search, role.methods, asked.method)
        space = space_for(role.search, choice)
    except PydanticCustomError as error:
        told = error.context or {}
        problem = loaded.problem(f"{place}.search", str(told["reason"]), asked.method, str(told["fix"]))
        raise ConfigurationError(f"role {asked.role} cannot be searched", [problem]) from error
    if loaded.file.launch.kind is not LaunchKind.HERE:
        reason = "trials are given up by what this process sees of them, and another one trains"
        problem = loaded.problem("launch.kind", reason, loaded.file.launch.kind, "Remove `launch` for the search")
        raise ConfigurationError("a search trains in its own process", [problem])
    return choice, space


def open_search(loaded: LoadedProject, asked: Searching, watcher: Watcher) -> OpenSearch:
    """Read the data, load the base once for all trials, and open or begin the study.

    Raises:
        ConfigurationError: nothing can be searched.
        DataError: no validation row could tell trials apart.
        StoreError: the storage cannot be used.
        AtanorError: see `run_role`.
    """
    choice, space = plan_search(loaded, asked)
    job = open_role(loaded, asked.role, watcher, trial=Trial("search"))
    job.beginning = beginning_of(job, choice)
    if not job.data.validation_rows:
        problem = loaded.problem(
            f"roles.{asked.role}.split.validation", "no row is held out for it", fix="Write `validation: 0.1`"
        )
        raise DataError("a search compares validation losses", [problem])
    from atanor.train.search.study import Plan, Study

    options = job.role.search
    decided = [__version__, training_key(job, choice, None), space.decided_by(), options.pruner, options.seed]
    sha = hashlib.sha256(json.dumps(decided).encode()).hexdigest()[:12]
    folder = job.store.folder / FOLDER / sha
    folder.mkdir(parents=True, exist_ok=True)
    url = asked.storage or f"sqlite:///{(job.store.folder / 'search.db').resolve()}"
    name = f"{loaded.file.project}/{asked.role}/{choice.name}/{sha}"
    study = Study(Plan(name, space, options.seed, options.pruner), url, folder)
    return OpenSearch(job, choice, options, space, study, TrialTrainer(job, choice, space), asked)


class TrialTrainer:
    """Trains a role's method with other values of its options; see `atanor.train.search.running.Trainer`."""

    def __init__(self, job: RoleJob, choice: MethodChoice, space: Space) -> None:
        self.job = job
        self.choice = choice
        self.space = space

    def train(self, values: Values, tell: Tell, repetition: int = 0) -> Trained:
        """See `Trainer.train`."""
        from atanor.train.search.running import Trained

        choice, job = self._choice(values), self._job(repetition)
        with job.store.training(training_key(job, choice, None)) as folder:
            if not any(folder.glob("checkpoint-*")):
                (folder / SEARCHED).touch()
            made = make(choice, bench_of(job, choice, folder, self._follow(choice, tell)), self._here, job.watcher)
        if made.tuned is not None:
            made.tuned.detach()
        assert made.training is not None
        losses = [loss for _, loss in made.training.validation_loss]
        return Trained(min(losses), made.training.seconds)

    def name(self, values: Values, repetition: int = 0) -> str:
        """See `Trainer.name`."""
        return training_key(self._job(repetition), self._choice(values), None)[:16]

    def drop(self, name: str) -> int:
        """See `Trainer.drop`."""
        folder: Path = self.job.store.folder / "training" / name
        if not (folder / SEARCHED).is_file() or is_held(folder):
            return 0
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        shutil.rmtree(folder)
        return size

    @property
    def _here(self) -> Any:
        return self.job.loaded.file.launch

    def _job(self, repetition: int) -> RoleJob:
        """Another seed of training on the same rows."""
        return dataclasses.replace(self.job, trial=Trial("search", repetition)) if repetition else self.job

    def _choice(self, values: Values) -> MethodChoice:
        try:
            return with_values(self.choice, self.space, values)
        except ValidationError as error:
            reason = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
            raise ConfigurationError("the values do not go together", [Problem(reason)]) from error

    def _follow(self, choice: MethodChoice, tell: Tell) -> Any:
        """Tells validation losses by quarters of an epoch, whatever the batch."""
        from atanor.train.search.study import QUARTERS

        options = choice.options
        assert isinstance(options, TrainOptions)
        rows = self._rows(choice, options)

        def follow(history: Sequence[Mapping[str, Any]]) -> None:
            for entry in history:
                if "eval_loss" in entry:
                    tell(round(QUARTERS * entry["step"] * options.batch / rows), entry["eval_loss"])

        return follow

    def _rows(self, choice: MethodChoice, options: TrainOptions) -> int:
        """What an epoch goes through: rows, or the pairs or judgements the objective makes of them."""
        classes = self.job.classes(choice)
        if classes is not None:
            return len(classes.training)
        training = learned_by(choice, self.job.data.training)
        learned = OBJECTIVES[options.objective.name].items(options.objective.options, training)
        return len(learned.items)
