"""Preference: of two answers to one prompt, one is better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from atanor.compute import Engine
from atanor.data.preferences import PreferencePair
from atanor.data.rows import TokenRow
from atanor.models import Tuned
from atanor.progress import Progress, Silent
from atanor.train.objectives.base import Objective
from atanor.train.objectives.reference import Reference


class PairwiseObjective(Objective, ABC):
    """The mean over pairs of a loss of the likelihoods of both answers.

    Prompts shared by the answers of a pair and by pairs are computed once.

    Args:
        reference: of what the loss is held to; None where it needs none.
    """

    def __init__(self, reference: Reference | None = None) -> None:
        self.reference = reference

    @abstractmethod
    def losses(self, nll_P2: Tensor, reference_P2: Tensor, tokens_P2: Tensor) -> Tensor:
        """Loss of each pair, (P,).

        Args:
            nll_P2: of the chosen and the rejected answer under the tuned model, in nats.
            reference_P2: the same under the untouched base; zeros where the loss needs none.
            tokens_P2: how many tokens each answer has.
        """

    def rows(self, item: PreferencePair) -> Sequence[TokenRow]:
        return (item.chosen, item.rejected)

    def prepare(self, engine: Engine, items: Sequence[PreferencePair], progress: Progress) -> None:
        if self.reference is not None:
            self.reference.prepare(engine, self._both(items), progress)

    def backward(self, engine: Engine, window: Sequence[PreferencePair]) -> float:
        reference_P2, tokens_P2 = self._known(engine, window)

        def loss(numbers: Sequence[int], nll: list[Tensor]) -> Tensor:
            here = list(numbers)
            nll_P2 = torch.stack(nll).double()
            losses_P = self.losses(nll_P2, reference_P2[here].to(nll_P2), tokens_P2[here].to(nll_P2))
            return losses_P.sum() / len(window)

        return engine.backward_groups([self.rows(pair) for pair in window], loss)

    def weight(self, items: Sequence[PreferencePair]) -> float:
        return len(items)

    def mean_loss(self, engine: Engine, items: Sequence[PreferencePair]) -> float:
        rows = self._both(items)
        nll = dict(engine.likelihoods(rows))
        nll_P2 = torch.tensor([nll[number] for number in range(len(rows))], dtype=torch.float64).view(-1, 2)
        return float(self.losses(nll_P2, *self._known(engine, items)).mean())

    def _known(self, engine: Engine, pairs: Sequence[PreferencePair]) -> tuple[Tensor, Tensor]:
        """Likelihoods under the reference and lengths of the answers, each (P, 2), float64."""
        rows = self._both(pairs)
        tokens_P2 = torch.tensor([row.supervised for row in rows], dtype=torch.float64).view(-1, 2)
        if self.reference is None:
            return torch.zeros_like(tokens_P2), tokens_P2
        self.reference.prepare(engine, rows, Silent())
        return self.reference.nll(rows).view(-1, 2), tokens_P2

    def _both(self, pairs: Sequence[PreferencePair]) -> list[TokenRow]:
        return [row for pair in pairs for row in self.rows(pair)]


class DirectPreference(PairwiseObjective):
    """DPO (Rafailov et al. 2023, arXiv:2305.18290), with p the tuned model and r the untouched base:

        -log sigmoid(beta * ((log p(chosen) - log r(chosen)) - (log p(rejected) - log r(rejected))))

    Where a share of the pairs may be the wrong way round, each pair counts as the other way round by that share
    (conservative DPO, Mitchell 2023, ericmitchell.ai/cdpo.pdf).

    Args:
        tuned: what is trained; switched off it is the reference.
        beta: how strongly the model is held to the reference.
        label_smoothing: share of pairs expected to be the wrong way round.
    """

    def __init__(self, tuned: Tuned, beta: float = 0.1, label_smoothing: float = 0.0) -> None:
        super().__init__(Reference(tuned))
        self.beta = beta
        self.label_smoothing = label_smoothing

    def losses(self, nll_P2: Tensor, reference_P2: Tensor, tokens_P2: Tensor) -> Tensor:
        del tokens_P2
        margin_P = self.beta * _difference(reference_P2 - nll_P2)
        wrong = self.label_smoothing
        return -(1 - wrong) * logsigmoid(margin_P) - wrong * logsigmoid(-margin_P)


class IdentityPreference(PairwiseObjective):
    """IPO (Azar et al. 2023, arXiv:2310.12036, equation 17) on the likelihood a token, as its authors told TRL to:

        ((log p(chosen) - log r(chosen)) / |chosen| - (log p(rejected) - log r(rejected)) / |rejected| - 1 / (2 beta))^2

    It draws the margin towards a size instead of beyond all bounds, so that pairs that are easy do not overfit.

    Args:
        tuned: what is trained; switched off it is the reference.
        beta: the paper's tau: the margin aimed at is 1 / (2 beta) nats a token.
    """

    def __init__(self, tuned: Tuned, beta: float = 0.1) -> None:
        super().__init__(Reference(tuned))
        self.beta = beta

    def losses(self, nll_P2: Tensor, reference_P2: Tensor, tokens_P2: Tensor) -> Tensor:
        return (_difference((reference_P2 - nll_P2) / tokens_P2) - 1 / (2 * self.beta)) ** 2


class OddsRatioPreference(PairwiseObjective):
    """ORPO (Hong et al. 2024, arXiv:2403.07691, equation 6): the chosen answer is learned and the rejected one
    unlearned at once, without a reference. With P the mean likelihood a token, exp(log p / tokens):

        -log P(chosen) - weight * log sigmoid(log odds(chosen) - log odds(rejected)),   odds = P / (1 - P)

    Args:
        weight: of the second term; the paper's lambda.
    """

    def __init__(self, weight: float = 0.1) -> None:
        super().__init__()
        self.odds = weight

    def losses(self, nll_P2: Tensor, reference_P2: Tensor, tokens_P2: Tensor) -> Tensor:
        del reference_P2
        likelihood_P2 = -nll_P2 / tokens_P2
        # A likelihood of exactly 1 has no odds; the smallest distance from it keeps the loss finite.
        odds_P2 = likelihood_P2 - torch.log(-torch.expm1(likelihood_P2.clamp(max=-torch.finfo(torch.float64).eps)))
        return -likelihood_P2[:, 0] - self.odds * logsigmoid(_difference(odds_P2))


class SimplePreference(PairwiseObjective):
    """SimPO (Meng et al. 2024, arXiv:2405.14734, equation 6): the likelihood a token is the reward; no reference.

        -log sigmoid(beta * log p(chosen) / |chosen| - beta * log p(rejected) / |rejected| - margin)

    Args:
        beta: scale of the reward.
        margin: by how much the chosen answer's reward should be the larger; the paper's gamma.
    """

    def __init__(self, beta: float = 2.0, margin: float = 1.0) -> None:
        super().__init__()
        self.beta = beta
        self.margin = margin

    def losses(self, nll_P2: Tensor, reference_P2: Tensor, tokens_P2: Tensor) -> Tensor:
        del reference_P2
        return -logsigmoid(self.beta * _difference(-nll_P2 / tokens_P2) - self.margin)


def _difference(of_P2: Tensor) -> Tensor:
    """Of the chosen answer's number and the rejected one's, (P,)."""
    return of_P2[:, 0] - of_P2[:, 1]
