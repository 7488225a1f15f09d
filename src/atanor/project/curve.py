"""What more rows would bring: a role trained on shares of its rows, judged on the same items, and followed beyond them.

Every size is a run in the store, trained as the project says, so that an interrupted curve goes on where it was and the
whole data's training is the role's own, done once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atanor.errors import ConfigurationError, Problem
from atanor.evaluate import Item, Metric, Outcome
from atanor.evaluate.learning_curve import LEAST_SIZES, Forecast, forecast
from atanor.evaluate.marking import mark
from atanor.evaluate.report import Report
from atanor.evaluate.runner import outcomes_from_json
from atanor.models import config_of, resolve_base
from atanor.project.ablation import counted, targets_of
from atanor.project.dataset import Reader, prepare_role
from atanor.project.estimating import Prediction, Prepared
from atanor.project.events import Watcher
from atanor.project.file import LoadedProject
from atanor.project.sampling import with_share
from atanor.project.trials import predict_or_say, trained_method
from atanor.project.workflow import OUTCOMES, Trial, run_role
from atanor.store import Store
from atanor.train import TrainOptions, steps_of

SHARES = (0.125, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class PlannedSize:
    """A share of the training rows as it will be trained.

    Attributes:
        share: of the training rows.
        rows: how many these are.
        steps: optimizer steps, at most: training may stop early.
        prediction: of time and memory; None where the base's family cannot be predicted.
    """

    share: float
    rows: int
    steps: int
    prediction: Prediction | None


@dataclass(frozen=True)
class CurvePlan:
    """What a learning curve will do, and what it will cost.

    Attributes:
        role, method: what is trained.
        repetitions: how often every size is trained, each time with other rows and another seed.
        sizes: smallest first.
    """

    role: str
    method: str
    repetitions: int
    sizes: tuple[PlannedSize, ...]

    @property
    def seconds(self) -> float:
        """Predicted seconds of training in all; answering the test items comes on top."""
        found = (planned.prediction for planned in self.sizes)
        return self.repetitions * sum(one.estimate.seconds for one in found if one is not None)


@dataclass(frozen=True)
class LearningCurve:
    """A role's scores by the number of its training rows, and what twice as many would bring.

    Attributes:
        role, method, repetitions, sizes: as planned.
        confidence: of every interval.
        items: test items.
        forecasts: one for each target metric, the role's first in front.
        runs: for each size its runs, one a repetition.
    """

    role: str
    method: str
    repetitions: int
    sizes: tuple[PlannedSize, ...]
    confidence: float
    items: int
    forecasts: tuple[Forecast, ...]
    runs: tuple[tuple[str, ...], ...]


def plan_curve(
    loaded: LoadedProject, name: str, watcher: Watcher, *, shares: Sequence[float] = (), repetitions: int = 1
) -> CurvePlan:
    """Draw the rows of every size and predict what training them takes; no weight is loaded.

    Args:
        loaded: the checked project.
        name: of the role.
        watcher: told about long work.
        shares: of the training rows; `SHARES` without any. The whole always belongs to them.
        repetitions: how often every size is trained.

    Raises:
        ConfigurationError: no method trains here, no metric looks at the task, or the sizes are too few or too small.
        DataError: the role's data cannot be used, or a share leaves a label without a row.
        BaseModelError: the base is not there.
    """
    role = loaded.file.roles[name]
    targets_of(role, name, loaded.root)
    choice = trained_method(role, name)
    assert isinstance(choice.options, TrainOptions)
    local = resolve_base(loaded.file.base_of(name), loaded.root, watcher)
    whole = prepare_role(loaded.file, name, loaded.root, Reader.of(local), watcher)
    config, seed = config_of(local), loaded.file.seed
    sizes = []
    for share in sorted({*(shares or SHARES), 1.0}):
        data = with_share(whole, share, seed)
        prepared = Prepared(name, local, role.goal, config, data.training_rows, data.validation_rows, seed)
        prediction = predict_or_say(prepared, choice, watcher)
        rows = len(data.training_rows)
        sizes.append(PlannedSize(share, rows, steps_of(rows, choice.options), prediction))
    _require_sizes(sizes, name)
    return CurvePlan(name, choice.name, repetitions, tuple(sizes))


def learning_curve(loaded: LoadedProject, plan: CurvePlan, watcher: Watcher) -> LearningCurve:
    """Train every size of a plan, or find it trained, and fit a law to the scores.

    Args:
        loaded: the project the plan was made for.
        plan: from `plan_curve`.
        watcher: told about stages and long work.

    Raises:
        AtanorError: see `run_role`.
        Interrupted: the person pressed ^C; the same call goes on where it was.
    """
    role = loaded.file.roles[plan.role]
    choice = trained_method(role, plan.role)
    reports: list[list[Report]] = []
    for size in plan.sizes:
        reports.append([])
        for repetition in range(plan.repetitions):
            watcher.say(f"size      {size.rows:,} rows, with seed {loaded.file.seed + repetition}")
            trial = Trial(f"learning curve {size.share:.6g}", repetition, size.share)
            reports[-1] += run_role(loaded, plan.role, watcher=watcher, only=choice.name, trial=trial)
    measured = _Measured.of(loaded, plan, reports, watcher)
    return LearningCurve(
        role=plan.role,
        method=plan.method,
        repetitions=plan.repetitions,
        sizes=plan.sizes,
        confidence=role.evaluate.confidence,
        items=len(measured.items) // plan.repetitions,
        forecasts=tuple(measured.forecast(metric) for metric in measured.metrics()),
        runs=tuple(tuple(report.run for report in found) for found in reports),
    )


@dataclass(frozen=True)
class _Measured:
    """What every size made of the test items.

    Attributes:
        items: once a repetition: the answers to an item are one cluster, for they are not independent.
        outcomes: of every size, in the order of the items.
        whole: the report of the whole data's first run.
    """

    loaded: LoadedProject
    plan: CurvePlan
    items: Sequence[Item]
    outcomes: Sequence[Sequence[Outcome]]
    whole: Report

    @classmethod
    def of(
        cls, loaded: LoadedProject, plan: CurvePlan, reports: Sequence[Sequence[Report]], watcher: Watcher
    ) -> _Measured:
        local = resolve_base(loaded.file.base_of(plan.role), loaded.root, watcher)
        items = prepare_role(loaded.file, plan.role, loaded.root, Reader.of(local), watcher).items
        store = Store(loaded.root)
        outcomes = [
            [
                outcome
                for report in found
                for outcome in outcomes_from_json((store.run_folder(store.run(report.run)) / OUTCOMES).read_bytes())
            ]
            for found in reports
        ]
        return cls(loaded, plan, items * plan.repetitions, outcomes, reports[-1][0])

    def metrics(self) -> list[Metric]:
        """The role's targets; a classifier has no likelihood of texts."""
        compared = {one.metric for one in self.whole.comparisons}
        targets = targets_of(self.loaded.file.roles[self.plan.role], self.plan.role, self.loaded.root)
        return [metric for metric in targets if metric.name in compared]

    def forecast(self, metric: Metric) -> Forecast:
        """One metric's curve; an item that it cannot mark for some size, or that was learned, counts for none."""
        metric.begin(self.items)
        largest = self.outcomes[-1]
        marked = [mark(metric, self.items, largest, outcomes) for outcomes in self.outcomes]
        # What the whole data have in common with the test, its parts have no more of.
        kept = sorted(set(counted(self.items, [self.whole])).intersection(*(one.kept for one in marked)))
        rows = [dict(zip(one.kept, one.candidate, strict=True)) for one in marked]
        options = self.loaded.file.roles[self.plan.role].evaluate
        base = next(one.baseline for one in self.whole.comparisons if one.metric == metric.name)
        return forecast(
            metric,
            [size.rows for size in self.plan.sizes],
            [np.stack([found[place] for place in kept]) for found in rows],
            [self.items[place].cluster for place in kept],
            base=base,
            confidence=options.confidence,
            resamples=options.resamples,
            seed=self.loaded.file.seed,
        )


def _require_sizes(sizes: Sequence[PlannedSize], name: str) -> None:
    """Enough sizes that differ.

    Raises:
        ConfigurationError: too few, or two with the same number of rows.
    """
    numbers = [size.rows for size in sizes]
    place = f"roles.{name}.data"
    if len(set(numbers)) < len(numbers):
        fix = "Name fewer with --share, or collect more rows"
        problem = Problem("two shares have the same number of rows", field=place, value=str(numbers[0]), fix=fix)
        raise ConfigurationError(f"role {name} has too few rows for these sizes", [problem])
    if len(numbers) < LEAST_SIZES:
        problem = Problem(f"a law needs {LEAST_SIZES} sizes", field="--share", value=str(len(numbers)), fix="Name more")
        raise ConfigurationError("a learning curve has too few sizes", [problem])
