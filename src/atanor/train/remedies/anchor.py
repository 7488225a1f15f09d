"""Penalties on the distance of what trains from where it began: L2-SP and elastic weight consolidation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.models import Tuned
from atanor.progress import Progress
from atanor.train.remedies.fisher import Fisher


class L2SP:
    """weight x sum of (p - p_0)^2 over all numbers p that train, p_0 being where they began (Li et al. 2018, "Explicit
    inductive bias for transfer learning with convolutional networks", arXiv:1802.01483).

    Of a full tuning p_0 is the base. An adapter begins with no effect, so it is held to the base as well.

    Args:
        tuned: what trains.
        weight: of the penalty.
    """

    name = "l2_sp"

    def __init__(self, tuned: Tuned, weight: float) -> None:
        self.weight = weight
        self._anchor = _Anchor(tuned)

    def begin(self, engine: Engine, progress: Progress) -> None:
        """See `Regulariser.begin`."""
        del engine
        self._anchor.keep()
        progress.say(f"training  l2_sp keeps where the weights began: {_megabytes(self._anchor.bytes)}")

    def backward(self, engine: Engine, rows: Sequence[TokenRow]) -> float:
        """See `Regulariser.backward`."""
        del rows
        return self._anchor.backward(self.weight, None, engine.loss_scale.value)


class Ewc:
    """weight / 2 x sum of F (p - p_0)^2, F being the diagonal of the Fisher information of general rows (Kirkpatrick et
    al. 2017, "Overcoming catastrophic forgetting in neural networks", arXiv:1612.00796).

    Args:
        tuned: what trains.
        weight: of the penalty.
        rows: general rows.
        seed: of the labels drawn for the estimate.
        cache: folder that keeps estimates.
    """

    name = "ewc"

    def __init__(self, tuned: Tuned, weight: float, rows: Sequence[TokenRow], *, seed: int, cache: Path) -> None:
        self.weight = weight
        self._fisher = Fisher(tuned, rows, seed, cache)
        self._anchor = _Anchor(tuned)
        self._importance: Mapping[str, Tensor] = {}

    def begin(self, engine: Engine, progress: Progress) -> None:
        """See `Regulariser.begin`."""
        self._importance = self._fisher.diagonal(engine, progress)
        self._anchor.keep()
        held = 2 * self._anchor.bytes
        progress.say(f"training  ewc keeps where the weights began and their importance: {_megabytes(held)}")

    def backward(self, engine: Engine, rows: Sequence[TokenRow]) -> float:
        """See `Regulariser.backward`."""
        del rows
        return self._anchor.backward(self.weight / 2, self._importance, engine.loss_scale.value)


class _Anchor:
    """Where what trains began, and a quadratic penalty on its distance from there."""

    def __init__(self, tuned: Tuned) -> None:
        self._tuned = tuned
        self._start: dict[str, Tensor] = {}

    @property
    def bytes(self) -> int:
        return sum(one.nbytes for one in self._start.values())

    def keep(self) -> None:
        self._start = {name: one.detach().clone() for name, one in self._trained()}

    @torch.no_grad()
    def backward(self, weight: float, importance: Mapping[str, Tensor] | None, scale: float) -> float:
        """Adds the gradient of weight x sum of importance x distance^2, times the loss scale; returns that penalty."""
        total = 0.0
        for name, parameter in self._trained():
            distance = parameter - self._start[name]
            pull = distance if importance is None else distance * importance[name]
            total += float((pull * distance).sum(dtype=torch.float64))
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            parameter.grad.add_(pull, alpha=2 * weight * scale)
        return weight * total

    def _trained(self) -> list[tuple[str, nn.Parameter]]:
        return [(name, one) for name, one in self._tuned.model.named_parameters() if one.requires_grad]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
