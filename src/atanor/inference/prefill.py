"""Reads the prompts of a batch before generation starts: what they have in common is computed once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from peft import PeftModel
from transformers import DynamicCache, PreTrainedModel

from atanor.compute import Engine, Route, shared_tokens
from atanor.inference.scoring import to_predict

WORTH = 0.8
"""A forest is read only if it has at most this share of the prompts' tokens; else plain generation is as fast."""


class Prefill:
    """Fills caches for batches of prompts where that saves work and the family allows it.

    Args:
        model: the network to ask, with the wanted adapter active.
        prompts: all prompts that will be asked; two of them check the engine against the model's own computation.
    """

    def __init__(self, model: PreTrainedModel | PeftModel, prompts: Sequence[tuple[int, ...]]) -> None:
        self._engine: Engine | None = None
        several = sorted((prompt for prompt in prompts if len(prompt) > 1), key=len)[:2]
        network = model.get_base_model() if isinstance(model, PeftModel) else model
        # A cache of a sliding window keeps other tokens than a prompt's last ones in their columns.
        windows = getattr(network.config.get_text_config(), "sliding_window", None)
        continues = not network.config.is_encoder_decoder
        if continues and len(several) == 2 and not windows and _saves(prompts):
            engine = Engine(model, pad=0)
            with torch.no_grad():
                engine.self_check([to_predict(prompt) for prompt in several])
            self._engine = engine if engine.route is not Route.SEPARATE else None

    def cache(self, prompts: Sequence[tuple[int, ...]]) -> DynamicCache | None:
        """A cache of all tokens of a batch but the last of each prompt, or None where nothing is saved."""
        if self._engine is None or not _saves(prompts):
            return None
        network = self._engine.network
        cache = DynamicCache(config=network.config)
        for layer, (key, value) in sorted(self._engine.prefill(prompts).items()):
            cache.update(key.to(network.dtype), value.to(network.dtype), layer)
        return cache


def _saves(prompts: Sequence[tuple[int, ...]]) -> bool:
    if min(map(len, prompts), default=0) < 2:
        return False
    return shared_tokens(prompts) <= WORTH * sum(len(prompt) - 1 for prompt in prompts)
