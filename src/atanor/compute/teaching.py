"""A teacher whose predictions a student is held to, and the losses that do it.

The teacher's last hidden states stand for its distributions: (S, d) numbers instead of (S, V), and its head makes
logits of them where the student's are made, a chunk at a time. They are computed before the student's passes, because
a teacher that is the same network with its changes taken off must not be put back between a forward and a backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from atanor.compute.divergence import Matching
from atanor.compute.forest import WeightedTokens
from atanor.compute.head import Head, KeptHead
from atanor.compute.head_divergence import Wanted, matched, sampled
from atanor.compute.head_loss import Predictions
from atanor.compute.supervision import HiddenLoss, Numbering, Supervision

if TYPE_CHECKING:
    from atanor.compute.engine import Engine


@dataclass(frozen=True)
class Taught:
    """What a teacher says about some rows.

    Attributes:
        states_Sd: its last hidden states that predict the rows' supervised tokens, row after row.
        head: what makes logits of them.
    """

    states_Sd: Tensor
    head: KeptHead

    def draw(self, tokens: int, generator: torch.Generator, vocabulary: int | None = None) -> Tensor:
        """Tokens drawn from its softmax at each place with replacement.

        Their mean negative log-likelihood under a student is an unbiased estimate of the cross-entropy, whose gradient
        is that of the forward KL divergence; the most likely k tokens would be biased (Anshumann et al. 2025, "Sparse
        Logit Sampling", arXiv:2503.16870).

        Args:
            tokens: how many for each place, k.
            generator: of the draws, on the CPU; equal states and generator give equal tokens.
            vocabulary: only the first so many rows of the head may be drawn; None takes all.

        Returns:
            (S, k) token ids.
        """
        draws_Sk = torch.rand(len(self.states_Sd), tokens, generator=generator, dtype=torch.float64)
        rows = min(vocabulary or self.head.vocabulary, self.head.vocabulary)
        return sampled(self.states_Sd, self.head.logits, rows, draws_Sk.to(self.states_Sd.device))


class Teacher:
    """A network that does not train, or one with what trains of it taken off.

    Args:
        engine: computes on it.
        untouched: a context in which it answers as the teacher (`Tuned.untouched`); None where it always does.
    """

    def __init__(self, engine: Engine, untouched: Callable[[], AbstractContextManager[None]] | None = None) -> None:
        self._engine = engine
        self._untouched = untouched or nullcontext
        self._head: KeptHead | None = None

    def __call__(self, rows: Sequence[WeightedTokens]) -> Taught:
        """What it says about these rows."""
        with self._untouched():
            self._head = self._head or self._engine.kept_head()
            return Taught(self._engine.states(rows), self._head)


class States:
    """Collects the hidden states of all passes, ordered by the numbers of the supervised tokens."""

    def __init__(self, supervised: int) -> None:
        self.supervised = supervised
        self.states_Sd: Tensor | None = None

    def __call__(self, here: Supervision, hidden_Ud: Tensor) -> Tensor:
        if self.states_Sd is None:
            self.states_Sd = hidden_Ud.new_empty(self.supervised, hidden_Ud.shape[1])
        self.states_Sd[here.numbers_O] = hidden_Ud[here.index_O]
        return hidden_Ud.new_zeros(())


def matching_loss(head: Head, taught: Taught, how: Matching, whole: float) -> HiddenLoss:
    """See `Engine.backward_matching`; divided by `whole`."""

    def loss(here: Supervision, hidden_Ud: Tensor) -> Tensor:
        wanted = Wanted(
            teacher_Ud=taught.states_Sd[here.numbers_of_places(len(hidden_Ud))],
            teacher=taught.head.logits,
            weights_U=here.weights_of_places(len(hidden_Ud)) / whole,
            predictions=here.predictions,
            weights_E=here.weights_E / whole,
            vocabulary=max(head.vocabulary, taught.head.vocabulary),
        )
        return matched(hidden_Ud, head.logits, head.trained, wanted, how)

    return loss


def targets_loss(head: Head, numbering: Numbering, targets_Sk: Tensor, how: Matching, whole: float) -> HiddenLoss:
    """See `Engine.backward_targets`; divided by `whole`."""
    k = targets_Sk.shape[1]

    def loss(here: Supervision, hidden_Ud: Tensor) -> Tensor:
        # A drawn token is one more prediction at the same place; rows that share the place bring each their own.
        each_O = how.divergence_weight * numbering.weights_S[here.numbers_O] / (k * whole)
        index = [here.index_O.repeat_interleave(k)]
        targets = [targets_Sk[here.numbers_O].flatten()]
        weights = [each_O.repeat_interleave(k)]
        if how.completion_weight:
            index.append(here.predictions.index_E)
            targets.append(here.predictions.targets_E)
            weights.append(how.completion_weight * here.weights_E / whole)
        return head.weighted(hidden_Ud, Predictions(torch.cat(index), torch.cat(targets)), torch.cat(weights))

    return loss
