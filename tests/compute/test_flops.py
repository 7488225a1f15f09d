"""The operations that are counted are those PyTorch counts in the plain computation."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.utils.flop_counter import FlopCounterMode

from atanor.compute import Architecture, Counts, count_window, scoring_flops, training_flops
from atanor.compute.forest import WeightedTokens
from atanor.data import PreferencePair, TokenRow
from benchmarks.window_work import preference_figures, row_figures
from tests.tiny import tiny_llama

VOCABULARY, RANK = 50, 4


def row(*tokens: int, supervised: int) -> TokenRow:
    return TokenRow("row", tokens, (0.0,) * (len(tokens) - supervised) + (1.0,) * supervised, 0)


def counts_of(rows: list[WeightedTokens]) -> Counts:
    return count_window(rows, 1024, copied=0)[0]


@pytest.mark.parametrize("rank", [RANK, None])
def test_matrix_products_are_those_of_the_plain_computation(rank: int | None) -> None:
    model = tiny_llama(VOCABULARY)
    config = model.config
    if rank is not None:
        lora = LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(model, lora)
    else:
        model.requires_grad_(True)
    tokens = torch.arange(12)[None]
    with FlopCounterMode(display=False) as counter:
        logits = model(input_ids=tokens[:, :-1]).logits[0]
        torch.nn.functional.cross_entropy(logits, tokens[0, 1:]).backward()
    by_operation = counter.get_flop_counts()["Global"]
    products = sum(flops for operation, flops in by_operation.items() if str(operation) in {"aten.mm", "aten.addmm"})

    counts = counts_of([TokenRow("row", tuple(range(12)), (1.0,) * 12, 0)])
    ours = training_flops(Architecture.of(config), rank, counts)

    assert counts.executed == counts.places == 11
    assert ours.total - ours.attention == products


def test_what_rows_share_is_counted_once() -> None:
    rows = [row(1, 2, 3, 4, 5, supervised=1), row(1, 2, 3, 6, 7, supervised=1)]

    counts = counts_of(rows)

    # Positions 0, 1, 2 are shared; each row has position 3 of its own, which predicts; position 4 is not needed.
    assert (counts.executed, counts.pairs) == (5, 1 + 2 + 3 + 4 + 4)
    assert (counts.places, counts.place_pairs, counts.supervised) == (2, 8, 2)
    assert row_figures(rows, Architecture.of(tiny_llama(VOCABULARY).config))["logical"] == 10


def test_attention_is_counted_by_the_pair() -> None:
    model = Architecture.of(tiny_llama(VOCABULARY).config)
    counts = Counts(logical=10, executed=10, again=0, supervised=4, pairs=55, places=4, place_pairs=34)

    trained, scored = training_flops(model, RANK, counts), scoring_flops(model, counts)

    pairs = (model.layers - 1) * 55 + 34  # in the last layer only places that predict need to look back
    assert trained.attention == 3 * scored.attention == pairs * 12 * model.query_width
    assert scored.head * 2 == trained.head == 4 * 4 * model.width * VOCABULARY
    assert scored.forward == trained.forward
    assert scored.lora == scored.input_gradient == 0


def test_a_pair_counts_its_reference() -> None:
    model = Architecture.of(tiny_llama(VOCABULARY).config)
    pair = PreferencePair("pair", row(1, 2, 3, 4, supervised=2), row(1, 2, 5, 6, supervised=2))

    figures = preference_figures([pair, pair], model)

    # Positions 0 and 1 are the same in all four rows; in training each answer has its own position 1, which predicts.
    assert figures["logical"] == 16
    assert figures["reference_executed"] == 1 + 1 + 2
    assert figures["executed"] == 1 + 4 * 2
    assert figures["flops"] > training_flops(model, 16, counts_of([pair.chosen, pair.rejected])).total
