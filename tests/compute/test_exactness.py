"""The fast core against the plain computation: one example at a time through the model's own forward."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atanor.compute import Engine, Route, total_weight
from atanor.data.rows import TokenRow
from tests.compute.models import (
    FAMILIES,
    RECURRENT,
    adapted,
    engine_gradients,
    gradients,
    largest_error,
    plain_gradients,
    windows,
    with_adapter,
)

slowly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slowly
@given(
    rows=windows(),
    tokens_per_pass=st.sampled_from([1, 5, 13, 40, 4096]),
    heads=st.sampled_from([(4, 4), (4, 2), (4, 1), (8, 2)]),
    share=st.booleans(),
    copied=st.integers(0, 5),
)
def test_loss_and_every_adapter_gradient_equal_one_example_at_a_time(
    rows: list[TokenRow], tokens_per_pass: int, heads: tuple[int, int], share: bool, copied: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("atanor.compute.engine.worth_copying", lambda _: copied)
        _compare_with_one_example_at_a_time(rows, tokens_per_pass, heads, share)


def _compare_with_one_example_at_a_time(
    rows: list[TokenRow], tokens_per_pass: int, heads: tuple[int, int], share: bool
) -> None:
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        model = adapted(dtype, heads=heads)
        truth_loss, truth = plain_gradients(model, rows)
        engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass, share=share)
        assert engine.route is Route.FOREST
        loss, ours = engine_gradients(engine, model, rows)
        assert len(truth) == 28, "two layers x seven linear layers x two factors"
        assert abs(loss - truth_loss) <= tolerance * max(1.0, abs(truth_loss))
        assert largest_error(ours, truth) <= tolerance
        assert engine.mean_loss(rows) == pytest.approx(truth_loss, rel=10 * tolerance)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tokens_per_pass", [9, 4096])
def test_every_family_shares_prefixes_exactly(family: str, tokens_per_pass: int) -> None:
    generator = torch.Generator().manual_seed(4)
    stem = torch.randint(3, 60, (17,), generator=generator).tolist()
    rows = []
    for number in range(5):
        tail = torch.randint(3, 60, (6 + number % 3,), generator=generator).tolist()
        tokens = (*stem[: 17 - 4 * (number % 2)], *tail)
        rows.append(TokenRow(str(number), tokens, (0.0,) * (len(tokens) - 5) + (1.0,) * 5, 1))
    model = adapted(torch.float32, family)
    truth_loss, truth = plain_gradients(model, rows)
    engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
    assert engine.self_check(rows[:2]) < 1e-4
    assert engine.route is Route.FOREST
    loss, ours = engine_gradients(engine, model, rows)
    assert engine.work.executed < engine.work.logical / 1.5, "prefixes were shared"
    assert loss == pytest.approx(truth_loss, rel=1e-5)
    assert largest_error(ours, truth) <= 2e-5


def test_a_family_with_recurrent_layers_keeps_its_rows_apart_and_says_why() -> None:
    torch.manual_seed(0)
    model = with_adapter(RECURRENT(), torch.float32)
    rows = [TokenRow("a", (5, 6, 7, 8, 9), (0, 0, 1, 1, 1), 1), TokenRow("b", (5, 6, 7, 9), (0, 0, 0, 1), 1)]
    engine = Engine(model, pad=0)
    assert engine.route is Route.SEPARATE
    assert engine.reason == "its layers of type conv carry state from one row into the next"
    truth_loss, truth = plain_gradients(model, rows)
    loss, ours = engine_gradients(engine, model, rows)
    assert loss == pytest.approx(truth_loss, rel=1e-5)
    assert largest_error(ours, truth) <= 1e-5


@slowly
@given(rows=windows(), tokens_per_pass=st.sampled_from([3, 17, 4096]))
def test_likelihoods_of_rows_are_those_of_each_row_alone(rows: list[TokenRow], tokens_per_pass: int) -> None:
    model = adapted(torch.float64)
    engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
    for number, nll in engine.likelihoods(rows):
        row = rows[number]
        logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0]
        nll_T = torch.nn.functional.cross_entropy(logits_TV[:-1], torch.tensor(row.tokens[1:]), reduction="none")
        supervised = torch.tensor([weight > 0 for weight in row.weights[1:]])
        assert nll == pytest.approx(float(nll_T[supervised].detach().sum()), rel=1e-11, abs=1e-12)


def _pair_loss(numbers: list[int], nll: list[torch.Tensor]) -> torch.Tensor:
    """Bends the likelihoods of a group's rows, differently for every group."""
    return torch.stack(
        [
            torch.nn.functional.softplus(0.1 * (part * torch.arange(1.0, len(part) + 1)).sum() - number)
            for number, part in zip(numbers, nll, strict=True)
        ]
    ).sum()


