"""Runs the passes of a window: a trunk before the passes that hang from it, and its gradient after them.

A trunk's keys and values are given to its branches as leaves. Each branch leaves its gradient on them, and when the
last is done, one backward pass takes the trunk's own loss and those gradients through the trunk: the gradient of the
whole by the chain rule, with the activations of one trunk and one branch in memory (arXiv:2606.01143).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from atanor.compute.layout import KeyValue, Layout
from atanor.compute.loss_scale import LossScale
from atanor.compute.schedule import Pass


class Trunks:
    """Keys and values of the trunks above a pass, by layer, oldest first, as leaves that collect gradients."""

    def __init__(self) -> None:
        self.layers: dict[int, list[KeyValue]] = {}
        self.tokens = 0

    def below(self, layout: Layout, collect: bool) -> Trunks:
        """These trunks and the pass just computed. Gradients of many branches are added up in float32 or wider."""
        assert layout.captured is not None
        extended = Trunks()
        extended.tokens = self.tokens + len(layout.tokens_N)
        for layer, (key, value) in layout.captured.items():
            leaf = (_wide(key.detach()).requires_grad_(collect), _wide(value.detach()).requires_grad_(collect))
            extended.layers[layer] = [*self.layers.get(layer, []), leaf]
        return extended


@dataclass(frozen=True)
class Window:
    """How the passes of one window are computed.

    Attributes:
        lay_out: makes the tensors of a pass.
        loss: the loss of a pass, a scalar; what it is summed from is the objective's business.
        keeps_keys: every layout holds its keys and values when its loss is asked for, not only a trunk's.
        tokens_kept: most tokens of trunks whose activations are kept while their branches are computed; trunks
            beyond it are computed again for their backward, so that a sequence of any length takes the memory of one
            pass and its keys and values.
        scale: of the loss whose gradient is taken.
    """

    lay_out: Callable[[Pass], Layout]
    loss: Callable[[Layout], Tensor]
    tokens_kept: int
    keeps_keys: bool = False
    scale: LossScale = field(default_factory=LossScale)

    def forward(self, part: Pass, trunks: Trunks) -> float:
        """Loss of a pass and its branches, without a gradient."""
        with torch.no_grad():
            layout, loss = self._computed(part, trunks)
        total = float(loss)
        if part.branches:
            below = trunks.below(layout, collect=False)
            total += sum(self.forward(branch, below) for branch in part.branches)
        return total

    def backward(self, part: Pass, trunks: Trunks) -> float:
        """The same, adding the gradient to the parameters' and to the trunks above."""
        if not part.branches:
            _, loss = self._computed(part, trunks)
            if loss.requires_grad:
                self.scale.backward(loss)
            return float(loss.detach())
        kept = trunks.tokens + part.tokens <= self.tokens_kept
        with contextlib.nullcontext() if kept else torch.no_grad():
            layout, loss = self._computed(part, trunks)
        below = trunks.below(layout, collect=True)
        total = float(loss.detach()) + sum(self.backward(branch, below) for branch in part.branches)
        if not kept:
            layout, loss = self._computed(part, trunks)
        _backward_through_trunk(layout, self.scale.of(loss), below)
        return total

    def _computed(self, part: Pass, trunks: Trunks) -> tuple[Layout, Tensor]:
        layout = self.lay_out(part)
        layout.trunks = trunks.layers
        layout.captured = {} if part.branches or self.keeps_keys else None
        return layout, self.loss(layout)


def _wide(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _backward_through_trunk(layout: Layout, loss: Tensor, below: Trunks) -> None:
    """Backward from a trunk's own loss and from the gradients its branches left on its keys and values."""
    assert layout.captured is not None
    outputs, gradients = ([loss], [torch.ones_like(loss)]) if loss.requires_grad else ([], [])
    for layer, pair in layout.captured.items():
        for output, leaf in zip(pair, below.layers[layer][-1], strict=True):
            if output.requires_grad and leaf.grad is not None:
                outputs.append(output)
                gradients.append(leaf.grad.to(output.dtype))
    if outputs:
        torch.autograd.backward(outputs, gradients)
