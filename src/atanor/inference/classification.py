"""How likely a classifier finds each of its classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from atanor.compute import Prompt
from atanor.inference.scoring import checked_engine
from atanor.progress import Progress

_AT_ONCE = 256
"""Texts whose forest is built at once."""


def classify(
    model: PreTrainedModel | PeftModel,
    texts: Sequence[tuple[int, ...]],
    *,
    multi_label: bool,
    progress: Progress,
    name: str = "classifying",
) -> list[list[float]]:
    """Probabilities of every class for each text, in the order given. What texts begin with in common is read once.

    Args:
        model: a network with a head for classes.
        texts: token ids of each.
        multi_label: each class is there or not by itself; else one of them is.
        progress: shown the texts done.
        name: what the progress is called.
    """
    rows = [Prompt((*text, 0)) for text in texts]  # the last token is what is predicted, and not read
    engine = checked_engine(model, rows)
    found: list[list[float]] = []
    with progress.start(name, len(rows), "text") as bar:
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            logits_RC = engine.logits(part).double()
            probabilities_RC = torch.sigmoid(logits_RC) if multi_label else torch.softmax(logits_RC, dim=1)
            found += probabilities_RC.tolist()
            bar.advance(len(part))
    return found
