"""The trainings of an ablation: one arm without augmentation, one for each technique, one for all together."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from atanor.compute import device_name, process_bytes
from atanor.errors import BaseModelError, ConfigurationError, NotFoundError, Problem
from atanor.evaluate.report import Report
from atanor.models import config_of, resolve_base
from atanor.nearest import did_you_mean
from atanor.project.dataset import Reader, RoleData, prepare_role
from atanor.project.estimating import Prediction, Prepared, predict, trains_here
from atanor.project.events import Watcher
from atanor.project.file import LoadedProject
from atanor.project.options import MethodChoice, RoleOptions
from atanor.project.workflow import Trial, run_role
from atanor.train import TrainOptions, steps_of

NONE, ALL = "none", "all"
"""Names of the arm without augmentation and of the one with every technique."""


class Budget(StrEnum):
    """What all arms have in common, though their rows differ in number."""

    STEPS = "steps"
    EPOCHS = "epochs"


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


def arms_of(role: RoleOptions, name: str, only: Sequence[str]) -> tuple[Arm, ...]:
    """The arms of a role: none, each technique alone, all together; with `only`, of the last two kinds those named.

    Raises:
        ConfigurationError: the role has no augmentation.
        NotFoundError: one that is named is none of the role's.
    """
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
    return (Arm(NONE, ()), *(arm for arm in arms if not only or arm.name in only))


class Trials:
    """A role as each arm sees it.

    Args:
        loaded: the checked project.
        name: of the role.
        watcher: told about stages and long work.
        budget: what the arms have in common.

    Raises:
        ConfigurationError: no method of the role trains on this machine.
        BaseModelError: the base is not there.
    """

    def __init__(self, loaded: LoadedProject, name: str, watcher: Watcher, budget: Budget) -> None:
        self._loaded = loaded
        self._name = name
        self._watcher = watcher
        self.choice = trained_method(loaded.file.roles[name], name)
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
        goal, seed = self._loaded.file.roles[self._name].goal, self._loaded.file.seed
        prepared = Prepared(self._name, self._local, goal, config_of(self._local), rows, data.validation_rows, seed)
        prediction = predict_or_say(prepared, choice, self._watcher)
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


def predict_or_say(prepared: Prepared, choice: MethodChoice, watcher: Watcher) -> Prediction | None:
    """Time and memory of one training; None, and the reason is said, where the base's family cannot be predicted."""
    try:
        return predict(prepared, choice, process=process_bytes(device_name()))
    except BaseModelError as error:
        watcher.say(f"predicted {error.summary}")
        return None


def _training(choice: MethodChoice) -> TrainOptions:
    assert isinstance(choice.options, TrainOptions)
    return choice.options


def trained_method(role: RoleOptions, name: str) -> MethodChoice:
    """The first method of a role that trains on this machine.

    Raises:
        ConfigurationError: none does.
    """
    found = next((choice for choice in role.methods if trains_here(choice)), None)
    if found is None:
        fix = "Add `lora` to `methods`: what was trained is compared"
        problem = Problem("none of its methods trains on this machine", field=f"roles.{name}.methods", fix=fix)
        raise ConfigurationError(f"role {name} has nothing to compare", [problem])
    return found
