"""The loss at the vocabulary head, computed on supervised positions only and a chunk of them at a time.

For hidden rows h_U (U, d) and head weight W (V, d), a prediction e says: row u(e) has target y_e with weight w_e. The
loss is

    L = sum_e w_e * (logsumexp_v(W h_u(e)) - (W h_u(e))[y_e])

and with p_u = softmax(W h_u) and w_u = sum of w_e over the predictions of u its gradient is

    dL/dh_u = (w_u * p_u - sum_e w_e onehot(y_e)) W        dL/dW = sum_u (w_u * p_u - sum_e w_e onehot(y_e))^T h_u

Both are made in forward from one chunk of logits, which is then dropped: memory is (chunk, V) however many rows there
are, and the logits are computed once (Liger-Kernel, arXiv:2410.10989, makes its gradient in forward the same way).
Arithmetic on logits is float32 or wider.

With label smoothing s (Szegedy et al. 2016, arXiv:1512.00567) a target has the share s of its mass spread over all
tokens: its logit becomes (1 - s) times itself and s times the mean logit, and its onehot that of the spread target.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_CHUNK_NUMBERS = 1 << 24
"""Logits in memory at once: 67 MB in float32, enough rows for the matrix products to run at their full rate."""


def rows_a_chunk(vocabulary: int) -> int:
    """Rows whose logits are in memory at once."""
    return max(32, _CHUNK_NUMBERS // vocabulary)


@dataclass(frozen=True)
class Predictions:
    """E predictions at U places, ordered by nothing in particular.

    Attributes:
        index_E: the place, 0 <= index < U.
        targets_E: the token.
    """

    index_E: Tensor
    targets_E: Tensor


@dataclass(frozen=True)
class SmoothedWeights:
    """Loss weights of predictions, and how much of their targets is spread over the vocabulary.

    Attributes:
        weights_E: may be negative.
        smoothing: the share, 0 of plain targets.
    """

    weights_E: Tensor
    smoothing: float = 0.0


class _HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917  # autograd passes tensors by position
        ctx: Any,
        hidden_Ud: Tensor,
        head_Vd: Tensor,
        bias_V: Tensor | None,
        predictions: Predictions,
        smooth: SmoothedWeights,
    ) -> Tensor:
        total = torch.zeros((), dtype=_wide(hidden_Ud.dtype), device=hidden_Ud.device)
        gradient_Ud = torch.empty_like(hidden_Ud)
        gradient_Vd = torch.zeros_like(head_Vd) if ctx.needs_input_grad[1] else None
        weights_E, share = smooth.weights_E.to(total.dtype), smooth.smoothing
        # Weights are divided by the tokens of a window: in float16 the gradient is made of weights up to 1.
        unit = (float(weights_E.abs().amax()) if _is_half(head_Vd) and len(weights_E) else 1.0) or 1.0
        logits = _Logits(head_Vd, bias_V, len(hidden_Ud), total.dtype)
        for rows, here in _chunks(predictions, len(hidden_Ud), len(head_Vd)):
            logits_CV = logits(hidden_Ud[rows])
            largest_C = logits_CV.amax(dim=1)
            index_e, targets_e = predictions.index_E[here] - rows.start, predictions.targets_E[here]
            weights_e = weights_E[here]
            chosen_e = logits_CV[index_e, targets_e]
            if share:
                chosen_e = (1 - share) * chosen_e + share * logits_CV.mean(dim=1)[index_e]
            # One pass over the chunk for each step, in place: `logsumexp` and a second exponential take twice as long.
            gradient_CV = logits_CV.sub_(largest_C[:, None]).exp_()
            sum_C = gradient_CV.sum(dim=1)
            total += (weights_e * ((largest_C + sum_C.log())[index_e] - chosen_e)).sum()
            weights_e = weights_e / unit if unit != 1 else weights_e
            weights_C = torch.zeros_like(sum_C).index_add_(0, index_e, weights_e)
            gradient_CV.mul_((weights_C / sum_C)[:, None])
            gradient_CV.index_put_((index_e, targets_e), (share - 1) * weights_e, accumulate=True)
            if share:
                gradient_CV.sub_((weights_C * (share / len(head_Vd)))[:, None])
            gradient_CV = gradient_CV.to(head_Vd.dtype)
            gradient_Ud[rows] = (gradient_CV @ head_Vd).to(gradient_Ud.dtype)
            if gradient_Vd is not None:
                gradient_Vd.addmm_(gradient_CV.T, hidden_Ud[rows].to(head_Vd.dtype))
        ctx.unit = unit
        ctx.save_for_backward(gradient_Ud, gradient_Vd)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        gradient_Ud, gradient_Vd = ctx.saved_tensors
        scale = outputs[0] * ctx.unit
        if scale != 1:
            gradient_Ud = _times(gradient_Ud, scale)
            gradient_Vd = None if gradient_Vd is None else _times(gradient_Vd, scale)
        return gradient_Ud, gradient_Vd, None, None, None


def weighted_nll(
    hidden_Ud: Tensor, head_Vd: Tensor, predictions: Predictions, smooth: SmoothedWeights, bias_V: Tensor | None = None
) -> Tensor:
    """Weighted sum of negative log-likelihoods, differentiable in the hidden rows and in the head's weight.

    Args:
        hidden_Ud: last hidden states of the places that predict a supervised token.
        head_Vd: the vocabulary head's weight.
        predictions: which token each place predicts.
        smooth: loss weights, and how much of the targets is spread over the vocabulary.
        bias_V: the head's bias, frozen.

    Returns:
        A scalar in nats, float32 or wider.
    """
    loss: Tensor = _HeadLoss.apply(hidden_Ud, head_Vd, bias_V, predictions, smooth)  # type: ignore[no-untyped-call]
    return loss


@torch.no_grad()
def prediction_nll(
    hidden_Ud: Tensor, head_Vd: Tensor, predictions: Predictions, bias_V: Tensor | None = None
) -> Tensor:
    """Negative log-likelihood of each prediction in nats, (E,), without a gradient."""
    dtype = _wide(hidden_Ud.dtype)
    nll_E = torch.empty(len(predictions.index_E), dtype=dtype, device=hidden_Ud.device)
    logits = _Logits(head_Vd, bias_V, len(hidden_Ud), dtype)
    for rows, here in _chunks(predictions, len(hidden_Ud), len(head_Vd)):
        logits_CV = logits(hidden_Ud[rows])
        index_e = predictions.index_E[here] - rows.start
        chosen_e = logits_CV[index_e, predictions.targets_E[here]]
        largest_C = logits_CV.amax(dim=1)
        normaliser_C = logits_CV.sub_(largest_C[:, None]).exp_().sum(dim=1).log_().add_(largest_C)
        nll_E[here] = normaliser_C[index_e] - chosen_e
    return nll_E


def _chunks(predictions: Predictions, places: int, vocabulary: int) -> Iterator[tuple[slice, Tensor]]:
    """Ranges of places and the numbers of the predictions made there."""
    step = rows_a_chunk(vocabulary)
    for start in range(0, places, step):
        inside = (predictions.index_E >= start) & (predictions.index_E < start + step)
        yield slice(start, min(start + step, places)), inside.nonzero()[:, 0]


class _Logits:
    """Logits of a chunk after the other, in the same memory: fresh memory costs a fifth of the matrix product."""

    def __init__(self, head_Vd: Tensor, bias_V: Tensor | None, places: int, dtype: torch.dtype) -> None:
        self.head_Vd = head_Vd.detach()
        self.bias_V = bias_V
        self.dtype = dtype
        rows = min(places, rows_a_chunk(len(head_Vd)))
        self.memory_CV = head_Vd.new_empty(rows, len(head_Vd))

    def __call__(self, hidden_Cd: Tensor) -> Tensor:
        """(C, V), valid until the next call."""
        logits_CV = self.memory_CV[: len(hidden_Cd)]
        torch.mm(hidden_Cd.detach().to(self.head_Vd.dtype), self.head_Vd.T, out=logits_CV)
        logits_CV = logits_CV.to(self.dtype)
        return logits_CV if self.bias_V is None else logits_CV.add_(self.bias_V.to(self.dtype))


def _is_half(tensor: Tensor) -> bool:
    return tensor.dtype == torch.float16


def _times(gradient: Tensor, scale: Tensor) -> Tensor:
    """A gradient times a scalar, which float16 alone cannot hold."""
    if _is_half(gradient):
        return (gradient.float() * scale).to(gradient.dtype)
    return gradient * scale.to(gradient.dtype)


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32
