"""Optimizers and learning-rate schedules by name, and the groups of parameters they treat alike.

AdamW, Adafactor, SGD and Muon are those of torch and Transformers, AdamW of eight bits is that of bitsandbytes, and the
schedule-free one that of its authors. Lion is here because none has it. Muon is for matrices of a network's body; what
else trains goes on with AdamW under the same schedule.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from transformers import Adafactor, get_scheduler

from atanor.compute import StateSize
from atanor.errors import MissingExtraError, Problem
from atanor.train.options import OptimizerName, Schedule, TrainOptions

Named = tuple[str, nn.Parameter]

MATRIX = 2
"""Axes of a matrix."""
COOLDOWN = 0.2
"""Share of the steps over which `stable` falls at the end (Hu et al. 2024, arXiv:2404.06395, find a tenth enough)."""


STATE_SIZES: Mapping[OptimizerName, StateSize] = {
    OptimizerName.ADAMW: StateSize(kept=8, working=8),
    OptimizerName.ADAFACTOR: StateSize(kept=0.02, working=8),
    OptimizerName.SGD: StateSize(kept=4, working=0),
    OptimizerName.LION: StateSize(kept=4, working=4),
    OptimizerName.MUON: StateSize(kept=4, working=9),
    OptimizerName.SCHEDULE_FREE: StateSize(kept=8, working=4),
    OptimizerName.ADAMW_8BIT: StateSize(kept=2.03, working=20),
}
"""What each keeps of a matrix and works with, measured (`tests/train/test_optimizers.py`)."""


def build_optimizer(parameters: Iterable[Named], options: TrainOptions, rates: Mapping[str, float]) -> Optimizer:
    """The optimizer that the options name.

    Args:
        parameters: those that train, by name.
        options: rate, weight decay and which optimizer.
        rates: parts of names, and by how much the rate of parameters that have one of them is multiplied.

    Raises:
        MissingExtraError: the package that has this optimizer is not installed.
    """
    groups = _groups(list(parameters), options, rates)
    rate, betas = options.learning_rate, options.betas_in_force
    match options.optimizer:
        case OptimizerName.ADAMW:
            return torch.optim.AdamW(groups, lr=rate, betas=betas, eps=options.epsilon_in_force)
        case OptimizerName.ADAFACTOR:
            adafactor: Optimizer = Adafactor(
                groups, lr=rate, scale_parameter=False, relative_step=False, warmup_init=False
            )
            return adafactor
        case OptimizerName.SGD:
            return torch.optim.SGD(groups, lr=rate, momentum=options.momentum_in_force)
        case OptimizerName.LION:
            return Lion(groups, lr=rate, betas=betas)
        case OptimizerName.MUON:
            return _muon(groups, options)
        case OptimizerName.SCHEDULE_FREE | OptimizerName.ADAMW_8BIT:
            return _of_a_package(groups, options)


def set_training(optimizer: Optimizer, training: bool) -> None:
    """Put the weights of training, or those to be used, into the network, where an optimizer has both.

    Called before a step's gradient, and before validating and saving.
    """
    mode = getattr(optimizer, "train" if training else "eval", None)
    if callable(mode):
        mode()


def build_schedule(
    optimizer: Optimizer, options: TrainOptions, steps: int, time_share: Callable[[], float] | None = None
) -> LRScheduler:
    """The schedule that the options name over all steps of a run, as Transformers has it: a warm-up from 0, then it.

    Args:
        optimizer: whose rate it sets.
        options: which schedule, and its warm-up.
        steps: of the whole run.
        time_share: share of a run's time that is spent; where it is larger than the share of steps, the schedule is
            as far as it says.
    """
    chosen = options.schedule_in_force
    name = _SCHEDULES[chosen]
    decay = {"num_decay_steps": max(1, round(COOLDOWN * steps))} if chosen is Schedule.STABLE else None
    schedule: LRScheduler = get_scheduler(
        name,
        optimizer,
        num_warmup_steps=round(options.warmup * steps),
        num_training_steps=steps,
        scheduler_specific_kwargs=decay,
    )
    if time_share is not None:
        assert isinstance(schedule, LambdaLR)
        schedule.lr_lambdas = [_by_time(rate, steps, time_share) for rate in schedule.lr_lambdas]
    return schedule


def _by_time(rate: Callable[[int], float], steps: int, time_share: Callable[[], float]) -> Callable[[int], float]:
    return lambda step: rate(max(step, int(steps * time_share())))


_SCHEDULES: Mapping[Schedule, str] = {
    Schedule.COSINE: "cosine",
    Schedule.LINEAR: "linear",
    Schedule.CONSTANT: "constant_with_warmup",
    Schedule.INVERSE_SQUARE_ROOT: "inverse_sqrt",
    Schedule.STABLE: "warmup_stable_decay",
}


class Lion(Optimizer):
    """Lion (Chen et al. 2023, arXiv:2302.06675): every number moves by the rate, in the direction of the sign of

        c = beta1 m + (1 - beta1) g,        then m = beta2 m + (1 - beta2) g,

    and decays by rate x weight_decay. It wants a third to a tenth of AdamW's rate.
    """

    def __init__(self, groups: Sequence[dict[str, Any]], lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; see `torch.optim.Optimizer.step`."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            first, second = group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum: Tensor = state["momentum"]
                direction = momentum.lerp(parameter.grad, 1 - first).sign_()
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-group["lr"])
                momentum.lerp_(parameter.grad, 1 - second)
        return loss


class Together(Optimizer):
    """Several optimizers as one: each keeps its own parameters, and a schedule sees the groups of all."""

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self.parts = list(parts)
        super().__init__([group for part in parts for group in part.param_groups], {})

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all parts, the very same objects."""
        return [group for part in self.parts for group in part.param_groups]

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        del groups  # torch sets an empty list first; the parts have their own

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Nothing: the parts have their groups."""
        del param_group

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of each."""
        loss = None if closure is None else closure()
        for part in self.parts:
            part.step()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """See `torch.optim.Optimizer.zero_grad`."""
        for part in self.parts:
            part.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """The states of all parts, in order."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)


def _groups(parameters: Sequence[Named], options: TrainOptions, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """Parameters of one rate and one decay; only matrices decay."""
    kinds: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in parameters:
        if parameter.requires_grad:
            times = next((times for part, times in rates.items() if part in name), 1.0)
            kinds.setdefault((times, parameter.ndim >= MATRIX), []).append(parameter)
    return [
        {
            "params": members,
            "lr": options.learning_rate * times,
            "weight_decay": options.weight_decay if decays else 0.0,
        }
        for (times, decays), members in kinds.items()
    ]


def _of_a_package(groups: Sequence[dict[str, Any]], options: TrainOptions) -> Optimizer:
    """AdamW in a variant that a package of its own has."""
    schedule_free = options.optimizer is OptimizerName.SCHEDULE_FREE
    package = "schedulefree" if schedule_free else "bitsandbytes"
    if importlib.util.find_spec(package) is None:
        fix = "Run `python -m pip install 'atanor[optimizers]'`"
        problem = Problem("it is not installed", field="optimizer", value=options.optimizer.value, fix=fix)
        raise MissingExtraError(f"the optimizer `{options.optimizer}` needs the `{package}` package", [problem])
    settings = {"lr": options.learning_rate, "betas": options.betas_in_force, "eps": options.epsilon_in_force}
    if schedule_free:
        from atanor.train.schedule_free import ScheduleFree

        # All parameters in one go would take working memory of the size of all of them.
        return ScheduleFree(groups, **settings, foreach=False)
    from bitsandbytes.optim import AdamW8bit

    eight_bit: Optimizer = AdamW8bit(groups, **settings)
    return eight_bit


def _muon(groups: Sequence[dict[str, Any]], options: TrainOptions) -> Optimizer:
    """Muon on matrices with updates of AdamW's size, so that one learning rate fits both."""
    matrices = [group for group in groups if group["params"][0].ndim == MATRIX]
    others = [group for group in groups if group["params"][0].ndim != MATRIX]
    parts: list[Optimizer] = []
    if matrices:
        muon = torch.optim.Muon(
            matrices,
            lr=options.learning_rate,
            weight_decay=0.0,
            momentum=options.momentum_in_force,
            adjust_lr_fn="match_rms_adamw",
        )
        parts.append(muon)
    if others:
        parts.append(torch.optim.AdamW(others, lr=options.learning_rate))
    return parts[0] if len(parts) == 1 else Together(parts)
