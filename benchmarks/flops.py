"""Floating-point operations that one optimizer step of LoRA cannot do without.

Counted, two operations for a multiplication and an addition:

* every frozen matrix once forward and once for the gradient of its input, on every executed token. The embeddings do
  not train, so the first layer's query, key and value projections need no gradient of their input;
* the two LoRA factors forward, and for their backward the two factors' gradients, the gradient between them and the
  gradient of the input;
* attention for each pair of a query and a key it sees: two products forward, four backward;
* the vocabulary head forward and backward, on the places that predict a supervised token only.

Of the last layer only its keys and values are needed at every token; the rest of it counts on the places that predict.

Not counted: norms, activations, softmax, rotations, the optimizer, and anything computed twice (a flash kernel's
scores, activation checkpointing, a trunk's second forward). So the rate made from these figures is never flattering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_KEY_AND_VALUE = (1, 2)
_FROM_INPUT = (0, 1, 2)


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a Llama-like transformer with LoRA on every linear layer of its body.

    Attributes:
        layers: transformer blocks.
        width: of the residual stream.
        query_width: query heads times the width of a head.
        key_width: key heads times the width of a head.
        inner: width of the gated feed-forward block.
        vocabulary: rows of the head.
        rank: of the adapters.
    """

    layers: int
    width: int
    query_width: int
    key_width: int
    inner: int
    vocabulary: int
    rank: int

    @classmethod
    def of(cls, config: Any, rank: int) -> ModelShape:
        """From a Transformers configuration."""
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return cls(
            layers=config.num_hidden_layers,
            width=config.hidden_size,
            query_width=config.num_attention_heads * head,
            key_width=config.num_key_value_heads * head,
            inner=config.intermediate_size,
            vocabulary=config.vocab_size,
            rank=rank,
        )

    @property
    def matrices(self) -> tuple[tuple[int, int], ...]:
        """(in, out) of the linear layers of a block: query, key, value, output, gate, up, down."""
        return (
            (self.width, self.query_width),
            (self.width, self.key_width),
            (self.width, self.key_width),
            (self.query_width, self.width),
            (self.width, self.inner),
            (self.width, self.inner),
            (self.inner, self.width),
        )


@dataclass(frozen=True)
class Counts:
    """What a window is made of.

    Attributes:
        executed: tokens computed.
        pairs: (query, key) pairs that attention looks at: for each token those before it on its path, and itself.
        predicting: places that predict a supervised token.
        predicting_pairs: the pairs whose query is one of those.
    """

    executed: int
    pairs: int
    predicting: int
    predicting_pairs: int


@dataclass(frozen=True)
class Flops:
    """Operations of one window, by what they are for."""

    forward: int = 0
    input_gradient: int = 0
    lora: int = 0
    attention: int = 0
    head: int = 0

    @property
    def total(self) -> int:
        return self.forward + self.input_gradient + self.lora + self.attention + self.head


def training_flops(shape: ModelShape, counts: Counts) -> Flops:
    """Operations of forward and backward."""
    forward = input_gradient = lora = 0
    for layer in range(shape.layers):
        for number, (inputs, outputs) in enumerate(shape.matrices):
            tokens = _tokens(shape, counts, layer, number)
            needs_gradient = layer > 0 or number not in _FROM_INPUT
            forward += 2 * tokens * inputs * outputs
            input_gradient += needs_gradient * 2 * tokens * inputs * outputs
            lora += 2 * tokens * shape.rank * (3 * outputs + (3 if needs_gradient else 2) * inputs)
    return Flops(
        forward=forward,
        input_gradient=input_gradient,
        lora=lora,
        attention=12 * _pairs(shape, counts) * shape.query_width,
        head=4 * counts.predicting * shape.width * shape.vocabulary,
    )


def scoring_flops(shape: ModelShape, counts: Counts) -> Flops:
    """Operations of a forward pass of the base alone, as a preference objective's reference needs it."""
    return Flops(
        forward=sum(
            2 * _tokens(shape, counts, layer, number) * inputs * outputs
            for layer in range(shape.layers)
            for number, (inputs, outputs) in enumerate(shape.matrices)
        ),
        attention=4 * _pairs(shape, counts) * shape.query_width,
        head=2 * counts.predicting * shape.width * shape.vocabulary,
    )


def _tokens(shape: ModelShape, counts: Counts, layer: int, matrix: int) -> int:
    """Tokens a matrix has to be multiplied with."""
    needed_everywhere = layer < shape.layers - 1 or matrix in _KEY_AND_VALUE
    return counts.executed if needed_everywhere else counts.predicting


def _pairs(shape: ModelShape, counts: Counts) -> int:
    """Pairs over all layers."""
    return (shape.layers - 1) * counts.pairs + counts.predicting_pairs
