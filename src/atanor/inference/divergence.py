"""How far a tuned network's predictions are from the base's, token by token, without keeping logits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from atanor.compute import Taught, WeightedTokens
from atanor.inference.scoring import checked_engine

_CHUNK_NUMBERS = 1 << 24
"""Logits of one network in memory at once."""


@torch.no_grad()
def divergences_from(
    model: PreTrainedModel | PeftModel,
    untouched: Callable[[], AbstractContextManager[None]],
    rows: Sequence[WeightedTokens],
) -> list[float]:
    """KL(base || tuned) in nats, summed over each row's supervised tokens.

    The base's last hidden states stand for its distributions; both heads make logits of a chunk of places at a time.

    Args:
        model: the tuned network.
        untouched: a context in which it answers as the base (`Tuned.untouched`).
        rows: weights above 0 on the tokens whose predictions are compared.
    """
    with untouched():
        base = _predictions(model, rows)
    tuned = _predictions(model, rows)
    vocabulary = min(base.head.vocabulary, tuned.head.vocabulary)
    chunk = max(1, _CHUNK_NUMBERS // vocabulary)
    found_S = torch.cat(
        [
            _divergence(
                base.head.logits(base.states_Sd[start : start + chunk])[:, :vocabulary],
                tuned.head.logits(tuned.states_Sd[start : start + chunk])[:, :vocabulary],
            )
            for start in range(0, len(base.states_Sd), chunk)
        ]
    )
    counts = [sum(weight > 0 for weight in row.weights[1:]) for row in rows]
    return [float(part.sum()) for part in torch.split(found_S, counts)]


def _predictions(model: PreTrainedModel | PeftModel, rows: Sequence[WeightedTokens]) -> Taught:
    engine = checked_engine(model, rows)  # a new one: it may keep copies of weights
    return Taught(engine.states(rows), engine.kept_head())


def _divergence(base_UV: torch.Tensor, tuned_UV: torch.Tensor) -> torch.Tensor:
    # A small divergence is a difference of nearly equal numbers.
    log_base_UV, log_tuned_UV = base_UV.double().log_softmax(1), tuned_UV.double().log_softmax(1)
    return (log_base_UV.exp() * (log_base_UV - log_tuned_UV)).sum(1)