@slowly
@given(
    rows=windows(most=8),
    size=st.sampled_from([1, 2, 3]),
    tokens_per_pass=st.sampled_from([1, 7, 25, 4096]),
)
def test_a_loss_of_the_likelihoods_of_groups_has_its_true_gradient(
    rows: list[TokenRow], size: int, tokens_per_pass: int
) -> None:
    rows = [TokenRow(row.example_id, row.tokens, (*row.weights[:-1], 1.0), 1) for row in rows]
    groups = [rows[start : start + size] for start in range(0, len(rows), size)]
    model = adapted(torch.float64)
    truth_loss = 0.0
    for number, group in enumerate(groups):
        likelihoods = []
        for row in group:
            logits_TV = model(input_ids=torch.tensor([row.tokens])).logits[0]
            nll_T = torch.nn.functional.cross_entropy(logits_TV[:-1], torch.tensor(row.tokens[1:]), reduction="none")
            likelihoods.append(nll_T[torch.tensor([weight > 0 for weight in row.weights[1:]])].sum())
        part = _pair_loss([number], [torch.stack(likelihoods)])
        part.backward()
        truth_loss += float(part.detach())
    truth = gradients(model)
    model.zero_grad()
    engine = Engine(model, pad=0, tokens_per_pass=tokens_per_pass)
    loss = engine.backward_groups(groups, _pair_loss)
    assert loss == pytest.approx(truth_loss, rel=1e-12)
    assert largest_error(gradients(model), truth) <= 1e-12


def test_full_tuning_has_the_true_gradient_too() -> None:
    torch.manual_seed(0)
    network = FAMILIES["llama"]().double()
    rows = [
        TokenRow("a", (5, 6, 7, 8, 9, 10), (0, 0, 0, 1, 1, 1), 1),
        TokenRow("b", (5, 6, 7, 9, 4), (0, 0, 0, 1, 2), 1),
    ]
    truth_loss, truth = plain_gradients(network, rows)
    engine = Engine(network, pad=0, tokens_per_pass=4)
    network.zero_grad()
    loss = engine.backward(rows)
    assert loss == pytest.approx(truth_loss, rel=1e-6)
    assert largest_error(gradients(network), truth) <= 1e-6, "the norms of Transformers round to float32"


def test_bfloat16_errs_no_more_than_the_unoptimised_bfloat16_path() -> None:
    """Both compared with the float64 truth, not with each other."""
    errors: dict[str, list[float]] = {"ours": [], "plain": []}
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        stem = torch.randint(3, 60, (40,), generator=generator).tolist()
        rows = []
        for number in range(6):
            tail = torch.randint(3, 60, (20,), generator=generator).tolist()
            rows.append(TokenRow(str(number), (*stem, *tail), (0.0,) * 45 + (1.0,) * 15, 1))
        _, truth = plain_gradients(adapted(torch.float64), rows)
        narrow = adapted(torch.float32)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            _, plain = plain_gradients(narrow, rows)
        _, ours = engine_gradients(Engine(narrow, pad=0, dtype=torch.bfloat16), narrow, rows)
        for name, found in (("ours", ours), ("plain", plain)):
            square = sum(float((found[key].double() - truth[key]).pow(2).sum()) for key in truth)
            errors[name].append(square**0.5)
    assert sum(errors["ours"]) <= 1.5 * sum(errors["plain"])


def test_twenty_optimizer_steps_stay_together() -> None:
    window = [
        TokenRow(str(n), (5, 6, 7, 8, 9 + n, 20 + n, 30 - n), (0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0), 1) for n in range(8)
    ]
    trajectories = []
    for ours in (False, True):
        model = adapted(torch.float64)
        engine = Engine(model, pad=0, tokens_per_pass=6)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=1e-2)
        for _ in range(20):
            optimizer.zero_grad()
            if ours:
                engine.backward(window)
            else:
                plain_gradients(model, window)
            optimizer.step()
        trajectories.append(torch.cat([parameter.detach().flatten() for parameter in trained]))
    plain, fast = trajectories
    assert float((plain - fast).norm() / plain.norm()) < 1e-10


def test_loss_equals_the_one_transformers_computes() -> None:
    model = adapted(torch.float32)
    rows = [TokenRow("a", tuple(range(5, 17)), (0.0,) * 6 + (1.0,) * 6, 1), TokenRow("b", (7, 8, 9), (0, 0, 1), 1)]
    labels = [[-100] * 6 + list(range(11, 17)), [-100, -100, 9] + [-100] * 9]
    inputs = [list(range(5, 17)), [7, 8, 9] + [2] * 9]
    theirs = model(input_ids=torch.tensor(inputs), labels=torch.tensor(labels)).loss
    assert Engine(model, pad=0).backward(rows) == pytest.approx(float(theirs.detach()), rel=1e-6)
    assert total_weight(rows) == 7


def test_a_bfloat16_base_is_scored_without_an_adapter_too() -> None:
    torch.manual_seed(0)
    network = FAMILIES["llama"]().bfloat16().requires_grad_(False)
    row = TokenRow("a", (5, 6, 7, 8, 9, 10), (0, 0, 0, 1, 1, 1), 1)
    logits_TV = network(input_ids=torch.tensor([row.tokens])).logits[0].float()
    truth = torch.nn.functional.cross_entropy(logits_TV[2:5], torch.tensor(row.tokens[3:]))
    assert Engine(network, pad=0).mean_loss([row]) == pytest.approx(float(truth), rel=2e-2)
