"""The last transformer layer, on the places that predict something and no others.

What the last layer makes of a position is read by the vocabulary head alone: other positions never see it, only its
keys and values. So behind its attention only the places that predict a supervised token go on to the feed-forward
block. (llama.cpp prunes the same rows in inference.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

PARTS = {"input_layernorm", "self_attn", "post_attention_layernorm", "mlp"}


def last_layer(network: PreTrainedModel) -> tuple[nn.Module, Callable[..., Tensor]] | None:
    """The network's last layer and its pruned forward, or None for a family whose layers are built otherwise.

    The forward is compared with the layer's own on random rows.
    """
    decoder = network.get_decoder()
    layers = getattr(decoder, "layers", None)
    if layers is None or not hasattr(decoder, "rotary_emb"):
        return None
    layer = layers[-1]
    if {name for name, _ in layer.named_children()} != PARTS or not hasattr(layer.mlp, "down_proj"):
        return None
    forward = _pruned(layer)
    return (layer, forward) if _agrees(network, layer, forward) else None


def _pruned(layer: nn.Module) -> Callable[..., Tensor]:
    parts: Any = layer

    def forward(hidden_states: Tensor, **context: Any) -> Tensor:
        attended, _ = parts.self_attn(hidden_states=parts.input_layernorm(hidden_states), **context)
        forest = context.get("forest")
        if forest is not None:
            attended = attended.index_select(1, forest.places_U)
            hidden_states = hidden_states.index_select(1, forest.places_U)
        hidden_states = hidden_states + attended
        output: Tensor = hidden_states + parts.mlp(parts.post_attention_layernorm(hidden_states))
        return output

    return forward


@torch.no_grad()
def _agrees(network: PreTrainedModel, layer: nn.Module, forward: Callable[..., Tensor]) -> bool:
    weight = network.get_input_embeddings().weight
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(1, 3, weight.shape[1], generator=generator).to(weight.device, weight.dtype)
    places = torch.arange(3, device=weight.device)[None]
    rotary: Any = network.get_decoder().rotary_emb
    context = {"position_embeddings": rotary(hidden, places), "position_ids": places, "attention_mask": None}
    theirs = layer(hidden, **context)
    ours = forward(hidden, **context)
    return isinstance(theirs, Tensor) and bool(torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5))
