"""The divergence between two vocabulary heads at many places, a chunk of places at a time.

For student logits z (V) and teacher logits at one place, s = softmax(z / T) and t likewise, the gradients of the
divergences of `Matching` in z / T are

    forward          s - t
    reverse          s * (log s - log t - KL(s || t))
    jensen_shannon   (1 - beta) * s * (log s - log m - KL(s || m))

They are made in forward from the logits of one chunk, which are then dropped, as `head_loss` does: memory is a few
(chunk, V) however many places there are, and the vocabulary product is made once. Arithmetic on logits is float32 or
wider.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from atanor.compute.divergence import Divergence, Matching
from atanor.compute.head_loss import Predictions, rows_a_chunk

Logits = Callable[[Tensor], Tensor]
"""Hidden states (C, d) -> logits (C, V), float32 or wider."""

_HELD = 4
"""Tensors of (chunk, V) alive at once, where the plain head loss has one."""


@dataclass(frozen=True)
class Wanted:
    """What the head is to predict at U places.

    Attributes:
        teacher_Ud: the teacher's last hidden states.
        teacher: its head.
        weights_U: of the divergence at each place.
        predictions: tokens to predict besides.
        weights_E: their loss weights.
        vocabulary: rows of the larger head.
    """

    teacher_Ud: Tensor
    teacher: Logits
    weights_U: Tensor
    predictions: Predictions
    weights_E: Tensor
    vocabulary: int


def matched(hidden_Ud: Tensor, student: Logits, trained: Sequence[Tensor], wanted: Wanted, how: Matching) -> Tensor:
    """Weighted sum of divergences and negative log-likelihoods, in nats.

    Args:
        hidden_Ud: the student's last hidden states.
        student: its head.
        trained: parameters of the head that require a gradient.
        wanted: teacher, targets and weights.
        how: the measure.

    Returns:
        A scalar, differentiable in the hidden states and in the head's parameters.
    """
    asked = hidden_Ud.requires_grad or bool(trained)
    gradient_Ud = torch.zeros_like(hidden_Ud)
    gradients = [torch.zeros_like(one) for one in trained]
    total = torch.zeros((), dtype=torch.float64, device=hidden_Ud.device)
    for rows in chunks(len(hidden_Ud), wanted.vocabulary):
        part_Cd = hidden_Ud[rows].detach().requires_grad_(asked)
        with torch.set_grad_enabled(asked):
            logits_CV = student(part_Cd)
        value, gradient_CV = _of_chunk(logits_CV.detach(), rows, wanted, how)
        total += value
        if asked:
            gradient_Ud[rows], *others = torch.autograd.grad(logits_CV, [part_Cd, *trained], gradient_CV)
            for sum_so_far, one in zip(gradients, others, strict=True):
                sum_so_far.add_(one)
    value = total.to(wide(hidden_Ud.dtype))
    if not asked:
        return value
    given: Tensor = _Given.apply(value, [gradient_Ud, *gradients], hidden_Ud, *trained)  # type: ignore[no-untyped-call]
    return given


@torch.no_grad()
def sampled(hidden_Ud: Tensor, teacher: Logits, vocabulary: int, draws_Uk: Tensor) -> Tensor:
    """Tokens drawn from a head's softmax at each place, with replacement.

    Args:
        hidden_Ud: last hidden states.
        teacher: the head.
        vocabulary: rows of the head that may be drawn, counted from the first.
        draws_Uk: numbers in [0, 1), float64; each is inverted through the cumulative distribution.

    Returns:
        (U, k) token ids.
    """
    tokens_Uk = torch.empty(draws_Uk.shape, dtype=torch.long, device=hidden_Ud.device)
    for rows in chunks(len(hidden_Ud), vocabulary):
        cumulative_CV = teacher(hidden_Ud[rows])[:, :vocabulary].double().softmax(dim=1).cumsum(dim=1)
        # The last sum is 1 but for rounding. A token without probability adds nothing, so it is never met.
        asked_Ck = draws_Uk[rows].to(cumulative_CV) * cumulative_CV[:, -1:]
        tokens_Uk[rows] = torch.searchsorted(cumulative_CV, asked_Ck, right=True).clamp_(max=vocabulary - 1)
    return tokens_Uk


def chunks(places: int, vocabulary: int) -> Iterator[slice]:
    """Ranges of places whose logits are in memory at once."""
    step = max(32, rows_a_chunk(vocabulary) // _HELD)
    for start in range(0, places, step):
        yield slice(start, min(start + step, places))


def wide(dtype: torch.dtype) -> torch.dtype:
    """What is computed in on logits and on sums of losses."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def _of_chunk(logits_CV: Tensor, rows: slice, wanted: Wanted, how: Matching) -> tuple[Tensor, Tensor]:
    """Loss of a chunk of places and its gradient in their logits."""
    weights_C = (how.divergence_weight * wanted.weights_U[rows]).to(logits_CV.dtype)
    teacher_CV = wanted.teacher(wanted.teacher_Ud[rows]).to(logits_CV.dtype)
    common = min(logits_CV.shape[1], teacher_CV.shape[1])
    log_s = (logits_CV[:, :common] / how.temperature).log_softmax(dim=1)
    log_t = (teacher_CV[:, :common] / how.temperature).log_softmax(dim=1)
    value_C, gradient = _divergence(log_t, log_s, how)
    # T^2 from `Matching`, 1 / T from the chain rule.
    gradient.mul_((how.temperature * weights_C)[:, None])
    value = how.temperature**2 * (weights_C * value_C).double().sum()
    gradient_CV = torch.nn.functional.pad(gradient, (0, logits_CV.shape[1] - common))
    if how.completion_weight:
        value = value + _add_nll(logits_CV, gradient_CV, rows, wanted, how.completion_weight)
    return value, gradient_CV


