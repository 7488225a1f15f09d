"""How likely a base, or an adapter on it, finds given answers."""

from __future__ import annotations

from collections.abc import Sequence

from peft import PeftModel
from transformers import PreTrainedModel

from atanor.compute import Engine, WeightedTokens
from atanor.progress import Progress


def score_rows(
    model: PreTrainedModel | PeftModel, rows: Sequence[WeightedTokens], progress: Progress, name: str = "scoring"
) -> list[float]:
    """Negative log-likelihood in nats of every row's supervised tokens, in the order given.

    What rows have in common is computed once; logits are made for supervised positions only, a chunk at a time.
    """
    scores: dict[int, float] = {}
    engine = Engine(model, pad=0)
    with progress.start(name, len(rows), "row") as bar:
        for number, nll in engine.likelihoods(rows):
            scores[number] = nll
            bar.advance()
    return [scores[number] for number in range(len(rows))]
