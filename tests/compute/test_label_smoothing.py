"""Label smoothing against torch's own formula, one row at a time."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from atanor.compute import Engine, Route, total_weight
from atanor.data.rows import TokenRow
from atanor.train import OBJECTIVES, Completion
from atanor.train.objectives.options import ObjectiveChoice
from tests.compute.models import adapted, gradients, largest_error

WEIGHTS = (0.5, 1.0, 2.0)
ROWS = [
    TokenRow(str(number), (5, 6, 7, *range(8, 8 + number)), (0.0, 0.0, 0.0, *[WEIGHTS[number % 3]] * number), 1)
    for number in (3, 7, 5)
]


def plain(model: torch.nn.Module, smoothing: float) -> float:
    whole, total = total_weight(ROWS), 0.0
    for row in ROWS:
        logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0, :-1]
        targets_T = torch.tensor(row.tokens[1:])
        nll_T = functional.cross_entropy(logits_TV, targets_T, reduction="none", label_smoothing=smoothing)
        loss = (nll_T * torch.tensor(row.weights[1:], dtype=nll_T.dtype)).sum() / whole
        loss.backward()
        total += float(loss.detach())
    return total


@pytest.mark.parametrize("route", list(Route))
@pytest.mark.parametrize("whole_network", [False, True])
@pytest.mark.parametrize("tokens_per_pass", [8, 4096])
def test_loss_and_gradient_are_those_of_spread_targets(route: Route, whole_network: bool, tokens_per_pass: int) -> None:
    model = adapted(torch.float64)
    if whole_network:  # the head's own gradient
        model.get_base_model().requires_grad_(True)
    truth_loss = plain(model, 0.15)
    truth = gradients(model)
    model.zero_grad()
    engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
    engine.route = route
    assert Completion(label_smoothing=0.15).backward(engine, ROWS) == pytest.approx(truth_loss, rel=1e-12)
    assert largest_error(gradients(model), truth) <= 1e-12


def test_logits_that_the_family_changes_are_smoothed_too() -> None:
    model = adapted(torch.float64)
    engine = Engine(model, pad=0)
    engine._head._own = True
    truth = plain(model, 0.15)
    model.zero_grad()
    assert engine.backward(ROWS, 0.15) == pytest.approx(truth, rel=1e-12)


def test_validation_is_plain() -> None:
    engine = Engine(adapted(torch.float64), pad=0)
    assert Completion(label_smoothing=0.3).mean_loss(engine, ROWS) == Completion().mean_loss(engine, ROWS)


def test_the_option_reaches_the_objective() -> None:
    chosen = ObjectiveChoice.of("completion", label_smoothing=0.1)
    built = OBJECTIVES["completion"].build(chosen.options, None, None)  # type: ignore[arg-type]
    assert isinstance(built, Completion) and built.label_smoothing == 0.1
