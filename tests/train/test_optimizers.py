"""Optimizers and schedules do what their papers say, in the groups and at the rates that are asked for."""

from __future__ import annotations

import copy
import importlib.util
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from atanor.errors import MissingExtraError
from atanor.train import OptimizerName, Schedule, TrainOptions
from atanor.train.optimizers import STATE_SIZES, Together, build_optimizer, build_schedule, set_training


def network(width: int = 5, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, width), nn.LayerNorm(width), nn.Linear(width, 3)).to(dtype)


def step(model: nn.Sequential, optimizer: torch.optim.Optimizer, seed: int) -> None:
    dtype = model[0].weight.dtype
    x = torch.randn(8, 6, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    set_training(optimizer, True)
    optimizer.zero_grad()
    (model(x) - 1).square().mean().backward()
    optimizer.step()


def options(name: OptimizerName, **more: Any) -> TrainOptions:
    return TrainOptions(optimizer=name, **{"learning_rate": 1e-2, **more})


@pytest.mark.parametrize("name", OptimizerName)
def test_every_optimizer_learns_and_goes_on_from_its_saved_state(name: OptimizerName) -> None:
    # Moments of eight bits are for parameters of 4096 numbers and more, of float32 or less.
    model = network(1000, torch.float32) if name is OptimizerName.ADAMW_8BIT else network()
    optimizer = build_optimizer(model.named_parameters(), options(name), {})
    x = torch.randn(64, 6, dtype=model[0].weight.dtype)
    before = float((model(x) - 1).square().mean().detach())
    for seed in range(10):
        step(model, optimizer, seed)
    set_training(optimizer, False)
    twin = copy.deepcopy(model)
    again = build_optimizer(twin.named_parameters(), options(name), {})
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for seed in range(10, 20):
        step(model, optimizer, seed)
        step(twin, again, seed)
    set_training(optimizer, False)
    set_training(again, False)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), twin.parameters(), strict=True))
    assert float((model(x) - 1).square().mean().detach()) < before


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


def test_looking_at_the_average_changes_no_bit_of_what_schedule_free_goes_on_with() -> None:
    models = [network(), network()]
    built = [build_optimizer(model.named_parameters(), options(OptimizerName.SCHEDULE_FREE), {}) for model in models]
    for seed in range(8):
        for model, optimizer in zip(models, built, strict=True):
            step(model, optimizer, seed)
        training = models[1][0].weight.detach().clone()
        set_training(built[1], False)
        assert seed == 0 or not torch.equal(training, models[1][0].weight), "the average is what is used"
    set_training(built[1], True)
    assert all(torch.equal(one, other) for one, other in zip(*(model.parameters() for model in models), strict=True))


def test_schedule_free_uses_the_average_of_its_steps_as_the_paper_has_it() -> None:
    parameter = nn.Parameter(torch.tensor([0.5], dtype=torch.float64))
    built = build_optimizer([("w", parameter)], options(OptimizerName.SCHEDULE_FREE, betas=(0.8, 0.9)), {})
    z, x, second = 0.5, 0.5, 0.0
    for number, gradient in enumerate([1.0, -3.0, 2.0], start=1):
        set_training(built, True)
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        built.step()
        set_training(built, False)
        second = 0.9 * second + 0.1 * gradient**2
        z -= 1e-2 * gradient / ((second / (1 - 0.9**number)) ** 0.5 + 1e-8)
        x += (z - x) / number
        assert float(parameter.detach()) == pytest.approx(x, abs=1e-12)


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    tensors = [one for state in optimizer.state.values() for one in state.values() if isinstance(one, torch.Tensor)]
    # The table of values that the eight bits stand for is one, whoever refers to it.
    return sum({one.data_ptr(): one.nbytes for one in tensors}.values())


def test_eight_bit_moments_take_a_quarter_and_step_much_as_adamw() -> None:
    steps, sizes = [], []
    for name in (OptimizerName.ADAMW, OptimizerName.ADAMW_8BIT):
        model = nn.Sequential(nn.Linear(256, 512, bias=False)).float()
        torch.manual_seed(1)
        nn.init.normal_(model[0].weight)
        start = model[0].weight.detach().clone()
        built = build_optimizer(model.named_parameters(), options(name, learning_rate=1e-3), {})
        for seed in range(10):
            generator = torch.Generator().manual_seed(seed)
            model[0].weight.grad = torch.randn(512, 256, generator=generator) + 0.5 * start.sign()
            built.step()
        steps.append(model[0].weight.detach() - start)
        sizes.append(state_bytes(built))
    numbers = 256 * 512
    assert sizes[0] == pytest.approx(8 * numbers, rel=1e-3)
    assert sizes[1] < 2.1 * numbers, "a byte for each moment, and a scale for every 256"
    assert float((steps[1] - steps[0]).norm() / steps[0].norm()) < 0.05


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"optimizer": "adamw", "momentum": 0.9}, "`adamw` has no `momentum`; it is an option of `sgd` and `muon`"),
        ({"optimizer": "sgd", "betas": (0.9, 0.99)}, "`sgd` has no `betas`"),
        ({"optimizer": "lion", "epsilon": 1e-6}, "`lion` has no `epsilon`"),
        ({"optimizer": "schedule_free", "schedule": "cosine"}, "remove `schedule` or write `constant`"),
    ],
)
def test_an_option_that_the_optimizer_does_not_read_is_refused(written: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        TrainOptions(**written)


def test_betas_and_epsilon_reach_the_optimizer() -> None:
    for name in (OptimizerName.ADAMW, OptimizerName.ADAMW_8BIT, OptimizerName.SCHEDULE_FREE):
        built = build_optimizer(network().named_parameters(), options(name, betas=(0.8, 0.95), epsilon=1e-6), {})
        assert built.param_groups[0]["betas"] == (0.8, 0.95)
        assert built.param_groups[0]["eps"] == 1e-6


def test_an_optimizer_whose_package_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"`schedule_free` needs the `schedulefree` package") as missing:
        build_optimizer(network().named_parameters(), options(OptimizerName.SCHEDULE_FREE), {})
    assert "atanor[optimizers]" in str(missing.value)


def allocations(work: Callable[[], object]) -> tuple[int, int]:
    """(most bytes held at once, bytes held at the end) by what `work` allocates."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    assert profiled.profiler is not None
    events = [one for one in profiled.profiler.kineto_results.events() if one.name() == "[memory]"]
    held = list(itertools.accumulate(one.nbytes() for one in sorted(events, key=lambda one: one.start_ns())))
    return max([0, *held]), held[-1] if held else 0


@pytest.mark.parametrize("name", OptimizerName)
def test_the_memory_of_a_step_is_what_is_predicted(name: OptimizerName) -> None:
    # The network's largest weight beside many smaller ones, as an embedding beside the layers of blocks.
    parameters = [nn.Parameter(torch.ones(512, 256)), *(nn.Parameter(torch.ones(128, 128)) for _ in range(4))]
    numbers, largest = sum(one.numel() for one in parameters), 512 * 256
    built = build_optimizer([(str(n), one) for n, one in enumerate(parameters)], options(name), {})
    set_training(built, True)

    def step() -> tuple[int, int]:
        for one in parameters:
            one.grad = torch.ones_like(one)
        return allocations(built.step)

    _, kept = step()
    working, _ = step()
    predicted = STATE_SIZES[name]
    assert kept == pytest.approx(predicted.kept * numbers, rel=0.02, abs=0.03 * numbers)
    assert working == pytest.approx(predicted.working * largest, rel=0.15, abs=100)
