"""The operations the benchmarks count are those PyTorch counts in the plain computation."""

from __future__ import annotations

import torch
from peft import LoraConfig, get_peft_model
from torch.utils.flop_counter import FlopCounterMode

from atanor.data import TokenRow
from atanor.train import PreferencePair
from benchmarks.flops import Counts, ModelShape, scoring_flops, training_flops
from benchmarks.window_work import counts_of, preference_figures, row_figures
from tests.tiny import tiny_llama

VOCABULARY, RANK = 50, 4


def row(*tokens: int, supervised: int) -> TokenRow:
    return TokenRow("row", tokens, (0.0,) * (len(tokens) - supervised) + (1.0,) * supervised, 0)


def test_matrix_products_are_those_of_the_plain_computation() -> None:
    model = get_peft_model(
        tiny_llama(VOCABULARY), LoraConfig(r=RANK, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    tokens = torch.arange(12)[None]
    with FlopCounterMode(display=False) as counter:
        logits = model(input_ids=tokens[:, :-1]).logits[0]
        torch.nn.functional.cross_entropy(logits, tokens[0, 1:]).backward()
    by_operation = counter.get_flop_counts()["Global"]
    products = sum(flops for operation, flops in by_operation.items() if str(operation) in {"aten.mm", "aten.addmm"})

    counts = counts_of([TokenRow("row", tuple(range(12)), (1.0,) * 12, 0)])
    ours = training_flops(ModelShape.of(model.config, RANK), counts)

    assert counts.executed == counts.predicting == 11
    assert ours.forward + ours.input_gradient + ours.lora + ours.head == products


def test_what_rows_share_is_counted_once() -> None:
    rows = [row(1, 2, 3, 4, 5, supervised=1), row(1, 2, 3, 6, 7, supervised=1)]

    counts = counts_of(rows)

    # Positions 0, 1, 2 are shared; each row has position 3 of its own, which predicts; position 4 is not needed.
    assert counts == Counts(executed=5, pairs=1 + 2 + 3 + 4 + 4, predicting=2, predicting_pairs=8)
    assert row_figures(rows, ModelShape.of(tiny_llama(VOCABULARY).config, RANK))["logical"] == 10


def test_attention_is_counted_by_the_pair() -> None:
    shape = ModelShape(layers=3, width=8, query_width=8, key_width=4, inner=16, vocabulary=50, rank=2)
    counts = Counts(executed=10, pairs=55, predicting=4, predicting_pairs=34)

    trained, scored = training_flops(shape, counts), scoring_flops(shape, counts)

    pairs = 2 * 55 + 34  # in the last layer only places that predict need to look back
    assert trained.attention == 3 * scored.attention == pairs * 12 * 8
    assert scored.head * 2 == trained.head == 4 * 4 * 8 * 50
    assert scored.forward == trained.forward
    assert scored.lora == scored.input_gradient == 0


def test_a_pair_counts_its_reference() -> None:
    shape = ModelShape(layers=2, width=8, query_width=8, key_width=4, inner=16, vocabulary=50, rank=2)
    pair = PreferencePair("pair", row(1, 2, 3, 4, supervised=2), row(1, 2, 5, 6, supervised=2))

    figures = preference_figures([pair, pair], shape)

    # Positions 0 and 1 are the same in all four rows; in training each answer has its own position 1, which predicts.
    assert figures["logical"] == 16
    assert figures["reference_executed"] == 1 + 1 + 2
    assert figures["executed"] == 1 + 4 * 2
    assert figures["flops"] > training_flops(shape, counts_of([pair.chosen, pair.rejected])).total
