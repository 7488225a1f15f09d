"""Rows of an encoder and a decoder are computed together exactly as one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from atanor.compute import Engine, Route
from atanor.data.rows import TokenRow
from atanor.errors import ConfigurationError
from tests.tiny import tiny_bart, tiny_t5

FAMILIES: dict[str, Callable[[], Any]] = {"t5": lambda: tiny_t5(60), "bart": lambda: tiny_bart(60)}


def made_rows() -> list[TokenRow]:
    """Prompts and answers of different lengths, some with a prompt or a beginning of the answer in common."""
    made = []
    for number, (prompt, answer) in enumerate([(3, 5), (7, 2), (7, 1), (1, 9), (12, 4)]):
        tokens = (*range(5, 5 + prompt), *(20 + (place * 7 + number) % 30 for place in range(answer)))
        weights = [0.0] * prompt + [0.5 + place % 2 for place in range(answer)]
        if answer > 4:
            weights[-2] = 0.0  # a token of the answer that nobody asks for
        made.append(TokenRow(f"row{number}", tokens, tuple(weights), 1))
    return made


def plainly(model: Any, rows: Sequence[TokenRow]) -> tuple[float, list[Tensor]]:
    """Loss and gradients by Transformers' own forward from `labels`, one row at a time."""
    whole = sum(sum(row.weights[1:]) for row in rows)
    total = torch.zeros((), dtype=torch.float64)
    for row in rows:
        cut = next(place for place, weight in enumerate(row.weights) if weight)
        labels = torch.tensor([row.tokens[cut:]])
        logits = model(input_ids=torch.tensor([row.tokens[:cut]]), labels=labels).logits[0]
        nll = torch.nn.functional.cross_entropy(logits, labels[0], reduction="none")
        total = total + (nll * torch.tensor(row.weights[cut:], dtype=torch.float64)).sum() / whole
    model.zero_grad()
    total.backward()
    return float(total.detach()), gradients(model)


def gradients(model: Any) -> list[Tensor]:
    return [one.grad.clone() for one in model.parameters() if one.grad is not None]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tokens_per_pass", [16, 1024])
def test_together_is_one_at_a_time(family: str, tokens_per_pass: int) -> None:
    model = FAMILIES[family]().double()
    rows = made_rows()
    truth = plainly(model, rows)
    model.zero_grad()
    engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
    assert engine.route is Route.SEPARATE and "reads a prompt from both sides" in (engine.reason or "")
    assert engine.backward(rows) == pytest.approx(truth[0], abs=1e-12)
    for one, other in zip(gradients(model), truth[1], strict=True):
        assert float((one - other).abs().max()) <= 1e-12
    assert engine.mean_loss(rows) == pytest.approx(truth[0], abs=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_likelihoods_and_losses_of_pairs(family: str) -> None:
    model = FAMILIES[family]().double()
    rows = made_rows()
    engine = Engine(model, pad=0)
    together = dict(engine.likelihoods(rows))
    for number, row in enumerate(rows):
        ((_, alone),) = engine.likelihoods([row])
        assert together[number] == pytest.approx(alone, abs=1e-12)
    groups = [rows[:2], rows[2:4]]
    value = engine.backward_groups(groups, lambda _, nll: torch.stack([one[0] - one[1] for one in nll]).sum())
    expected = together[0] - together[1] + together[2] - together[3]
    assert value == pytest.approx(expected, abs=1e-12)


def test_dropout_is_trained_with_and_never_measured_with() -> None:
    """T5 has dropout by default. Rows share nothing, so it is no other objective than on each row alone."""
    model = tiny_t5(60, dropout=0.3).double().train()
    rows = made_rows()
    engine = Engine(model, pad=0)
    torch.manual_seed(1)
    first, second = engine.backward(rows), engine.backward(rows)
    assert first != second
    torch.manual_seed(1)
    assert engine.backward(rows) == first
    assert dict(engine.likelihoods(rows)) == dict(engine.likelihoods(rows))
    assert model.training


def test_what_needs_a_decoder_alone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be compared"):
        Engine(tiny_t5(60), pad=0).states(made_rows())
