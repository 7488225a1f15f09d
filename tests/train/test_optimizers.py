"""Optimizers and schedules do what their papers say, in the groups and at the rates that are asked for."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from atanor.train import OptimizerName, Schedule, TrainOptions
from atanor.train.optimizers import Together, build_optimizer, build_schedule


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3)).double()


def step(model: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    x = torch.randn(8, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    optimizer.zero_grad()
    (model(x) - 1).square().mean().backward()
    optimizer.step()


def options(name: OptimizerName, **more: float) -> TrainOptions:
    return TrainOptions(optimizer=name, **{"learning_rate": 1e-2, **more})


@pytest.mark.parametrize("name", OptimizerName)
def test_every_optimizer_learns_and_goes_on_from_its_saved_state(name: OptimizerName) -> None:
    model = network()
    optimizer = build_optimizer(model.named_parameters(), options(name), {})
    x = torch.randn(64, 6, dtype=torch.float64)
    before = float((model(x) - 1).square().mean())
    for seed in range(10):
        step(model, optimizer, seed)
    twin = copy.deepcopy(model)
    again = build_optimizer(twin.named_parameters(), options(name), {})
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for seed in range(10, 20):
        step(model, optimizer, seed)
        step(twin, again, seed)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), twin.parameters(), strict=True))
    assert float((model(x) - 1).square().mean()) < before


def test_lion_is_the_formula_of_its_paper() -> None:
    parameter = nn.Parameter(torch.tensor([[0.5, -1.0]], dtype=torch.float64))
    optimizer = build_optimizer([("weight", parameter)], options(OptimizerName.LION, weight_decay=0.1), {})
    value, momentum = parameter.detach().clone(), torch.zeros_like(parameter)
    for gradient in ([[1.0, -2.0]], [[-30.0, 1.0]], [[0.0, 0.5]]):
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        direction = torch.sign(0.9 * momentum + 0.1 * parameter.grad)
        momentum = 0.99 * momentum + 0.01 * parameter.grad
        value = value - 1e-2 * (direction + 0.1 * value)
    assert torch.allclose(parameter, value, atol=1e-12)


def test_only_matrices_decay_and_named_parts_have_their_own_rate() -> None:
    model = network()
    built = build_optimizer(model.named_parameters(), options(OptimizerName.ADAMW, weight_decay=0.3), {"2.": 16})
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in built.param_groups
        for parameter in group["params"]
    }
    assert found == {
        "0.weight": (1e-2, 0.3),
        "0.bias": (1e-2, 0.0),
        "1.weight": (1e-2, 0.0),
        "1.bias": (1e-2, 0.0),
        "2.weight": (0.16, 0.3),
        "2.bias": (0.16, 0.0),
    }


def test_muon_takes_the_matrices_and_adamw_the_rest_under_one_schedule() -> None:
    model = network()
    built = build_optimizer(model.named_parameters(), options(OptimizerName.MUON), {})
    assert isinstance(built, Together)
    assert [type(part).__name__ for part in built.parts] == ["Muon", "AdamW"]
    axes = [{one.ndim for group in part.param_groups for one in group["params"]} for part in built.parts]
    assert axes == [{2}, {1}]
    schedule = build_schedule(built, options(OptimizerName.MUON, warmup=0), 10)
    step(model, built, 0)
    schedule.step()
    assert len({group["lr"] for part in built.parts for group in part.param_groups}) == 1
    assert built.parts[0].param_groups[0]["lr"] < 1e-2


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule.COSINE, [0.0, 0.5, 1.0, 0.5, 0.0]),
        (Schedule.LINEAR, [0.0, 0.5, 1.0, 0.5, 0.0]),
        (Schedule.CONSTANT, [0.0, 0.5, 1.0, 1.0, 1.0]),
        (Schedule.STABLE, [0.0, 0.5, 1.0, 1.0, 0.0]),
    ],
)
def test_a_schedule_warms_up_and_then_goes_its_way(schedule: Schedule, expected: list[float]) -> None:
    optimizer = build_optimizer(network().named_parameters(), options(OptimizerName.SGD), {})
    chosen = TrainOptions(learning_rate=1e-2, schedule=schedule, warmup=0.2)
    built = build_schedule(optimizer, chosen, 100)
    rates = []
    for _ in range(101):
        rates.append(optimizer.param_groups[0]["lr"] / 1e-2)
        optimizer.step()
        built.step()
    assert [rates[place] for place in (0, 10, 20, 60, 100)] == pytest.approx(expected, abs=0.01)
