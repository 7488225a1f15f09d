"""Does augmentation help? The same role trained with and without each technique, judged on the same test items.

Every arm trains as many optimizer steps as the one without augmentation (or as many epochs, where that is asked), from
the same start, and validates at the same steps. What each comes to is compared with the arm without augmentation by
the paired statistics of the evaluate room; because several arms are looked at, help is claimed only where it stands
Holm's adjustment. Each arm is a run in the store, so that an interrupted ablation goes on where it was.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from atanor.compute import device_name, process_bytes
from atanor.errors import BaseModelError, ConfigurationError, NotFoundError, Problem
from atanor.evaluate import Comparison, Outcome, build_metric, compare
from atanor.evaluate.items import Verdict
from atanor.evaluate.report import Report
from atanor.evaluate.runner import outcomes_from_json
from atanor.evaluate.statistics import holm
from atanor.models import config_of, resolve_base
from atanor.project.dataset import Reader, RoleData, prepare_role
from atanor.project.estimating import Prediction, Prepared, predict, trains_here
from atanor.project.events import Watcher
from atanor.project.file import LoadedProject
from atanor.project.nearest import did_you_mean
from atanor.project.options import MethodChoice, RoleOptions
from atanor.project.workflow import OUTCOMES, Trial, run_role
from atanor.store import Store
from atanor.train import TrainOptions, steps_of

NONE, ALL = "none", "all"
"""Names of the arm without augmentation and of the one with every technique."""


class Effect(StrEnum):
    """What augmentation did to the score."""

    HELPS = "helps"
    HARMS = "harms"
    NO_DIFFERENCE = "no difference"
    CANNOT_TELL = "cannot tell"


class Budget(StrEnum):
    """What all arms have in common, though their rows differ in number."""

    STEPS = "steps"
    EPOCHS = "epochs"


_EFFECTS = {
    Verdict.BETTER: Effect.HELPS,
    Verdict.WORSE: Effect.HARMS,
    Verdict.NO_DIFFERENCE: Effect.NO_DIFFERENCE,
    Verdict.CANNOT_TELL: Effect.CANNOT_TELL,
}


@dataclass(frozen=True)
class Arm:
    """One way to train the role.

    Attributes:
        name: of its technique, or `none` or `all`.
        techniques: places of its techniques in the role's list.
    """

    name: str
    techniques: tuple[int, ...]


@dataclass(frozen=True)
class PlannedArm:
    """An arm as it will be trained.

    Attributes:
        arm: which.
        rows: training rows, new ones included.
        made: those that augmentation made.
        steps: optimizer steps, at most: training may stop early.
        prediction: of time and memory; None where the base's family cannot be predicted.
    """

    arm: Arm
    rows: int
    made: int
    steps: int
    prediction: Prediction | None


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
    arms = (Arm(NONE, ()), *_chosen(role, name, only))
    trials = _Trials(loaded, name, watcher, _trained(role, name), budget)
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
    trials = _Trials(loaded, plan.role, watcher, _trained(role, plan.role), plan.budget)
    repetitions = range(plan.repetitions)
    without, *others = [
        _Sat(planned, tuple(trials.report(planned.arm, repetition) for repetition in repetitions))
        for planned in plan.arms
    ]
    metrics = [build_metric(spec, loaded.root) for spec in role.metrics_in_force]
    targets = [metric for metric in metrics if not metric.uses_general_text]
    items = trials.data(without.planned.arm, 0).items
    store = Store(loaded.root)
    before = without.outcomes(store)
    compared = [
        tuple(
            # An item's answers of all repetitions are one cluster: they are not independent.
            compare(
                metric,
                items * plan.repetitions,
                before,
                sat.outcomes(store),
                seed=loaded.file.seed,
                options=role.evaluate,
            )
            for metric in targets
        )
        for sat in others
    ]
    adjusted = holm([found[0].p_value for found in compared])
    alpha = 1 - role.evaluate.confidence
    return Ablation(
        role=plan.role,
        method=plan.method,
        budget=plan.budget,
        repetitions=plan.repetitions,
        confidence=role.evaluate.confidence,
        items=len(items),
        rows=without.planned.rows,
        steps=without.steps,
        base=without.reports[0].comparisons[metrics.index(targets[0])].baseline,
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


class _Trials:
    """The project as each arm sees it, and what became of it there."""

    def __init__(
        self, loaded: LoadedProject, name: str, watcher: Watcher, choice: MethodChoice, budget: Budget
    ) -> None:
        self._loaded = loaded
        self._name = name
        self._watcher = watcher
        self.choice = choice
        self._budget = budget
        self._local = resolve_base(loaded.file.base_of(name), loaded.root, watcher)
        self._reader = Reader.of(self._local)
        self._rows = len(self.data(Arm(NONE, ()), 0).training_rows)

    def data(self, arm: Arm, repetition: int) -> RoleData:
        """The role's data with the new rows of these techniques, made or found."""
        project = self._with(arm, self.choice).file
        return prepare_role(project, self._name, self._loaded.root, self._reader, self._watcher, repetition=repetition)

    def planned(self, arm: Arm) -> PlannedArm:
        """What training the arm takes, in its first repetition."""
        data = self.data(arm, 0)
        rows = data.training_rows
        choice = self._fitted(len(rows))
        prepared = Prepared(self._name, config_of(self._local), rows, data.validation_rows, self._loaded.file.seed)
        prediction = None
        try:
            prediction = predict(prepared, choice, process=process_bytes(device_name()))
        except BaseModelError as error:
            self._watcher.say(f"predicted {error.summary}")
        return PlannedArm(arm, len(rows), data.section.augmented, steps_of(len(rows), _training(choice)), prediction)

    def report(self, arm: Arm, repetition: int) -> Report:
        """The report of the arm's run: found finished, resumed or begun."""
        self._watcher.say(f"arm       {arm.name}, with seed {self._loaded.file.seed + repetition}")
        choice = self._fitted(len(self.data(arm, repetition).training_rows))
        (report,) = run_role(
            self._with(arm, choice),
            self._name,
            watcher=self._watcher,
            only=choice.name,
            trial=Trial(f"augmentation {arm.name}", repetition),
        )
        return report

    def _with(self, arm: Arm, choice: MethodChoice) -> LoadedProject:
        role = self._loaded.file.roles[self._name]
        techniques = tuple(role.augment.techniques[place] for place in arm.techniques)
        augment = role.augment.model_copy(update={"techniques": techniques})
        role = role.model_copy(update={"augment": augment, "methods": (choice,)})
        roles = {**self._loaded.file.roles, self._name: role}
        return dataclasses.replace(self._loaded, file=self._loaded.file.model_copy(update={"roles": roles}))

    def _fitted(self, rows: int) -> MethodChoice:
        """The method with what so many rows change of it: epochs that give the same steps, validated at the same."""
        options = _training(self.choice)
        every = options.validate_every or max(1, round(self._rows / options.batch / 4))
        changed: dict[str, float] = {"validate_every": every}
        if self._budget is Budget.STEPS:
            # Half a step less is rounded up to the whole one, whatever the division rounds.
            changed["epochs"] = (steps_of(self._rows, options) - 0.5) / math.ceil(rows / options.batch)
        return self.choice.model_copy(update={"options": self.choice.options.model_copy(update=changed)})


