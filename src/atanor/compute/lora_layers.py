"""LoRA on frozen linear layers with a hand-written gradient.

For one input x (N, i) and layers W_k (o_k, i) with factors A_k (r, i), B_k (o_k, r) and scale s

    y_k = x W_k^T + s (x A_k^T) B_k^T

and with t_k = s dy_k B_k

    dx = sum_k dy_k W_k + t_k A_k        dA_k = t_k^T x        dB_k = s dy_k^T (x A_k^T)

The factors A_k that share an input are one matrix product, updates are added in place, dx is not made where nobody
needs it, and of the gated feed-forward block only its input and its two pre-activations are kept for backward
(Unsloth's `fast_lora` keeps the same ones). Plain PEFT makes three passes over every output and keeps each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from atanor.compute.gating import Gating

Gradients = tuple[Tensor | None, ...]


class Frozen(Protocol):
    """A linear layer that does not train: weight (o, i) and bias (o,), in the arithmetic's type.

    The weight may be made each time it is asked for; what is computed with it does not keep it.
    """

    @property
    def weight(self) -> Tensor: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def __call__(self, x_Ni: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class FrozenLinear:
    """A `Frozen` whose weight is there."""

    weight: Tensor
    bias: Tensor | None

    @property
    def dtype(self) -> torch.dtype:
        return self.weight.dtype

    def __call__(self, x_Ni: Tensor) -> Tensor:
        return functional.linear(x_Ni, self.weight, self.bias)


@dataclass(frozen=True)
class _Factors:
    """The low-rank factors of layers with a common input: A stacked, (k * r, i), and each B."""

    stacked: Tensor
    seconds: tuple[Tensor, ...]
    scales: tuple[float, ...]

    @classmethod
    def of(cls, factors: Sequence[Tensor], scales: Sequence[float], dtype: torch.dtype) -> _Factors:
        firsts = [factor.to(dtype) for factor in factors[::2]]
        stacked = firsts[0] if len(firsts) == 1 else torch.cat(firsts)
        return cls(stacked, tuple(factor.to(dtype) for factor in factors[1::2]), tuple(scales))

    def split(self, stacked_NR: Tensor) -> tuple[Tensor, ...]:
        return torch.split(stacked_NR, self.ranks, dim=1)

    @property
    def ranks(self) -> list[int]:
        return [second.shape[1] for second in self.seconds]


def _forward(x: Tensor, layers: Sequence[Frozen], factors: _Factors) -> tuple[list[Tensor], Tensor]:
    """Outputs of the layers and x A^T for all of them."""
    inner = x @ factors.stacked.T
    outputs = []
    for layer, second, scale, part in zip(layers, factors.seconds, factors.scales, factors.split(inner), strict=True):
        outputs.append(layer(x).addmm_(part, second.T, alpha=scale))
    return outputs, inner


def _backward(  # noqa: PLR0917  # the names of the formula above, in its order
    gradients: Sequence[Tensor], x: Tensor, inner: Tensor, layers: Sequence[Frozen], factors: _Factors, wants_x: bool
) -> tuple[Tensor | None, list[Tensor]]:
    """(dx or None, [dA_1, dB_1, dA_2, ...]) in the arithmetic's type."""
    outer = torch.empty_like(inner)
    seconds = []
    for dy, second, scale, part, slot in zip(
        gradients, factors.seconds, factors.scales, factors.split(inner), factors.split(outer), strict=True
    ):
        torch.mm(dy, second, out=slot).mul_(scale)
        seconds.append(torch.mm(dy.T, part).mul_(scale))
    firsts = torch.split(outer.T @ x, factors.ranks)
    dx = None
    if wants_x:
        dx = outer @ factors.stacked
        for dy, layer in zip(gradients, layers, strict=True):
            dx.addmm_(dy, layer.weight)
    return dx, [factor for pair in zip(firsts, seconds, strict=True) for factor in pair]


class _LoraLinears(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, layers: Sequence[Frozen], scales: Sequence[float], x: Tensor, *factors: Tensor) -> Gradients:
        cast = x.to(layers[0].dtype)
        outputs, inner = _forward(cast, layers, _Factors.of(factors, scales, cast.dtype))
        ctx.layers, ctx.scales, ctx.input_dtype = layers, scales, x.dtype
        ctx.save_for_backward(cast, inner, *factors)
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Gradients:
        x, inner, *factors = ctx.saved_tensors
        dx, dfactors = _backward(
            [gradient.to(x.dtype) for gradient in gradients],
            x,
            inner,
            ctx.layers,
            _Factors.of(factors, ctx.scales, x.dtype),
            ctx.needs_input_grad[2],
        )
        as_stored = (gradient.to(factor.dtype) for gradient, factor in zip(dfactors, factors, strict=True))
        return None, None, None if dx is None else dx.to(ctx.input_dtype), *as_stored


