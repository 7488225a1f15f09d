"""Does augmentation help? The same role trained with and without each technique, judged on the same test items.

Every arm trains as many optimizer steps as the one without augmentation (or as many epochs, where that is asked), from
the same start, and validates at the same steps. What each comes to is compared with the arm without augmentation by
the paired statistics of the evaluate room; because several arms are looked at, help is claimed only where it stands
Holm's adjustment. Each arm is a run in the store, so that an interrupted ablation goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from atanor.errors import ConfigurationError, Problem
from atanor.evaluate import Comparison, Item, Metric, Outcome, build_metric, compare
from atanor.evaluate.items import Verdict
from atanor.evaluate.report import Report
from atanor.evaluate.runner import outcomes_from_json
from atanor.evaluate.statistics import holm
from atanor.project.events import Watcher
from atanor.project.file import LoadedProject
from atanor.project.options import RoleOptions
from atanor.project.trials import Arm, Budget, PlannedArm, Trials, arms_of
from atanor.project.workflow import OUTCOMES
from atanor.store import Store

T = TypeVar("T")


class Effect(StrEnum):
    """What augmentation did to the score."""

    HELPS = "helps"
    HARMS = "harms"
    NO_DIFFERENCE = "no difference"
    CANNOT_TELL = "cannot tell"


_EFFECTS = {
    Verdict.BETTER: Effect.HELPS,
    Verdict.WORSE: Effect.HARMS,
    Verdict.NO_DIFFERENCE: Effect.NO_DIFFERENCE,
    Verdict.CANNOT_TELL: Effect.CANNOT_TELL,
}


@dataclass(frozen=True)
class AblationPlan:
    """What an ablation will do, and what it will cost.

    Attributes:
        role: the role.
        method: the method that is trained.
        budget: what the arms have in common.
        repetitions: how often every arm is trained, each time with other draws.
        arms: the arms of the first repetition, the one without augmentation first.
    """

    role: str
    method: str
    budget: Budget
    repetitions: int
    arms: tuple[PlannedArm, ...]

    @property
    def seconds(self) -> float:
        """Predicted seconds of training in all; answering the test items comes on top."""
        predictions = (planned.prediction for planned in self.arms)
        return self.repetitions * sum(found.estimate.seconds for found in predictions if found is not None)


@dataclass(frozen=True)
class Measured:
    """What an arm came to beside the one without augmentation.

    Attributes:
        arm: which.
        rows, made, steps: of its first repetition; steps as they were trained.
        comparisons: one for each target metric, the role's first in front.
        p_value: of the first, adjusted for the number of arms.
        effect: on the first metric.
        runs: its runs, one a repetition.
    """

    arm: Arm
    rows: int
    made: int
    steps: int
    comparisons: tuple[Comparison, ...]
    p_value: float
    effect: Effect
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Ablation:
    """What augmentation does for a role.

    Attributes:
        role, method, budget, repetitions: as planned.
        confidence: of every interval.
        items: test items.
        rows: training rows without augmentation.
        steps: optimizer steps without augmentation.
        base: score of the untouched base on the role's first metric.
        runs: the runs without augmentation.
        arms: the arms with augmentation.
    """

    role: str
    method: str
    budget: Budget
    repetitions: int
    confidence: float
    items: int
    rows: int
    steps: int
    base: float
    runs: tuple[str, ...]
    arms: tuple[Measured, ...]


def plan_ablation(
    loaded: LoadedProject,
    name: str,
    watcher: Watcher,
    *,
    only: Sequence[str] = (),
    repetitions: int = 1,
    budget: Budget = Budget.STEPS,
) -> AblationPlan:
    """Make the data of every arm and predict what training it takes; no weight is loaded.

    Args:
        loaded: the checked project.
        name: of the role.
        watcher: told about long work.
        only: names of the arms beside `none`; without any, each technique alone and all together.
        repetitions: how often every arm is trained, each time with other draws of augmentation and training.
        budget: what the arms have in common.

    Raises:
        ConfigurationError: the role has no augmentation, or no method that trains here.
        NotFoundError: an arm is none of the role's.
        DataError: the role's data cannot be used, or a technique lacks what it needs.
        BaseModelError: the base is not there.
    """
    role = loaded.file.roles[name]
    targets_of(role, name, loaded.root)
    arms = arms_of(role, name, only)
    trials = Trials(loaded, name, watcher, budget)
    planned = tuple(trials.planned(arm) for arm in arms)
    return AblationPlan(name, trials.choice.name, budget, repetitions, planned)


def ablate(loaded: LoadedProject, plan: AblationPlan, watcher: Watcher) -> Ablation:
    """Train every arm of a plan, or find it trained, and compare each with the one without augmentation.

    Args:
        loaded: the project the plan was made for.
        plan: from `plan_ablation`.
        watcher: told about stages and long work.

    Raises:
        AtanorError: see `run_role`.
        Interrupted: the person pressed ^C; the same call goes on where it was.
    """
    role = loaded.file.roles[plan.role]
    trials = Trials(loaded, plan.role, watcher, plan.budget)
    without, *others = [
        _Sat(planned, tuple(trials.report(planned.arm, repetition) for repetition in range(plan.repetitions)))
        for planned in plan.arms
    ]
    items = trials.data(without.planned.arm, 0).items
    places = counted([*items] * plan.repetitions, [report for sat in (without, *others) for report in sat.reports])
    compared = _Comparing(loaded, plan.role, items * plan.repetitions, places, without).all_of(others)
    adjusted = holm([found[0].p_value for found in compared])
    alpha = 1 - role.evaluate.confidence
    return Ablation(
        role=plan.role,
        method=plan.method,
        budget=plan.budget,
        repetitions=plan.repetitions,
        confidence=role.evaluate.confidence,
        items=len(places) // plan.repetitions,
        rows=without.planned.rows,
        steps=without.steps,
        base=next(one.baseline for one in without.reports[0].comparisons if one.metric == compared[0][0].metric),
        runs=without.runs,
        arms=tuple(
            Measured(
                arm=sat.planned.arm,
                rows=sat.planned.rows,
                made=sat.planned.made,
                steps=sat.steps,
                comparisons=found,
                p_value=p_value,
                effect=_effect(found[0].verdict, p_value, alpha),
                runs=sat.runs,
            )
            for sat, found, p_value in zip(others, compared, adjusted, strict=True)
        ),
    )


@dataclass(frozen=True)
class _Sat:
    """An arm with the reports of its runs, one a repetition."""

    planned: PlannedArm
    reports: tuple[Report, ...]

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(report.run for report in self.reports)

    @property
    def steps(self) -> int:
        training = self.reports[0].training
        return 0 if training is None else training.steps

    def outcomes(self, store: Store) -> list[Outcome]:
        """On the test items, repetition after repetition."""
        files = (store.run_folder(store.run(run)) / OUTCOMES for run in self.runs)
        return [outcome for file in files for outcome in outcomes_from_json(file.read_bytes())]


@dataclass(frozen=True)
class _Comparing:
    """Arms beside the one without augmentation.

    Attributes:
        items: the test items, once a repetition: the answers to an item are one cluster, for they are not independent.
        places: of those that count.
    """

    loaded: LoadedProject
    role: str
    items: Sequence[Item]
    places: Sequence[int]
    without: _Sat

    def all_of(self, arms: Sequence[_Sat]) -> list[tuple[Comparison, ...]]:
        """For each arm a comparison on every target metric."""
        options = self.loaded.file.roles[self.role]
        store, seed = Store(self.loaded.root), self.loaded.file.seed
        targets = targets_of(options, self.role, self.loaded.root)
        items, before = self._of(self.items), self._of(self.without.outcomes(store))
        return [
            tuple(compare(metric, items, before, after, seed=seed, options=options.evaluate) for metric in targets)
            for after in (self._of(arm.outcomes(store)) for arm in arms)
        ]

    def _of(self, every: Sequence[T]) -> list[T]:
        return [every[place] for place in self.places]


def counted(items: Sequence[Item], reports: Sequence[Report]) -> list[int]:
    """Places of the items that count: of trainings that are compared, none may have learned one that is left out."""
    found = (report.contamination for report in reports)
    excluded = frozenset[str]().union(*(one.excluded for one in found if one is not None))
    return [place for place, item in enumerate(items) if item.id not in excluded]


def targets_of(role: RoleOptions, name: str, root: Path) -> list[Metric]:
    """The metrics that look at what the role should do.

    Raises:
        ConfigurationError: there are none.
    """
    metrics = [build_metric(spec, root) for spec in role.metrics_in_force]
    targets = [metric for metric in metrics if metric.target and not metric.uses_general_text]
    if not targets:
        fix = "Add one that looks at the test items, as `exact_match`"
        problem = Problem("no metric looks at what the role should do", field=f"roles.{name}.metrics", fix=fix)
        raise ConfigurationError(f"role {name} has nothing to compare by", [problem])
    return targets


def _effect(verdict: Verdict, p_value: float, alpha: float) -> Effect:
    """The verdict as an effect: help is claimed only where it stands the adjustment, harm is not adjusted."""
    if verdict is Verdict.BETTER and p_value >= alpha:
        return Effect.CANNOT_TELL
    return _EFFECTS[verdict]
