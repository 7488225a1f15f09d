"""Greedy answers to many prompts, a row leaving when its answer ends and another taking its place.

A step reads all weights for every row there is, so rows should be many and none of them done; batches that wait for
their longest answer are neither (continuous batching: Yu et al. 2022, Orca, OSDI). What prompts that come in together
have in common is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from peft import PeftModel
from torch import Tensor
from transformers import GenerationConfig, PreTrainedModel

from atanor.compute import Engine, KeyValueStore, Route
from atanor.inference.scoring import to_predict
from atanor.models import virtual_tokens

ROWS = 96
"""Beyond so many rows a matrix product is at its full rate."""
CACHE_BYTES = 1 << 30
"""Keys and values that may be held for that: 1 GB."""
TOKENS_KEPT = 8192
"""Tokens whose keys and values are held however large they are."""
_READ_TOGETHER = 32
"""Prompts that are read at once: their keys and values stand in memory twice."""
_REFILLED_AT = 4
"""New rows come in when one in so many has left, together, so that what they share is read once."""
_OWN_RULES = (
    "repetition_penalty",
    "no_repeat_ngram_size",
    "encoder_repetition_penalty",
    "bad_words_ids",
    "min_length",
    "min_new_tokens",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "suppress_tokens",
    "begin_suppress_tokens",
    "sequence_bias",
    "guidance_scale",
    "exponential_decay_length_penalty",
)
"""What a model's own generation settings may ask for beside the likeliest token."""


def continuing_engine(model: PreTrainedModel | PeftModel, prompts: Sequence[tuple[int, ...]]) -> Engine | None:
    """An engine that goes on as the model itself does, checked on two prompts; None where plain generation is needed.

    That is for an encoder with a decoder, for sliding windows, for virtual tokens, for a model whose own generation
    settings change what is likeliest, and for a family that the engine computes a row at a time.
    """
    network = model.get_base_model() if isinstance(model, PeftModel) else model
    several = sorted((prompt for prompt in prompts if len(prompt) > 1), key=len)[:2]
    if len(several) < 2 or min(map(len, prompts)) < 1 or virtual_tokens(model) or network.config.is_encoder_decoder:
        return None
    if getattr(network.config.get_text_config(), "sliding_window", None) or _has_rules(network):
        return None
    engine = Engine(model, pad=0)
    return engine if _goes_on_alike(engine, several) else None


@torch.no_grad()
def write_greedily(
    engine: Engine, prompts: Sequence[tuple[int, ...]], limit: int, ends: frozenset[int]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """(number of the prompt, tokens of its answer with its end), as answers are done.

    Args:
        engine: from `continuing_engine`.
        prompts: token ids, each at least one.
        limit: most tokens of an answer.
        ends: tokens that end one.
    """
    waiting = sorted(range(len(prompts)), key=lambda number: -len(prompts[number]))
    columns = len(prompts[waiting[0]]) + limit
    rows = min(len(prompts), _rows_at_once(engine, prompts[waiting[0]], columns))
    store = KeyValueStore(engine, rows, columns)
    active: list[int] = []
    written: list[list[int]] = []
    with engine.decoding(store) as step:
        while waiting or active:
            free = rows - len(active)
            if waiting and free * _REFILLED_AT >= rows:
                new, waiting = waiting[:free], waiting[free:]
                _read(store, [prompts[number] for number in new])
                active += new
                written += [[] for _ in new]
            last = [
                tokens[-1] if tokens else prompts[number][-1] for number, tokens in zip(active, written, strict=True)
            ]
            chosen = step(torch.tensor(last, device=engine.device)).argmax(1).tolist()
            for row in reversed(range(len(active))):
                written[row].append(chosen[row])
                if chosen[row] in ends or len(written[row]) == limit:
                    yield active[row], tuple(written[row])
                    store.remove(row)
                    active[row], written[row] = active[-1], written[-1]
                    active.pop()
                    written.pop()


def _read(store: KeyValueStore, prompts: Sequence[tuple[int, ...]]) -> None:
    for start in range(0, len(prompts), _READ_TOGETHER):
        store.add(prompts[start : start + _READ_TOGETHER])


def _rows_at_once(engine: Engine, longest: tuple[int, ...], columns: int) -> int:
    probe = KeyValueStore(engine, 1, 2)
    probe.add([(*longest[:1], *longest[:1])])
    return max(1, TOKENS_KEPT // columns, min(ROWS, CACHE_BYTES // (columns * probe.token_bytes)))


def _has_rules(network: PreTrainedModel) -> bool:
    own, usual = network.generation_config, GenerationConfig()
    if own is None:
        return False
    neutral = {"repetition_penalty": 1.0, "encoder_repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "min_length": 0}
    return any(
        getattr(own, name, None) not in (None, getattr(usual, name, None), neutral.get(name)) for name in _OWN_RULES
    )


def _goes_on_alike(engine: Engine, prompts: Sequence[tuple[int, ...]]) -> bool:
    """Two steps give the logits of the model's own forward, up to the engine's tolerance."""
    engine.self_check([to_predict(prompt) for prompt in prompts])
    if engine.route is Route.SEPARATE:
        return False
    store = KeyValueStore(engine, len(prompts), max(map(len, prompts)) + 1)
    store.add(prompts)
    texts = [list(prompt) for prompt in prompts]
    for _ in range(2):
        truth_BV = torch.stack([_own_logits(engine, text) for text in texts])
        with engine.decoding(store) as step:
            found_BV = step(torch.tensor([text[-1] for text in texts], device=engine.device))
        if not (found_BV - truth_BV).abs().max() <= engine.tolerance * truth_BV.abs().max():
            return False
        for text, token in zip(texts, truth_BV.argmax(1).tolist(), strict=True):
            text.append(token)
    return True


def _own_logits(engine: Engine, text: Sequence[int]) -> Tensor:
    tokens_1T = torch.tensor([list(text)], device=engine.device)
    logits_V: Tensor = engine.network(input_ids=tokens_1T, use_cache=False).logits[0, -1]
    return logits_V if logits_V.dtype == torch.float64 else logits_V.float()
