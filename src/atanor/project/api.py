"""The project as Python code sees it: everything the command line can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atanor.errors import ConfigurationError, NotFoundError, Problem
from atanor.evaluate.report import Report
from atanor.progress import Progress, Silent
from atanor.project.checking import check_project
from atanor.project.events import Unwatched, Watcher
from atanor.project.file import LoadedProject, load_project_file, project_refused
from atanor.project.trials_api import Tries
from atanor.project.tuning_api import Tunes
from atanor.store import Release, RunRecord, Store

if TYPE_CHECKING:
    from atanor.data.workshop.accepting import Accepted
    from atanor.data.workshop.dataset import Dataset
    from atanor.project.contest import Contest
    from atanor.project.conversation import Conversation
    from atanor.project.estimating import Prediction
    from atanor.project.harness import HarnessChange
    from atanor.project.labelling import Labelling
    from atanor.project.outliers import Outliers
    from atanor.project.sources import CheckedRows
    from atanor.project.sweep import Sweep


@dataclass(frozen=True)
class ProjectResult:
    """What a run of a project came to: one report for each role and method."""

    reports: tuple[Report, ...]

    @property
    def passed(self) -> bool:
        """Every role has a candidate that was released."""
        roles = {report.role for report in self.reports}
        return roles == {report.role for report in self.reports if report.released}


class Project(Tunes, Tries):
    """A project file and the folder beside it.

    Example:
        >>> project = atanor.Project.load("atanor.yaml")
        >>> result = project.run()
        >>> result.reports[0].verdict
        <Verdict.BETTER: 'better'>
    """

    def __init__(self, loaded: LoadedProject) -> None:
        self.loaded = loaded
        self.store = Store(loaded.root)

    @classmethod
    def load(cls, path: str | Path = "atanor.yaml") -> Project:
        """Read a project file, or the `atanor.yaml` of a folder.

        Raises:
            ConfigurationError: with every problem found, each with file, line, field and fix.
        """
        return cls(load_project_file(Path(path)))

    def check(self) -> None:
        """Check everything that can be checked without loading a model.

        Raises:
            ConfigurationError: with every problem found.
        """
        if problems := check_project(self.loaded):
            raise project_refused(str(self.loaded.path), problems)

    def read(self, watcher: Watcher | None = None) -> dict[str, CheckedRows]:
        """Read, clean and check every role's rows, as a run would, and keep the refused ones in quarantine.

        Args:
            watcher: told about long work; nobody by default.

        Raises:
            DataError: a source cannot be read, or more rows are refused than `max_refused` allows.
        """
        from atanor.project.sources import check_rows

        project, root = self.loaded.file, self.loaded.root
        return {name: check_rows(project, name, root, watcher or Unwatched()) for name in project.roles}

    def run(
        self,
        role: str | None = None,
        *,
        method: str | None = None,
        again: bool = False,
        watcher: Watcher | None = None,
    ) -> ProjectResult:
        """Take every role, or one, from data to verdict. Interrupted, the same call goes on where it was.

        Args:
            role: only this one.
            method: only this one.
            again: make new runs even where finished ones exist.
            watcher: sees stages and progress; nobody by default.

        Raises:
            AtanorError: something is wrong with the project, its data or its base.
            Interrupted: the person pressed ^C; nothing is lost.
        """
        names = self._names(role, method)
        from atanor.project.workflow import run_role

        reports = [
            report
            for name in names
            for report in run_role(self.loaded, name, watcher=watcher or Unwatched(), only=method, again=again)
        ]
        return ProjectResult(tuple(reports))

    def continue_run(
        self,
        run: str,
        *,
        epochs: float | None = None,
        steps: int | None = None,
        peak: float | None = None,
        watcher: Watcher | None = None,
    ) -> ProjectResult:
        """Train a finished run for more epochs or steps, as a new run with its own verdict.

        Args:
            run: its id, or the start of it.
            epochs: to add.
            steps: to add, in place of epochs.
            peak: share of the first peak that the learning rate rises to again; a half by default.
            watcher: sees stages and progress; nobody by default.

        Raises:
            AtanorError: the run cannot go on; says why and what can be done.
        """
        self.check()
        from atanor.project.continuing import continue_run
        from atanor.train.continuing import PEAK

        share = PEAK if peak is None else peak
        report = continue_run(self.loaded, run, watcher or Unwatched(), epochs=epochs, steps=steps, peak=share)
        return ProjectResult((report,))

    def estimate(
        self,
        role: str | None = None,
        *,
        method: str | None = None,
        price: float | None = None,
        watcher: Watcher | None = None,
    ) -> list[Prediction]:
        """Predict memory, time and cost of every method that trains on this machine; no weight is loaded.

        Args:
            role: only this one.
            method: only this one.
            price: of an hour of this machine.
            watcher: told about a base that has to be fetched or converted first.

        Raises:
            AtanorError: something is wrong with the project, its data or its base.
        """
        names = self._names(role, method)
        from atanor.project.estimating import estimate_role

        return [
            prediction
            for name in names
            for prediction in estimate_role(self.loaded, name, watcher or Unwatched(), only=method, price=price)
        ]

    def build(self, role: str | None = None, watcher: Watcher | None = None) -> dict[str, Dataset]:
        """Make or find the dataset of every role, or one: the rows that a run trains and tests on.

        Raises:
            DataError: a source cannot be read or split, or more rows are refused than `max_refused` allows.
            BaseModelError: a base, whose control tokens no text may hold, is not there.
        """
        names = self._names(role, None)
        from atanor.project.datasets import build_role

        return {name: build_role(self.loaded, name, watcher or Unwatched()) for name in names}

    def datasets(self) -> list[Dataset]:
        """All datasets of this project, newest first."""
        from atanor.project.datasets import datasets_of

        return datasets_of(self.loaded.root)

    def dataset(self, name: str) -> Dataset:
        """The dataset whose name begins so.

        Raises:
            NotFoundError: none does, or several do.
        """
        from atanor.project.datasets import dataset_named

        return dataset_named(self.loaded.root, name)

    def roles_of(self, dataset: Dataset) -> list[str]:
        """The roles whose rows a dataset holds, as the project file stands now."""
        from atanor.project.datasets import roles_of

        return roles_of(self.loaded, dataset)

    def accept(self, role: str | None = None) -> dict[str, Accepted]:
        """Put rows that were mended in the quarantine files of all roles, or one, back into their sources.

        Raises:
            DataError: a quarantine file or a source cannot be read.
        """
        names = self._names(role, None)
        from atanor.project.datasets import accept_role

        return {name: accept_role(self.loaded, name) for name in names}

    def outliers(self, role: str | None = None, watcher: Watcher | None = None) -> Outliers:
        """Judge every training row of a role by the untouched base's loss on it: the strange and the obvious ones.

        Args:
            role: which; it may be left out where there is only one.
            watcher: told about long work.

        Raises:
            AtanorError: something is wrong with the project, its data or its base.
        """
        name = self._one_role(role)
        from atanor.project.outliers import find_outliers

        return find_outliers(self.loaded, name, watcher or Unwatched())

    def runs(self) -> list[RunRecord]:
        """All runs of this project, newest first."""
        return self.store.runs()

    def report(self, run: str) -> Report:
        """The report of a run.

        Raises:
            NotFoundError: no such run, or it is not finished.
        """
        record = self.store.run(run)
        path = self.store.run_folder(record) / "report.json"
        if not path.is_file():
            raise NotFoundError(
                f"run {record.id} has no report yet",
                [Problem(reason=f"it is {record.state}", value=record.id, fix="`atanor run` finishes it")],
            )
        return Report.model_validate_json(path.read_text(encoding="utf-8"))

    def report_page(self, run: str) -> Path:
        """The path of a run's HTML report.

        Raises:
            NotFoundError: no such run, or it is not finished.
        """
        self.report(run)
        return self.store.run_folder(self.store.run(run)) / "report.html"

    def compare(self, candidates: Sequence[str], watcher: Watcher | None = None) -> Contest:
        """Candidates of one role beside the first of them, on the same test items; nothing is asked again.

        Args:
            candidates: runs, candidates or releases, at least two.
            watcher: told about long work; nobody by default.

        Raises:
            NotFoundError: there is no such candidate.
            ConfigurationError: they cannot be compared.
        """
        from atanor.project.contest import hold_contest

        return hold_contest(self.loaded, candidates, watcher or Unwatched())

    def promote(self, candidate: str, reason: str | None = None) -> Release:
        """Point a role's alias at a candidate: a run, a candidate's id, or an earlier release to go back to.

        Args:
            candidate: which.
            reason: why it is released although it has not passed.

        Raises:
            NotFoundError: no such candidate.
            NotPassedError: it has not passed and no reason is given.
        """
        from atanor.project.promotion import promote

        found = self.store.candidate(candidate)
        return promote(self.store, found, self.report(found.run), reason)

    def chat(self, candidate: str, watcher: Watcher | None = None) -> Conversation | Labelling:
        """Open a conversation with a candidate: a release (`director@1`), a role, a run or a candidate's id.

        A classifier is asked in the same way; it answers with the name of a class.

        Raises:
            NotFoundError: no such candidate.
            BaseModelError: its base is gone or has changed.
        """
        from atanor.project.conversation import open_candidate

        return open_candidate(self.store, self.store.candidate(candidate), self.loaded, watcher or Unwatched())

    def sweep(self, candidate: str, *, scales: Sequence[float] | None = None, watcher: Watcher | None = None) -> Sweep:
        """Measure a candidate's trained change at several scales, and judge the best one that forgets little.

        Args:
            candidate: by release, role, run or id.
            scales: what to look at; 0 is the base, 1 the candidate. Default: 0, 0.25 … 1.5.
            watcher: told about stages and long work.

        Raises:
            NotFoundError: no such candidate.
            ConfigurationError: it has no trained change, or one that cannot be scaled.
            BaseModelError: its base is gone or has changed.
        """
        self.check()
        from atanor.project.sweep import SCALES, sweep_candidate

        return sweep_candidate(self.loaded, self.store.candidate(candidate), watcher or Unwatched(), scales or SCALES)

    def harness(
        self,
        candidate: str,
        tasks: Sequence[str],
        *,
        include: Path | None = None,
        limit: int | None = None,
        shots: int | None = None,
        chat: bool = False,
        progress: Progress | None = None,
    ) -> list[HarnessChange]:
        """Ask a candidate and its base tasks of the lm-evaluation-harness, and compare them item by item.

        Args:
            candidate: by release, role, run or id.
            tasks: as the harness names them.
            include: folder with tasks of one's own, as YAML.
            limit: most items of a task.
            shots: examples before each item; as the task says by default.
            chat: prompts are put as conversations.
            progress: shown what is asked.

        Raises:
            NotFoundError: no such candidate.
            MissingExtraError: the harness is not installed.
            ConfigurationError: there is no such task, or its data cannot be had.
            BaseModelError: the base is gone or has changed, or the candidate is a classifier.
        """
        self.check()
        from atanor.project.harness import HarnessAsked, run_harness

        asked = HarnessAsked(tuple(tasks), include, limit, shots, chat)
        return run_harness(self.loaded, self.store.candidate(candidate), asked, progress or Silent())

    def sweep_page(self, found: Sweep) -> Path:
        """Write the HTML page of a sweep below the project's store; returns its path."""
        from atanor.project.sweep_page import write_page

        return write_page(found, self.store.folder / "sweeps")

    def _names(self, role: str | None, method: str | None) -> list[str]:
        """The roles that are meant, once the project and what is asked of it were checked."""
        self.check()
        names = list(self.loaded.file.roles) if role is None else [self._known_role(role)]
        for name in names:
            self._require_method(name, method, alone=role is not None or len(names) == 1)
        return names

    def _one_role(self, role: str | None) -> str:
        """The role that is meant, once the project was checked."""
        names = self._names(role, None)
        if len(names) > 1:
            fix = f"Name one with --role: {', '.join(names)}"
            raise ConfigurationError("which role is meant?", [Problem(f"there are {len(names)}", fix=fix)])
        return names[0]

    def _known_role(self, role: str) -> str:
        if role not in self.loaded.file.roles:
            raise NotFoundError(
                f"there is no role `{role}`",
                [
                    Problem(
                        reason="not in the project file", value=role, fix=f"Roles: {', '.join(self.loaded.file.roles)}"
                    )
                ],
            )
        return role

    def _require_method(self, role: str, method: str | None, *, alone: bool) -> None:
        methods = [choice.name for choice in self.loaded.file.roles[role].methods]
        if alone and method is not None and method not in methods:
            raise NotFoundError(
                f"role {role} has no method `{method}`",
                [Problem(reason="not in the project file", value=method, fix=f"Its methods: {', '.join(methods)}")],
            )
