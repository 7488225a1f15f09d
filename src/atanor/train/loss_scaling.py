"""Dynamic loss scaling: float16 gradients kept in range, and steps whose gradients overflow left out.

Micikevicius et al. 2018, arXiv:1710.03740, with the numbers of torch's `GradScaler`: the scale begins at 65,536, is
halved when a gradient is not finite, and doubled after 2,000 steps in a row that were. Here it is read and written with
the checkpoints of whichever loop runs, and a step that is left out has no gradient at all, so that every optimizer
passes over it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import nn

from atanor.compute import LossScale
from atanor.errors import Problem, TrainingError

STATE = "loss_scale.json"
_GROWS_AFTER = 2000


@dataclass(frozen=True)
class ScaleState:
    """What a checkpoint keeps.

    Attributes:
        value: of the scale now.
        steady: steps in a row without overflow.
        skipped: steps left out so far.
    """

    value: float = 65536.0
    steady: int = 0
    skipped: int = 0


class DynamicScale:
    """Sets the scale before a gradient is taken, divides by it afterwards and adapts it.

    Args:
        scale: the engine's.
    """

    def __init__(self, scale: LossScale) -> None:
        self._scale = scale
        self.state = ScaleState()
        scale.value = self.state.value

    @staticmethod
    def finite(parameters: Sequence[nn.Parameter]) -> bool:
        """Whether every gradient of these parameters is."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        return not gradients or bool(torch.isfinite(torch.stack(torch._foreach_norm(gradients))).all())

    def finish(self, parameters: Sequence[nn.Parameter], finite: bool) -> None:
        """Divide the gradients by the scale, or drop all of them where one is not finite; adapt the scale.

        Args:
            parameters: those that train.
            finite: whether the step counts.

        Raises:
            TrainingError: gradients overflow without any scale.
        """
        if finite:
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad.mul_(1 / self.state.value)
            self._grown()
            return
        for parameter in parameters:
            parameter.grad = None
        self._take(ScaleState(self.state.value / 2, 0, self.state.skipped + 1))
        if self.state.value < 1:
            problem = Problem(
                "gradients are not finite even without a loss scale",
                field="precision",
                value="float16",
                fix="Write `precision: auto` or `bfloat16`; float16 ends at 65,504",
            )
            raise TrainingError("this base cannot be trained in float16", [problem])

    def save(self, folder: Path) -> None:
        """Write the state into a checkpoint."""
        (folder / STATE).write_text(json.dumps(asdict(self.state)), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Take the state from a checkpoint that `save` wrote into."""
        self._take(ScaleState(**json.loads((folder / STATE).read_text(encoding="utf-8"))))

    def _grown(self) -> None:
        steady = self.state.steady + 1
        if steady < _GROWS_AFTER:
            self._take(replace(self.state, steady=steady))
        else:
            self._take(replace(self.state, steady=0, value=2 * self.state.value))

    def _take(self, state: ScaleState) -> None:
        self.state = state
        self._scale.value = state.value
