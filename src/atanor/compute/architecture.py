"""The sizes of a causal language model, read from its configuration: no weight is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from atanor.compute.head import transforms_logits
from atanor.compute.last_layer import PARTS
from atanor.compute.sharing import unshareable

_KEY_VALUE = {"k_proj", "v_proj", "qkv_proj"}
_GATED = {"gate_proj", "up_proj", "down_proj"}
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")


class Linear(NamedTuple):
    """A linear layer of a block, by its name and the widths of its input and output."""

    name: str
    inputs: int
    outputs: int

    @property
    def reads_stream(self) -> bool:
        """It makes queries, keys or values: in the first block its input is the embeddings."""
        return self.makes_keys or self.name == "q_proj"

    @property
    def makes_keys(self) -> bool:
        """It makes keys or values, which the last block needs at every token."""
        return self.name in _KEY_VALUE


@dataclass(frozen=True)
class Architecture:
    """What memory and time of a transformer follow from.

    Attributes:
        layers: blocks.
        width: of the residual stream.
        heads: query heads.
        query_width: query heads times the width of a head.
        key_width: key heads times the width of a head.
        inner: width of the feed-forward block.
        vocabulary: rows of the head.
        norms: norms over the residual stream in a block.
        head_norms: queries and keys are normalised before they are rotated.
        block: the linear layers of a block.
        largest: numbers in the largest single weight.
        parameters: numbers in all weights.
        gated: the feed-forward block is computed by the hand-written layer, which keeps less.
        prunes: the last block goes on with the places that predict something alone.
        doubt: why memory and time hold only roughly for this family, None where the formulas were made for it.
    """

    layers: int
    width: int
    heads: int
    query_width: int
    key_width: int
    inner: int
    vocabulary: int
    norms: int
    head_norms: bool
    block: tuple[Linear, ...]
    largest: int
    parameters: int
    gated: bool
    prunes: bool
    doubt: str | None

    @classmethod
    def of(cls, config: PretrainedConfig) -> Architecture:
        """Build the network of a configuration without memory for its weights, and measure it."""
        with torch.device("meta"):
            network: PreTrainedModel = AutoModelForCausalLM.from_config(config)
        text: Any = config.get_text_config()
        heads = int(text.num_attention_heads)
        head = int(getattr(text, "head_dim", None) or text.hidden_size // heads)
        groups = int(getattr(text, "num_key_value_heads", None) or heads)
        blocks = list(getattr(network.get_decoder(), "layers", None) or ())
        block = blocks[0] if blocks else network
        names = {name.rpartition(".")[2] for name, _ in block.named_modules()}
        return cls(
            layers=int(text.num_hidden_layers),
            width=int(text.hidden_size),
            heads=heads,
            query_width=heads * head,
            key_width=groups * head,
            inner=int(getattr(text, "intermediate_size", None) or 4 * text.hidden_size),
            vocabulary=int(text.vocab_size),
            norms=sum(1 for _, module in block.named_children() if _is_norm(module)),
            head_norms={"q_norm", "k_norm"} <= names,
            block=tuple(
                Linear(name.rpartition(".")[2], module.in_features, module.out_features)
                for name, module in block.named_modules()
                if isinstance(module, nn.Linear) and module is not network.get_output_embeddings()
            ),
            largest=max(parameter.numel() for parameter in network.parameters()),
            parameters=sum(parameter.numel() for parameter in network.parameters()),
            gated=names >= _GATED and getattr(text, "hidden_act", None) in {"silu", "swish"},
            prunes={name for name, _ in block.named_children()} == PARTS,
            doubt=_doubt(network, blocks),
        )

    @property
    def in_linears(self) -> int:
        """Numbers in the linear layers of all blocks."""
        return self.layers * sum(linear.inputs * linear.outputs for linear in self.block)

    def adapter(self, rank: int) -> int:
        """Numbers in a LoRA of this rank on every linear layer of the blocks."""
        return self.layers * rank * sum(linear.inputs + linear.outputs for linear in self.block)


def _is_norm(module: nn.Module) -> bool:
    return type(module).__name__.endswith("RMSNorm")


def _doubt(network: PreTrainedModel, blocks: list[nn.Module]) -> str | None:
    """Why this family computes otherwise than the formulas count, or None."""
    config: Any = network.config.get_text_config()
    if reason := unshareable(network):
        return f"rows are computed one by one: {reason}"
    if not blocks or not any(_is_norm(module) for module in blocks[0].modules()):
        return "its blocks are not built like Llama's"
    if any(getattr(config, name, None) for name in _EXPERTS):
        return "which experts compute a token is known only when it is computed"
    sinks = any("sinks" in name for name, _ in network.named_parameters())
    if sinks or getattr(config, "attn_logit_softcapping", None):
        return "its attention keeps a score for every pair of tokens"
    return "its logits are changed behind the head" if transforms_logits(network) else None