def _divergence(log_t: Tensor, log_s: Tensor, how: Matching) -> tuple[Tensor, Tensor]:
    """D at each place, (C,), and its gradient in the student's tempered logits, (C, V)."""
    s = log_s.exp()
    if how.divergence is Divergence.FORWARD:
        t = log_t.exp()
        return (t * (log_t - log_s)).sum(dim=1), s.sub_(t)
    if how.divergence is Divergence.REVERSE:
        apart = log_s - log_t
        value = (s * apart).sum(dim=1)
        return value, s.mul_(apart.sub_(value[:, None]))
    log_m = torch.logaddexp(log_t + math.log(how.beta), log_s + math.log1p(-how.beta))
    from_teacher = (log_t.exp() * (log_t - log_m)).sum(dim=1)
    apart = log_s - log_m
    from_student = (s * apart).sum(dim=1)
    value = how.beta * from_teacher + (1 - how.beta) * from_student
    return value, s.mul_(apart.sub_(from_student[:, None])).mul_(1 - how.beta)


def _add_nll(logits_CV: Tensor, gradient_CV: Tensor, rows: slice, wanted: Wanted, weight: float) -> Tensor:
    """Negative log-likelihood of the chunk's own tokens; adds its gradient."""
    index_E = wanted.predictions.index_E
    here = ((index_E >= rows.start) & (index_E < rows.stop)).nonzero()[:, 0]
    index_e, targets_e = index_E[here] - rows.start, wanted.predictions.targets_E[here]
    weights_e = weight * wanted.weights_E[here].to(logits_CV.dtype)
    log_CV = logits_CV.log_softmax(dim=1)
    value = -(weights_e * log_CV[index_e, targets_e]).double().sum()
    weights_C = torch.zeros_like(log_CV[:, 0]).index_add_(0, index_e, weights_e)
    gradient_CV.add_(log_CV.exp_().mul_(weights_C[:, None]))
    gradient_CV.index_put_((index_e, targets_e), -weights_e, accumulate=True)
    return value


class _Given(torch.autograd.Function):
    """A value whose gradient is known already."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, gradients: Sequence[Tensor], *inputs: Tensor) -> Tensor:
        del inputs
        ctx.save_for_backward(*gradients)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        scale = outputs[0]
        return None, None, *(one * scale.to(one.dtype) for one in ctx.saved_tensors)