def _training(choice: MethodChoice) -> TrainOptions:
    assert isinstance(choice.options, TrainOptions)
    return choice.options


def _trained(role: RoleOptions, name: str) -> MethodChoice:
    """The first method of a role that trains on this machine."""
    found = next((choice for choice in role.methods if trains_here(choice)), None)
    if found is None:
        fix = "Add `lora` to `methods`: an ablation compares what was trained"
        problem = Problem("none of its methods trains on this machine", field=f"roles.{name}.methods", fix=fix)
        raise ConfigurationError(f"role {name} has nothing to compare", [problem])
    return found


def _chosen(role: RoleOptions, name: str, only: Sequence[str]) -> list[Arm]:
    """Each technique alone and all together, or those of them that are named."""
    methods = [technique.method for technique in role.augment.techniques]
    if not methods:
        fix = f"Write techniques under `roles.{name}.augment`, as `augment: [synonyms, typos]`"
        problem = Problem("it has no technique", field=f"roles.{name}.augment", fix=fix)
        raise ConfigurationError(f"role {name} has no augmentation to compare", [problem])
    times, seen = Counter(methods), Counter[str]()
    arms = []
    for place, method in enumerate(methods):
        seen[method] += 1
        arms.append(Arm(method if times[method] == 1 else f"{method} {seen[method]}", (place,)))
    if len(arms) > 1:
        arms.append(Arm(ALL, tuple(range(len(arms)))))
    known = [arm.name for arm in arms]
    for wanted in only:
        if wanted not in known:
            fix = did_you_mean(wanted, known, f"To compare: {', '.join(known)}")
            problem = Problem("not in the project file", field="--technique", value=wanted, fix=fix)
            raise NotFoundError(f"role {name} has no technique `{wanted}`", [problem])
    return [arm for arm in arms if not only or arm.name in only]


def _effect(verdict: Verdict, p_value: float, alpha: float) -> Effect:
    """The verdict as an effect: help is claimed only where it stands the adjustment, harm is not adjusted."""
    if verdict is Verdict.BETTER and p_value >= alpha:
        return Effect.CANNOT_TELL
    return _EFFECTS[verdict]
