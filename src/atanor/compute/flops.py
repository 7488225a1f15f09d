"""Floating-point operations that training cannot do without.

Counted, two operations for a multiplication and an addition:

* every matrix of the blocks once forward and once for the gradient of its input, on every executed token. Under LoRA
  the embeddings do not train, so the first block's query, key and value projections need no gradient of their input;
* without LoRA, every matrix once more for its own gradient;
* with it, the two factors forward, and for their backward the two factors' gradients, the gradient between them and
  the gradient of the input;
* attention for each pair of a query and a key it sees: two products forward, four backward;
* the vocabulary head forward and backward, on the places that predict a supervised token only.

Of the last block only its keys and values are needed at every token; the rest of it counts on the places that predict.

Not counted: norms, activations, softmax, rotations, the optimizer, and anything computed twice (a flash kernel's
scores, activation checkpointing, a trunk's second forward). So a rate made from these figures is never flattering.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from atanor.compute.architecture import Architecture, Linear
from atanor.compute.counting import Counts


@dataclass(frozen=True)
class Flops:
    """Operations of one window, by what they are for."""

    forward: int = 0
    input_gradient: int = 0
    weight_gradient: int = 0
    lora: int = 0
    attention: int = 0
    head: int = 0

    @property
    def total(self) -> int:
        return self.forward + self.input_gradient + self.weight_gradient + self.lora + self.attention + self.head


def training_flops(model: Architecture, rank: int | None, counts: Counts) -> Flops:
    """Operations of forward and backward.

    Args:
        model: its sizes.
        rank: of a LoRA on every linear layer of the blocks; None trains all weights.
        counts: what the window is made of.
    """
    forward = input_gradient = lora = 0
    for linear, layer, tokens in _linears(model, counts):
        needs_gradient = rank is None or layer > 0 or not linear.reads_stream
        product = 2 * tokens * linear.inputs * linear.outputs
        forward += product
        input_gradient += needs_gradient * product
        if rank is not None:
            lora += 2 * tokens * rank * (3 * linear.outputs + (3 if needs_gradient else 2) * linear.inputs)
    return Flops(
        forward=forward,
        input_gradient=input_gradient,
        weight_gradient=forward if rank is None else 0,
        lora=lora,
        attention=12 * _pairs(model, counts) * model.query_width,
        head=(6 if rank is None else 4) * counts.places * model.width * model.vocabulary,
    )


def scoring_flops(model: Architecture, counts: Counts) -> Flops:
    """Operations of a forward pass of the base alone: validation, or a preference objective's reference."""
    return Flops(
        forward=sum(2 * tokens * linear.inputs * linear.outputs for linear, _, tokens in _linears(model, counts)),
        attention=4 * _pairs(model, counts) * model.query_width,
        head=2 * counts.places * model.width * model.vocabulary,
    )


def _linears(model: Architecture, counts: Counts) -> Iterator[tuple[Linear, int, int]]:
    """(linear layer, number of its block, tokens it has to be multiplied with)."""
    for layer in range(model.layers):
        for linear in model.block:
            everywhere = layer < model.layers - 1 or linear.makes_keys
            yield linear, layer, counts.executed if everywhere else counts.places


def _pairs(model: Architecture, counts: Counts) -> int:
    """Pairs over all blocks."""
    return (model.layers - 1) * counts.pairs + counts.place_pairs
