"""How far a student's predictions are from a teacher's: the measure, and its weight beside the completion loss."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Divergence(StrEnum):
    """A distance between the teacher's distribution t and the student's distribution s over the vocabulary."""

    FORWARD = "forward"
    REVERSE = "reverse"
    JENSEN_SHANNON = "jensen_shannon"


@dataclass(frozen=True)
class Matching:
    """What is minimised at every supervised token:

        divergence_weight * T^2 * D(t, s) + completion_weight * nll

    with t and s the softmax of logits divided by the temperature T, and D one of

        forward          KL(t || s) = sum_v t_v (log t_v - log s_v)
        reverse          KL(s || t)
        jensen_shannon   beta KL(t || m) + (1 - beta) KL(s || m), m = beta t + (1 - beta) s

    The factor T^2 keeps the size of the gradient when T changes (Hinton et al. 2015, arXiv:1503.02531). The generalised
    Jensen-Shannon divergence is that of Agarwal et al. 2024 (arXiv:2306.13649). Where one head has more rows than the
    other, which then are padding behind the same vocabulary, both distributions are those over the common rows: what
    each model predicts given that it predicts a token at all.

    Attributes:
        divergence: which D.
        temperature: T, above 0.
        beta: of the Jensen-Shannon divergence, between 0 and 1; not read by the others.
        divergence_weight: of D.
        completion_weight: of the negative log-likelihood of the rows' own tokens.
    """

    divergence: Divergence = Divergence.FORWARD
    temperature: float = 1.0
    beta: float = 0.5
    divergence_weight: float = 1.0
    completion_weight: float = 0.0
