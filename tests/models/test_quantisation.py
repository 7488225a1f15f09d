"""A base in 4 bits: what is quantised, what comes back, and that the fast layers compute with exactly those weights."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig
from pydantic import ValidationError
from torch import nn
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, GPT2Config, GPT2LMHeadModel

from atanor.compute import Engine, Route
from atanor.errors import BaseModelError, MissingExtraError
from atanor.methods.options import QloraOptions
from atanor.models import Levels, Quantisation, QuantisedAdapter, attach_quantised, dequantised, is_quantised, quantise
from atanor.models.quantisation import bitsandbytes_settings
from tests.train.jobs import rows, tiny_base

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10]])
KINDS = [Quantisation(), Quantisation(levels=Levels.FP4, double=False)]


def tuned(folder: Path, kind: Quantisation, rank: int = 4) -> tuple[Any, QuantisedAdapter]:
    """A base in 4 bits whose adapter adds something."""
    base = tiny_base(folder)
    adapter = attach_quantised(
        base, LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM"), kind, seed=3
    )
    generator = torch.Generator().manual_seed(0)
    for name, parameter in adapter.model.named_parameters():
        if "lora_B" in name:
            parameter.data.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return base, adapter


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_is_the_base_that_transformers_quantises(kind: Quantisation, tiny_base_folder: Path) -> None:
    base, adapter = tuned(tiny_base_folder, kind)
    settings = bitsandbytes_settings(kind, torch.float32)
    theirs = AutoModelForCausalLM.from_pretrained(
        tiny_base_folder, dtype=torch.float32, quantization_config=BitsAndBytesConfig(**settings)
    )
    layers = [name for name, layer in theirs.named_modules() if is_quantised(layer)]
    assert len(layers) == 14 and set(layers) == set(adapter.linears.originals), "seven a block, and not the head"
    with torch.no_grad(), adapter.untouched():
        assert torch.allclose(adapter.model(TOKENS).logits, theirs(TOKENS).logits, atol=1e-5)
    adapter.detach()
    fresh = dict(tiny_base(tiny_base_folder).model.named_parameters())
    back = dict(base.model.named_parameters())
    assert back.keys() == fresh.keys()
    assert all(torch.equal(back[name], fresh[name]) for name in fresh), "taken off, every weight is as it came"


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_fast_layers_compute_with_exactly_the_weights_the_bits_stand_for(
    kind: Quantisation, tiny_base_folder: Path
) -> None:
    base, adapter = tuned(tiny_base_folder, kind)
    every = rows(base, 6)
    ours = gradients(adapter.model, every, Route.FOREST)
    # The same network with those weights written out, in float64, one row at a time.
    network = copy.deepcopy(adapter.model.get_base_model())
    for layer in network.modules():
        if is_quantised(getattr(layer, "base_layer", None)):
            plain = nn.Linear(layer.in_features, layer.out_features, bias=False)
            plain.weight = nn.Parameter(dequantised(layer.base_layer), requires_grad=False)
            layer.base_layer = plain
    truth = gradients(network.double(), every, Route.SEPARATE)
    assert ours[0] == pytest.approx(truth[0], rel=1e-5)
    for one, other in zip(ours[1], truth[1], strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm()


def gradients(model: Any, every: list[Any], route: Route) -> tuple[float, list[torch.Tensor]]:
    engine = Engine(model, pad=2, dtype=next(model.parameters()).dtype)
    engine.route = route
    if route is Route.FOREST:
        assert len(engine._fusion._forwards) >= 8, "every block's feed-forward and attention are replaced"
    loss = engine.backward(every)
    return loss, [one.grad.double() for one in model.parameters() if one.grad is not None]


def test_a_preference_objective_refers_to_the_base_in_four_bits(tiny_base_folder: Path) -> None:
    """Training begins where the reference stands, else the first loss would not be log 2."""
    base = tiny_base(tiny_base_folder)
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    adapter = attach_quantised(base, config, Quantisation(), seed=3)
    with torch.no_grad():
        begun = adapter.model(TOKENS).logits
        with adapter.untouched():
            assert torch.equal(adapter.model(TOKENS).logits, begun)


def test_the_weights_as_they_were_are_given_up_while_it_is_quantised(tiny_base_folder: Path) -> None:
    _, adapter = tuned(tiny_base_folder, Quantisation())
    assert all(layer.weight.numel() == 0 for layer in adapter.linears.originals.values())


def test_where_attaching_fails_the_base_comes_back(tiny_base_folder: Path) -> None:
    base = tiny_base(tiny_base_folder)
    with pytest.raises(ValueError, match="no_such_layer"):
        config = LoraConfig(r=4, target_modules=["no_such_layer"], task_type="CAUSAL_LM")
        attach_quantised(base, config, Quantisation(), seed=3)
    fresh = tiny_base(tiny_base_folder).model
    with torch.no_grad():
        assert torch.equal(base.model(TOKENS).logits, fresh(TOKENS).logits)
    assert not hasattr(base.model, "is_loaded_in_4bit")


def test_without_bitsandbytes_it_says_what_to_install(tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'atanor\[quantised\]'"):
        tuned(tiny_base_folder, Quantisation())


def test_transposed_layers_are_refused() -> None:
    network = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2))
    with pytest.raises(BaseModelError, match="cannot be kept in 4 bits"):
        quantise(network, Quantisation())


def test_pissa_is_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match="takes singular values out of the weights"):
        QloraOptions(start="pissa")
