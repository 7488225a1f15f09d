"""How the rows of one optimizer step are laid out as forward passes.

Rows are regrouped only inside the window of one optimizer step, so the gradient of the step is the same however they
are cut: every row adds its weighted sum, and the sum is divided by the window's total weight once. Rows of similar
length go together, and padding stands on the right, where a causal model never looks at it: no attention mask exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class WeightedTokens(Protocol):
    """What is computed on: token ids and a loss weight for predicting each."""

    @property
    def tokens(self) -> tuple[int, ...]: ...

    @property
    def weights(self) -> tuple[float, ...]: ...


@dataclass(frozen=True)
class Pass:
    """One forward pass.

    Attributes:
        rows: which rows of the window, in the order of the tensor's rows.
        tokens_BT: token ids, padded on the right.
        places_S: flat index b * T + t of every position whose hidden state predicts a supervised token.
        targets_S: that token.
        weights_S: its weight.
        counts_B: how many of the S positions belong to each row, in order.
    """

    rows: tuple[int, ...]
    tokens_BT: Tensor
    places_S: Tensor
    targets_S: Tensor
    weights_S: Tensor
    counts_B: tuple[int, ...]


def plan_passes(lengths: Sequence[int], rows_per_pass: int | None, tokens_per_pass: int) -> list[list[int]]:
    """Group row numbers into passes, longest first so that a lack of memory shows in the first pass.

    Args:
        lengths: tokens of each row.
        rows_per_pass: rows a pass; None groups by `tokens_per_pass`.
        tokens_per_pass: most padded tokens a pass; a longer row has a pass of its own.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    groups: list[list[int]] = []
    for row in order:
        if groups:
            group = groups[-1]
            limit = rows_per_pass or max(1, tokens_per_pass // max(1, lengths[group[0]]))
            if len(group) < limit:
                group.append(row)
                continue
        groups.append([row])
    return groups


def lay_out(rows: Sequence[WeightedTokens], numbers: Sequence[int], pad: int, device: torch.device) -> Pass:
    """The tensors of one pass over `rows[number] for number in numbers`."""
    chosen = [rows[number] for number in numbers]
    width = max(len(row.tokens) for row in chosen)
    tokens_BT = torch.full((len(chosen), width), pad, dtype=torch.long)
    places: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    counts: list[int] = []
    for line, row in enumerate(chosen):
        tokens_BT[line, : len(row.tokens)] = torch.tensor(row.tokens)
        supervised = [place for place in range(1, len(row.tokens)) if row.weights[place] > 0]
        places.extend(line * width + place - 1 for place in supervised)
        targets.extend(row.tokens[place] for place in supervised)
        weights.extend(row.weights[place] for place in supervised)
        counts.append(len(supervised))
    return Pass(
        rows=tuple(numbers),
        tokens_BT=tokens_BT.to(device),
        places_S=torch.tensor(places, dtype=torch.long, device=device),
        targets_S=torch.tensor(targets, dtype=torch.long, device=device),
        weights_S=torch.tensor(weights, dtype=torch.float32, device=device),
        counts_B=tuple(counts),
    )


def total_weight(rows: Sequence[WeightedTokens]) -> float:
    """Sum of the weights of all predicted tokens: what a window's loss is divided by."""
    return sum(sum(row.weights[1:]) for row in rows)
