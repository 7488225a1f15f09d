"""Preference: of two answers to one prompt, one is better."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from atanor.compute import Engine
from atanor.data.preferences import PreferencePair
from atanor.data.rows import TokenRow
from atanor.models import Tuned


class DirectPreference:
    """DPO (Rafailov et al. 2023, arXiv:2305.18290): the mean over pairs of

        -log sigmoid(beta * ((log p(chosen) - log r(chosen)) - (log p(rejected) - log r(rejected))))

    with p the tuned model and r the untouched base. Prompts shared by the answers of a pair
    and by pairs are computed once. The reference's likelihoods are computed at the first step that needs them and kept.

    Where a share of the pairs may be the wrong way round, each pair counts as the other way round by that share
    (conservative DPO, Mitchell 2023).

    Args:
        tuned: what is trained; switched off it is the reference.
        beta: how strongly the model is held to the reference.
        label_smoothing: share of pairs expected to be the wrong way round.
    """

    def __init__(self, tuned: Tuned, beta: float = 0.1, label_smoothing: float = 0.0) -> None:
        self.tuned = tuned
        self.beta = beta
        self.label_smoothing = label_smoothing
        self._reference: dict[str, tuple[float, float]] = {}

    def rows(self, item: PreferencePair) -> Sequence[TokenRow]:
        return (item.chosen, item.rejected)

    def backward(self, engine: Engine, window: Sequence[PreferencePair]) -> float:
        reference = self._of_reference(engine, window)

        def loss(numbers: Sequence[int], nll: list[Tensor]) -> Tensor:
            policy = torch.stack(nll)
            return self._loss(policy, reference[list(numbers)].to(policy)).sum() / len(window)

        return engine.backward_groups([self.rows(pair) for pair in window], loss)

    def weight(self, items: Sequence[PreferencePair]) -> float:
        return len(items)

    def mean_loss(self, engine: Engine, items: Sequence[PreferencePair]) -> float:
        return float(self._loss(self._likelihoods(engine, items), self._of_reference(engine, items)).mean())

    def _loss(self, policy_P2: Tensor, reference_P2: Tensor) -> Tensor:
        """Loss of each pair from the nll of its chosen and rejected answer."""
        gain_P2 = reference_P2 - policy_P2  # log p - log r
        margin_P = self.beta * (gain_P2[:, 0] - gain_P2[:, 1])
        wrong = self.label_smoothing
        return -(1 - wrong) * functional.logsigmoid(margin_P) - wrong * functional.logsigmoid(-margin_P)

    def _of_reference(self, engine: Engine, pairs: Sequence[PreferencePair]) -> Tensor:
        missing = [pair for pair in pairs if pair.example_id not in self._reference]
        if missing:
            with self.tuned.untouched():
                found = self._likelihoods(engine, missing).tolist()
            for pair, (chosen, rejected) in zip(missing, found, strict=True):
                self._reference[pair.example_id] = (chosen, rejected)
        return torch.tensor([self._reference[pair.example_id] for pair in pairs], dtype=torch.float64)

    def _likelihoods(self, engine: Engine, pairs: Sequence[PreferencePair]) -> Tensor:
        """nll of each pair's chosen and rejected answer, (pairs, 2)."""
        rows = [row for pair in pairs for row in self.rows(pair)]
        nll = dict(engine.likelihoods(rows))
        return torch.tensor([nll[number] for number in range(len(rows))], dtype=torch.float64).view(-1, 2)
