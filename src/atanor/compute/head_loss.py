"""The loss at the vocabulary head, computed on supervised positions only and a chunk of them at a time.

For hidden rows h_S (S, d), head weight W (V, d), targets y_S and weights w_S the loss is

    L = sum_s w_s * (logsumexp_v(W h_s) - (W h_s)[y_s])

and its gradient with a frozen head is dL/dh_s = w_s * (softmax(W h_s) - onehot(y_s)) W. Both are made in forward from
one chunk of logits, which is then dropped: memory is (chunk, V) however many rows there are, and the logits are
computed once (Liger-Kernel, arXiv:2410.10989, makes its gradient in forward the same way). Arithmetic on logits is
float32 or wider.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CHUNK = 128
"""Rows whose logits are in memory at once: 25 MB in float32 for a vocabulary of 49,152."""


class _FrozenHeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden_Sd: Tensor, head_Vd: Tensor, targets_S: Tensor, weights_S: Tensor) -> Tensor:
        total = torch.zeros((), dtype=_wide(hidden_Sd.dtype), device=hidden_Sd.device)
        gradient_Sd = torch.empty_like(hidden_Sd)
        for start in range(0, len(hidden_Sd), CHUNK):
            rows = slice(start, start + CHUNK)
            logits_CV = (hidden_Sd[rows] @ head_Vd.T).to(total.dtype)
            normaliser_C = logits_CV.logsumexp(dim=1)
            chosen_C = logits_CV.gather(1, targets_S[rows, None])[:, 0]
            weights_C = weights_S[rows].to(total.dtype)
            total += (weights_C * (normaliser_C - chosen_C)).sum()
            probabilities_CV = logits_CV.sub_(normaliser_C[:, None]).exp_()
            probabilities_CV.scatter_add_(1, targets_S[rows, None], -torch.ones_like(chosen_C)[:, None])
            probabilities_CV *= weights_C[:, None]
            gradient_Sd[rows] = probabilities_CV.to(head_Vd.dtype) @ head_Vd
        ctx.save_for_backward(gradient_Sd)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient_Sd,) = ctx.saved_tensors
        return gradient_Sd * outputs[0].to(gradient_Sd.dtype), None, None, None


def weighted_nll(hidden_Sd: Tensor, head_Vd: Tensor, targets_S: Tensor, weights_S: Tensor) -> Tensor:
    """Weighted sum of negative log-likelihoods, differentiable in the hidden rows.

    Args:
        hidden_Sd: last hidden states of the supervised positions.
        head_Vd: the vocabulary head's weight; frozen.
        targets_S: token ids to predict.
        weights_S: loss weights.

    Returns:
        A scalar in nats, float32 or wider.
    """
    assert not head_Vd.requires_grad, "the head's own gradient is not made here"
    loss: Tensor = _FrozenHeadLoss.apply(hidden_Sd, head_Vd, targets_S, weights_S)  # type: ignore[no-untyped-call]
    return loss


@torch.no_grad()
def row_nll(hidden_Sd: Tensor, head_Vd: Tensor, targets_S: Tensor) -> Tensor:
    """Negative log-likelihood of each row's target in nats, (S,), without a gradient."""
    pieces = []
    for start in range(0, len(hidden_Sd), CHUNK):
        logits_CV = (hidden_Sd[start : start + CHUNK] @ head_Vd.T).to(_wide(hidden_Sd.dtype))
        chosen_C = logits_CV.gather(1, targets_S[start : start + CHUNK, None])[:, 0]
        pieces.append(logits_CV.logsumexp(dim=1) - chosen_C)
    return torch.cat(pieces) if pieces else hidden_Sd.new_zeros(0)


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32
