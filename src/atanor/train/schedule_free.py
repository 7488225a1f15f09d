"""Schedule-free AdamW, exact to the bit whenever it is looked at.

Defazio et al. 2024, arXiv:2405.15682: gradients are taken at y, steps are made on z, and the weights to use are x, an
average of the z; y lies between x and z. Only y and z are kept, and x = (y - (1 - beta1) z) / beta1 is put in the
place of y to validate and to save. Coming back from x to y rounds, so that a run that was looked at more often would
end with other bits. Here y is set aside instead, and is part of the state that a checkpoint keeps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from schedulefree import AdamWScheduleFree

_TRAINING = "y"


class ScheduleFree(AdamWScheduleFree):
    """AdamW of the `schedulefree` package, which comes back from `eval` to the very weights it left."""

    @torch.no_grad()
    def eval(self) -> None:
        """Put x, the weights to use, into the network; set y aside."""
        for group in self.param_groups:
            if group["train_mode"]:
                for parameter in group["params"]:
                    if "z" in self.state[parameter]:
                        self.state[parameter][_TRAINING] = parameter.clone()
        super().eval()

    @torch.no_grad()
    def train(self) -> None:
        """Put y, the weights of training, back."""
        super().train()
        for group in self.param_groups:
            for parameter in group["params"]:
                training = self.state[parameter].pop(_TRAINING, None)
                if training is not None:
                    parameter.copy_(training)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; a step without any gradient is none, and does not count in the average."""
        if closure is None and all(p.grad is None for group in self.param_groups for p in group["params"]):
            return None
        loss: float | None = super().step(closure)
        return loss
