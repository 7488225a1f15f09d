"""What a project as Python code can find out by training a role several times."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from atanor.project.events import Unwatched, Watcher
from atanor.project.file import LoadedProject
from atanor.store import Store

if TYPE_CHECKING:
    from atanor.project.ablation import Ablation, AblationPlan
    from atanor.project.curve import CurvePlan, LearningCurve
    from atanor.project.trials import Budget


class Tries(ABC):
    """Part of `Project`: `atanor data ablate` and `atanor curve`."""

    loaded: LoadedProject
    store: Store

    @abstractmethod
    def _one_role(self, role: str | None) -> str:
        """The role that is meant, once the project was checked."""

    def plan_ablation(
        self,
        role: str | None = None,
        *,
        techniques: Sequence[str] = (),
        seeds: int = 1,
        budget: Budget | None = None,
        watcher: Watcher | None = None,
    ) -> AblationPlan:
        """Say what it takes to find out whether augmentation helps a role; no weight is loaded.

        Args:
            role: which; it may be left out where there is only one.
            techniques: only these, as `eda`, or `all` for all together.
            seeds: how often everything is trained, each time with other draws.
            budget: what is equal of all trainings: optimizer steps, or epochs. By default the steps.
            watcher: told about long work.

        Raises:
            AtanorError: something is wrong with the project, its data or its base, or the role has no augmentation.
        """
        name = self._one_role(role)
        from atanor.project.ablation import plan_ablation
        from atanor.project.trials import Budget

        return plan_ablation(
            self.loaded,
            name,
            watcher or Unwatched(),
            only=techniques,
            repetitions=seeds,
            budget=budget or Budget.STEPS,
        )

    def ablate(self, plan: AblationPlan, watcher: Watcher | None = None) -> Ablation:
        """Train a role with and without augmentation as planned, and say what each technique does to its score.

        Interrupted, the same call goes on where it was.

        Args:
            plan: from `plan_ablation`.
            watcher: sees stages and progress; nobody by default.

        Raises:
            AtanorError: see `run`.
        """
        from atanor.project.ablation import ablate

        return ablate(self.loaded, plan, watcher or Unwatched())

    def plan_curve(
        self,
        role: str | None = None,
        *,
        shares: Sequence[float] = (),
        seeds: int = 1,
        watcher: Watcher | None = None,
    ) -> CurvePlan:
        """Say what it takes to find out what more training rows would bring; no weight is loaded.

        Args:
            role: which; it may be left out where there is only one.
            shares: of the training rows, each in (0, 1]; an eighth, a quarter, a half and all of them by default.
            seeds: how often every size is trained, each time with other rows.
            watcher: told about long work.

        Raises:
            AtanorError: something is wrong with the project, its data or its base, or it has too few rows.
        """
        name = self._one_role(role)
        from atanor.project.curve import plan_curve

        return plan_curve(self.loaded, name, watcher or Unwatched(), shares=shares, repetitions=seeds)

    def learning_curve(self, plan: CurvePlan, watcher: Watcher | None = None) -> LearningCurve:
        """Train a role on every size as planned, and say what twice the rows would bring.

        Interrupted, the same call goes on where it was.

        Args:
            plan: from `plan_curve`.
            watcher: sees stages and progress; nobody by default.

        Raises:
            AtanorError: see `run`.
        """
        from atanor.project.curve import learning_curve

        return learning_curve(self.loaded, plan, watcher or Unwatched())

    def curve_page(self, found: LearningCurve) -> Path:
        """Write the HTML page of a learning curve below the project's store; returns its path."""
        from atanor.project.curve_page import write_page

        return write_page(found, self.store.folder / "curves")
