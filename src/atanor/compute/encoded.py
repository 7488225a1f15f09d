"""Rows of an encoder: it reads in both directions, so what rows begin with in common differs with what comes after.

Rows of similar length go together, padded on the right with a mask. As everywhere in this room a row's last token is
what is predicted, here its class, and is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from atanor.compute.forest import WeightedTokens
from atanor.compute.head_loss import Predictions
from atanor.compute.padded import Padded, plan_passes
from atanor.compute.supervision import HiddenLoss, Numbering, Supervision

LogitLoss = Callable[[Sequence[int], Tensor], Tensor]
"""(numbers of some rows, the logits (rows, V) that predict their last token) -> their summed loss."""


class Encoded:
    """Computes the logits of classes through the network's own forward: they stand where other networks have states.

    A network for the classification of sequences pools by itself. Of one for the classification of tokens the logits of
    a row are the mean over its tokens, which is what a linear head makes of the mean of their hidden states.

    Args:
        network: the encoder with its head.
        like: how much a pass takes, what fills it up, and in which arithmetic.
    """

    def __init__(self, network: PreTrainedModel, like: Padded) -> None:
        self.network = network
        self.like = like

    def over(self, rows: Sequence[WeightedTokens], numbering: Numbering, loss: HiddenLoss, *, gradient: bool) -> float:
        """As `Padded.over`, of rows that predict nothing but their last token."""
        total = 0.0
        device = self.network.device
        for numbers in plan_passes([len(row.tokens) - 1 for row in rows], self.like.lines.tokens_per_pass):
            chosen = [rows[number] for number in numbers]
            index_R = torch.arange(len(chosen), device=device)
            targets_R = torch.tensor([row.tokens[-1] for row in chosen], device=device)
            ends_R = torch.tensor([len(row.tokens) - 1 for row in chosen], device=device)
            numbers_R = numbering(torch.tensor(numbers, device=device), ends_R)
            here = Supervision(Predictions(index_R, targets_R), numbering.weights_S[numbers_R], index_R, numbers_R)
            with torch.set_grad_enabled(gradient):
                value = loss(here, self._logits([row.tokens[:-1] for row in chosen]))
            if gradient and value.requires_grad:
                self.like.scale.backward(value)
            total += float(value.detach())
        return total

    def _logits(self, rows: Sequence[tuple[int, ...]]) -> Tensor:
        width = max(map(len, rows))
        tokens_RT = torch.full((len(rows), width), self.like.lines.pad, dtype=torch.long)
        mask_RT = torch.zeros_like(tokens_RT)
        for line, tokens in enumerate(rows):
            tokens_RT[line, : len(tokens)] = torch.tensor(tokens)
            mask_RT[line, : len(tokens)] = 1
        tokens_RT, mask_RT = tokens_RT.to(self.network.device), mask_RT.to(self.network.device)
        with self.like.autocast(), self.like.noisy(rows):
            logits: Tensor = self.network(input_ids=tokens_RT, attention_mask=mask_RT).logits
        if logits.dim() == 2:
            return logits
        mask_RT1 = mask_RT.unsqueeze(-1).to(logits.dtype)
        return (logits * mask_RT1).sum(1) / mask_RT1.sum(1)
