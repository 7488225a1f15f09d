"""Preference pairs against the formula computed one answer at a time, and the order of rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from atanor.compute import Engine, Route
from atanor.data import PreferencePair, TokenRow
from atanor.models import Adapter
from atanor.progress import Silent
from atanor.train import DirectPreference, Order, TrainingJob, TrainOptions, train
from atanor.train.run import rows_to_check
from atanor.train.windows import WindowSampler
from tests.compute.models import adapted, gradients, largest_error
from tests.train.jobs import job, tiny_base


def pairs(count: int = 5) -> list[PreferencePair]:
    """One system prompt, questions of which two are equal, answers that begin alike."""
    generator = torch.Generator().manual_seed(2)

    def draw(size: int) -> tuple[int, ...]:
        return tuple(torch.randint(3, 60, (size,), generator=generator).tolist())

    system, question = draw(12), draw(4)
    made = []
    for number in range(count):
        question = question if number == 1 else draw(4)
        start = draw(2)
        answers = [start + draw(3 + number % 2), start + draw(5)]
        rows = [
            TokenRow(f"{number}.{side}", system + question + answer, (0.0,) * 16 + (1.0,) * len(answer), 1)
            for side, answer in enumerate(answers)
        ]
        made.append(PreferencePair(str(number), *rows))
    return made


def plain_dpo(model: torch.nn.Module, window: list[PreferencePair], beta: float) -> float:
    """The paper's formula, a forward pass an answer."""

    def log_likelihood(row: TokenRow) -> torch.Tensor:
        logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0]
        nll_T = torch.nn.functional.cross_entropy(logits_TV[:-1], torch.tensor(row.tokens[1:]), reduction="none")
        return -(nll_T * torch.tensor(row.weights[1:], dtype=nll_T.dtype)).sum()

    losses = []
    for pair in window:
        with torch.no_grad(), model.disable_adapter():
            reference = log_likelihood(pair.chosen) - log_likelihood(pair.rejected)
        policy = log_likelihood(pair.chosen) - log_likelihood(pair.rejected)
        losses.append(-torch.nn.functional.logsigmoid(beta * (policy - reference)))
    loss = torch.stack(losses).mean()
    loss.backward()
    return float(loss.detach())


@pytest.mark.parametrize("tokens_per_pass", [8, 30, 4096])
@pytest.mark.parametrize("route", [Route.FOREST, Route.SEPARATE])
def test_preference_loss_and_gradient_are_those_of_the_formula(tokens_per_pass: int, route: Route) -> None:
    model, window = adapted(torch.float64), pairs()
    truth_loss = plain_dpo(model, window, beta=0.3)
    truth = gradients(model)
    model.zero_grad()
    engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
    engine.route = route
    objective = DirectPreference(Adapter(model), beta=0.3)
    assert objective.backward(engine, window) == pytest.approx(truth_loss, rel=1e-12)
    assert largest_error(gradients(model), truth) <= 1e-12
    assert objective.mean_loss(engine, window) == pytest.approx(truth_loss, rel=1e-12)
    if route is Route.FOREST:
        assert engine.work.executed < 0.6 * engine.work.logical, "the prompts were shared"


def test_training_on_preferences_widens_the_margin(tiny_base_folder: Path, tmp_path: Path) -> None:
    start = job(tiny_base(tiny_base_folder), tmp_path, TrainOptions(epochs=6, batch=2, learning_rate=1e-2, patience=0))
    preferences = TrainingJob(
        **{
            **start.__dict__,
            "training": pairs()[:4],
            "validation": pairs()[4:],
            "objective": DirectPreference(start.tuned),
        }
    )
    result = train(preferences, Silent())
    assert result.train_loss[0][1] == pytest.approx(0.6931, abs=1e-3), "log 2: the adapter starts as its reference"
    assert result.train_loss[-1][1] < 0.65
    assert result.logical_tokens == 6 * sum(len(p.chosen.tokens) + len(p.rejected.tokens) for p in pairs()[:4])


def prefixed_rows() -> list[TokenRow]:
    return [
        TokenRow(f"{prefix}.{n}", (prefix,) * 9 + (40 + n,), (0.0,) * 9 + (1.0,), 1)
        for n in range(8)
        for prefix in (5, 6, 7)
    ]


def test_by_prefix_keeps_rows_of_one_prefix_in_one_step_and_draws_anew_every_epoch() -> None:
    rows = prefixed_rows()
    sampler = WindowSampler(rows, 4, seed=3, order=Order.BY_PREFIX)
    epochs = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        windows = list(sampler)
        assert sorted(number for window in windows for number in window) == list(range(24)), "every row once"
        assert all(len({rows[number].tokens[0] for number in window}) == 1 for window in windows)
        epochs.append(windows)
    assert epochs[0] != epochs[1]
    assert {frozenset(window) for window in epochs[0]} != {frozenset(window) for window in epochs[1]}
    sampler.set_epoch(0)
    assert list(sampler) == epochs[0], "a resumed run sees the same order"


def test_shuffled_mixes_prefixes() -> None:
    rows = prefixed_rows()
    windows = list(WindowSampler(rows, 4, seed=3))
    assert any(len({rows[number].tokens[0] for number in window}) > 1 for window in windows)


@pytest.mark.parametrize("order", list(Order))
def test_the_window_of_the_longest_row_is_the_first_of_a_run(order: Order) -> None:
    rows = prefixed_rows()
    rows[13] = replace(rows[13], tokens=(*rows[13].tokens, *range(40)), weights=(*rows[13].weights, *(0.0,) * 40))
    sampler = WindowSampler(rows, 4, seed=3, order=order)
    windows = list(sampler)
    assert 13 in windows[0], "a lack of memory shows in the first step"
    assert sorted(number for window in windows for number in window) == list(range(24))


def test_the_self_check_never_takes_more_than_half_a_pass() -> None:
    rows = [
        TokenRow(str(number), tuple(range(5, 505)), (0.0,) * (400 + number) + (1.0,) * (100 - number), 1)
        for number in range(3)
    ]
    checked = rows_to_check(rows, tokens_per_pass=64)
    assert [len(row.tokens) for row in checked] == [16, 16]
    assert all(row.supervised for row in checked)
    assert checked[0].tokens == checked[1].tokens, "what the rows have in common stays in common"
