"""The bytes that the memory estimate counts are those autograd keeps."""

from __future__ import annotations

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks
from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

from atanor.compute import Architecture, Engine, count_window
from atanor.compute.footprint import Footprint
from atanor.data.rows import TokenRow
from atanor.models import Quantisation, quantise
from tests.compute.models import with_adapter

_SIZES = {
    "vocab_size": 60,
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "tie_word_embeddings": True,
}
NETWORKS = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**_SIZES)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**_SIZES)),
}


@pytest.mark.parametrize("family", NETWORKS)
@pytest.mark.parametrize("rank", [3, 17, None])
@pytest.mark.parametrize("supervised", [5, 60])
def test_activations_are_those_autograd_keeps(family: str, rank: int | None, supervised: int) -> None:
    network = NETWORKS[family]()
    if rank is not None:
        with_adapter(network, torch.float32, rank)
    row = TokenRow("a", tuple(range(3, 60)) * 4, (0.0,) * (228 - supervised) + (1.0,) * supervised, 1)
    engine = Engine(network, pad=0)
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        engine.backward([row])
    parameters = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    measured = sum(size for place, size in kept.items() if place not in parameters)

    _, (part,) = count_window([row], 1024)
    predicted = Footprint(Architecture.of(network.config), rank, torch.float32).saved(part.tokens, part.places)
    assert predicted == pytest.approx(measured, rel=0.03)


def test_trained_numbers_are_those_of_the_adapter() -> None:
    network = NETWORKS["llama"]()
    footprint = Footprint(Architecture.of(network.config), 3, torch.float32)
    assert footprint.weights == 4 * sum(parameter.numel() for parameter in network.parameters())
    model = with_adapter(network, torch.float32, 3)
    assert footprint.trained == sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("double", [True, False])
def test_weights_in_four_bits_are_counted_as_they_are_kept(double: bool) -> None:
    network = LlamaForCausalLM(LlamaConfig(**{**_SIZES, "hidden_size": 256, "intermediate_size": 512}))
    kept = Quantisation(double=double)
    footprint = Footprint(Architecture.of(network.config), 3, torch.float32, quantisation=kept)
    quantise(network, kept)
    held = 0
    for parameter in network.parameters():
        state = getattr(parameter, "quant_state", None)
        held += parameter.nbytes
        if state is not None:
            held += state.absmax.nbytes + (state.state2.absmax.nbytes if state.nested else 0)
    assert footprint.weights == pytest.approx(held, rel=0.001)
    assert footprint.weights < footprint.loaded / 5
