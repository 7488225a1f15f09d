"""Prompts read once for what they share give the cache, and the answers, of prompts read alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from atanor.inference import Decoding, generate_answers
from atanor.inference.prefill import Prefill
from atanor.models import BaseReference, encode_prompt, load_base, resolve_base
from atanor.progress import Silent
from tests.compute.models import FAMILIES

SHARED = tuple(range(3, 40))


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_a_shared_cache_is_the_one_of_every_prompt_alone(family: str) -> None:
    torch.manual_seed(0)
    network = FAMILIES[family]().eval().requires_grad_(False)
    prompts = [(*SHARED, 41), (*SHARED, 42, 43, 44), (*SHARED[:9], 50), (7, 8, 9)]
    cache = Prefill(network, prompts).cache(prompts)
    assert cache is not None
    width = max(map(len, prompts)) - 1
    for line, prompt in enumerate(prompts):
        alone = network(torch.tensor([prompt[:-1]]), use_cache=True).past_key_values
        for layer, theirs in zip(cache.layers, alone.layers, strict=True):
            first = width - (len(prompt) - 1)
            torch.testing.assert_close(layer.keys[line : line + 1, :, first:], theirs.keys, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(layer.values[line : line + 1, :, first:], theirs.values, rtol=1e-4, atol=1e-5)


def test_nothing_is_read_at_once_where_little_is_shared_or_a_window_slides() -> None:
    torch.manual_seed(0)
    different = [(3, 4, 5), (6, 7, 8), (9, 10, 11)]
    assert Prefill(FAMILIES["llama"]().eval(), different).cache(different) is None
    alike = [(*SHARED, 41), (*SHARED, 42)]
    sliding = FAMILIES["mistral, sliding window of 7"]().eval()
    assert Prefill(sliding, alike).cache(alike) is None


def test_answers_after_a_shared_prompt_are_those_of_plain_generation(tiny_base_folder: Path) -> None:
    base = load_base(resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), Path(), Silent()))
    system = {"role": "system", "content": "The Director turns a scene note into one beat, and nothing else."}
    prompts = [
        encode_prompt(base.tokenizer, [system, {"role": "user", "content": text}])
        for text in ("one", "wait by the lamp, said the porter", "four five")
    ]
    assert Prefill(base.model, prompts).cache(prompts) is not None
    answers = generate_answers(base, base.model, prompts, decoding=Decoding(12), progress=Silent())
    for prompt, answer in zip(prompts, answers, strict=True):
        tokens = base.model.generate(torch.tensor([prompt]), max_new_tokens=12, do_sample=False)[0, len(prompt) :]
        assert answer.text == base.tokenizer.decode(tokens, skip_special_tokens=True)
