"""Judgement: an answer was found good or bad, and nothing is known of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.models import Tuned
from atanor.progress import Progress, Silent
from atanor.train.objectives.base import Objective
from atanor.train.objectives.reference import Reference


@dataclass(frozen=True)
class JudgedAnswer:
    """An answer and what was found of it.

    Attributes:
        example_id: unique among the training and validation answers.
        row: prompt and answer.
        desirable: whether it is good.
        elsewhere: the prompt with the answer to another prompt, which tells how far the model is from the base.
    """

    example_id: str
    row: TokenRow
    desirable: bool
    elsewhere: TokenRow

    @property
    def tokens(self) -> tuple[int, ...]:
        return self.row.tokens

    @property
    def supervised(self) -> int:
        return self.row.supervised


class ProspectJudgement(Objective):
    """KTO (Ethayarajh et al. 2024, arXiv:2402.01306, equation 8): the mean over answers of

        desirable_weight * (1 - sigmoid(beta * (reward - z)))      of a good answer
        undesirable_weight * (1 - sigmoid(beta * (z - reward)))    of a bad one

    with reward = log p(answer) - log r(answer), p the tuned model and r the untouched base. z estimates the divergence
    of p from r: the mean reward of the window's prompts with an answer to another prompt, no less than 0 and without a
    gradient. Which other answer is fixed for each prompt, so that the base scores it once.

    Args:
        tuned: what is trained; switched off it is the reference.
        beta: how strongly the model is held to the reference.
        desirable_weight: of good answers.
        undesirable_weight: of bad ones.
    """

    def __init__(
        self, tuned: Tuned, beta: float = 0.1, desirable_weight: float = 1.0, undesirable_weight: float = 1.0
    ) -> None:
        self.reference = Reference(tuned)
        self.beta = beta
        self.desirable_weight = desirable_weight
        self.undesirable_weight = undesirable_weight

    def rows(self, item: JudgedAnswer) -> Sequence[TokenRow]:
        return (item.row,)

    def prepare(self, engine: Engine, items: Sequence[JudgedAnswer], progress: Progress) -> None:
        self.reference.prepare(engine, [row for item in items for row in (item.row, item.elsewhere)], progress)

    def backward(self, engine: Engine, window: Sequence[JudgedAnswer]) -> float:
        self.prepare(engine, window, Silent())
        divergence = self._divergence(engine, window)
        reference_A = self.reference.nll([item.row for item in window])

        def loss(numbers: Sequence[int], nll: list[Tensor]) -> Tensor:
            nll_A = torch.cat(nll).double()
            items = [window[number] for number in numbers]
            return self._losses(items, reference_A[list(numbers)].to(nll_A) - nll_A, divergence).sum() / len(window)

        return engine.backward_groups([self.rows(item) for item in window], loss)

    def weight(self, items: Sequence[JudgedAnswer]) -> float:
        return len(items)

    def mean_loss(self, engine: Engine, items: Sequence[JudgedAnswer]) -> float:
        self.prepare(engine, items, Silent())
        reward_A = self._rewards(engine, [item.row for item in items])
        return float(self._losses(items, reward_A, self._divergence(engine, items)).mean())

    def _losses(self, items: Sequence[JudgedAnswer], reward_A: Tensor, divergence: float) -> Tensor:
        """Loss of each answer."""
        good_A = torch.tensor([item.desirable for item in items], device=reward_A.device)
        distance_A = self.beta * (reward_A - divergence)
        return torch.where(
            good_A,
            self.desirable_weight * (1 - torch.sigmoid(distance_A)),
            self.undesirable_weight * (1 - torch.sigmoid(-distance_A)),
        )

    def _divergence(self, engine: Engine, items: Sequence[JudgedAnswer]) -> float:
        """z of these items, in nats."""
        return max(0.0, float(self._rewards(engine, [item.elsewhere for item in items]).mean()))

    def _rewards(self, engine: Engine, rows: Sequence[TokenRow]) -> Tensor:
        """log p - log r of each row, without a gradient, (rows,), float64."""
        nll = dict(engine.likelihoods(rows))
        return self.reference.nll(rows) - torch.tensor(
            [nll[number] for number in range(len(rows))], dtype=torch.float64
        )