class _GatedLora(torch.autograd.Function):
    """down(silu(gate(x)) * up(x)) with LoRA on all three; factors in the order gate, up, down."""

    @staticmethod
    def forward(  # autograd passes tensors by position
        ctx: Any, layers: Sequence[Frozen], scales: Sequence[float], gating: Gating, x: Tensor, *factors: Tensor
    ) -> Tensor:
        cast = x.to(layers[0].dtype)
        (gate, up), inner = _forward(cast, layers[:2], _Factors.of(factors[:4], scales[:2], cast.dtype))
        hidden = gating.forward(gate, up)
        (out,), inner_down = _forward(hidden, layers[2:], _Factors.of(factors[4:], scales[2:], cast.dtype))
        ctx.layers, ctx.scales, ctx.gating, ctx.input_dtype = layers, scales, gating, x.dtype
        ctx.save_for_backward(cast, inner, gate, up, inner_down, *factors)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Gradients:
        x, inner, gate, up, inner_down, *factors = ctx.saved_tensors
        ins = _Factors.of(factors[:4], ctx.scales[:2], x.dtype)
        downs = _Factors.of(factors[4:], ctx.scales[2:], x.dtype)
        restored, hidden = ctx.gating.restore(gate, up)
        dhidden, ddown = _backward([gradients[0].to(x.dtype)], hidden, inner_down, ctx.layers[2:], downs, True)
        dgate, dup = ctx.gating.backward(dhidden, restored, gate, up)
        dx, dins = _backward([dgate, dup], x, inner, ctx.layers[:2], ins, ctx.needs_input_grad[3])
        dfactors = dins + ddown
        as_stored = (gradient.to(factor.dtype) for gradient, factor in zip(dfactors, factors, strict=True))
        return None, None, None, None if dx is None else dx.to(ctx.input_dtype), *as_stored


def lora_linears(
    x: Tensor, layers: Sequence[Frozen], factors: Sequence[Tensor], scales: Sequence[float]
) -> tuple[Tensor, ...]:
    """Outputs of several adapted linear layers on one input.

    Args:
        x: (..., i).
        layers: the frozen layers.
        factors: A_1 (r_1, i), B_1 (o_1, r_1), A_2, B_2 and so on.
        scales: of each layer's update.

    Returns:
        One (..., o_k) a layer.
    """
    flat = x.reshape(-1, x.shape[-1])
    outputs = _LoraLinears.apply(layers, scales, flat, *factors)  # type: ignore[no-untyped-call]
    return tuple(output.view(*x.shape[:-1], output.shape[-1]) for output in outputs)


def gated_lora(
    x: Tensor, layers: Sequence[Frozen], factors: Sequence[Tensor], scales: Sequence[float], *, gating: Gating
) -> Tensor:
    """The gated feed-forward block on (..., i), adapted in all three layers (gate, up, down)."""
    flat = x.reshape(-1, x.shape[-1])
    output: Tensor = _GatedLora.apply(layers, scales, gating, flat, *factors)  # type: ignore[no-untyped-call]
    unfolded: Tensor = output.view(*x.shape[:-1], output.shape[-1])
    return unfolded


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        wide = x.to(_wide(x.dtype))
        rstd = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        rstd = rstd.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, rstd, weight)
        out: Tensor = (wide * rstd).to(x.dtype).mul_(weight)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Gradients:
        x, rstd, weight = ctx.saved_tensors
        normal = x.to(rstd.dtype) * rstd
        gradient = gradients[0].to(rstd.dtype)
        dweight = (gradient * normal).flatten(0, -2).sum(0).to(weight.dtype) if ctx.needs_input_grad[1] else None
        gradient = gradient * weight
        along = torch.linalg.vecdot(gradient, normal)[..., None].div_(x.shape[-1])
        dx = gradient.sub_(normal.mul_(along)).mul_(rstd)
        return dx.to(x.dtype), dweight, None


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """x / sqrt(mean(x^2) + epsilon) * weight over the last axis; keeps x and one number a row for backward."""
    out: Tensor = _RmsNorm.apply(x, weight, epsilon)  # type: ignore[no-untyped-call]
    return out


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32
