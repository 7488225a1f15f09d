"""What training with any technique will take, measured on a few blocks of its base with random weights.

Of plain LoRA and of full tuning every byte is known by formula (`atanor.compute.footprint`). Of the others two networks
of the base's architecture, with its vocabulary and a few blocks each, are really trained for two steps on rows of the
run; what they allocate and how long they take is a line in the number of blocks, and the base lies further along it.
"""

from __future__ import annotations

import copy
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from atanor.compute import EmbeddingNoise, Engine, Estimate, Memory, count_window, device_name, heap_gaps
from atanor.compute.engine import TOKENS_PER_PASS
from atanor.data.rows import TokenRow
from atanor.methods.candidate import Bench
from atanor.methods.options import FullOptions, LastLayersOptions
from atanor.methods.training import Trained
from atanor.methods.tuning import TuningOptions
from atanor.models import Base, LocalBase, load_tokenizer
from atanor.train import Supervision, budget_of, train_dtype
from atanor.train.optimizers import build_optimizer, set_training
from atanor.train.windows import WindowSampler

_FEW, _BETWEEN = 2, 2
"""Blocks of the smaller probe, where a technique needs no more of them, and by how many the larger one has more."""
_TIMES, _SINGLE = 3, 4


@dataclass(frozen=True)
class Probed:
    """A base and what it is trained on.

    Attributes:
        config: of the base.
        local: its files, of which the tokenizer is read.
        context: longest sequence of the base.
        goal: of the role.
        training: rows to learn from.
        seed: of the order of rows.
        process: bytes the process holds without the base.
    """

    config: PretrainedConfig
    local: LocalBase
    context: int
    goal: str
    training: Sequence[TokenRow]
    seed: int
    process: int


class _Cost(NamedTuple):
    """Of one network.

    Attributes:
        weights: bytes of all of them, with what the technique put in.
        trained: numbers that train.
        peak: bytes above the weights.
        seconds: of training, for each token of its rows.
        executed: tokens computed for each of these.
    """

    weights: float
    trained: float
    peak: float
    seconds: float
    executed: float


def probe(method: Trained, options: TuningOptions, probed: Probed) -> Estimate:
    """Predict memory and time of a technique on this machine.

    Args:
        method: how it is put into a base.
        options: of the method.
        probed: base and rows.
    """
    few = max(_FEW, options.layers) if isinstance(options, LastLayersOptions) else _FEW
    with torch.random.fork_rng(devices=[]):  # what is drawn after the measurement stays what it was
        short, long = (_cost(method, options, probed, blocks) for blocks in (few, few + _BETWEEN))
    ahead = (int(probed.config.get_text_config().num_hidden_layers) - few) / _BETWEEN
    cost = _Cost(*(one + ahead * (other - one) for one, other in zip(short, long, strict=True)))
    budget = budget_of(probed.training, options, probed.seed)
    epoch = len(WindowSampler(probed.training, options.batch, probed.seed, options.order))
    logical = sum(len(row.tokens) for row in probed.training) * budget.steps / epoch
    seconds = logical * cost.seconds
    spent = 1.0 if budget.seconds is None else min(1.0, budget.seconds / seconds)
    trained = _SINGLE * cost.trained
    activations = max(0.0, cost.peak - trained)
    frozen = not isinstance(options, (FullOptions, LastLayersOptions))
    return Estimate(
        memory=Memory(
            process=probed.process,
            weights=round(cost.weights),
            trained=round(trained),
            activations=round(activations),
            transient=0,
            lost=round(heap_gaps(device_name(), frozen=frozen) * activations),
        ),
        seconds=spent * seconds,
        steps=round(spent * budget.steps),
        logical=round(spent * logical),
        executed=round(spent * logical * cost.executed),
        doubt=None,
    )


def _cost(method: Trained, options: TuningOptions, probed: Probed, blocks: int) -> _Cost:
    network = _network(probed.config, blocks, train_dtype(options.precision))
    base = Base(probed.local, network, load_tokenizer(probed.local), probed.context, frozenset(), "")
    rows, passes = _heaviest_pass(options, probed)
    bench = Bench(base, probed.goal, Supervision(rows), Supervision(()), probed.seed, Path(), {})
    tuned = method.attach(options, bench)
    engine = Engine(
        tuned.model,
        pad=0,
        tokens_per_pass=options.tokens_per_pass,
        dtype=train_dtype(options.precision),
        share=options.shares_prefixes,
        noise=None if options.neftune is None else EmbeddingNoise(options.neftune, probed.seed),
    )
    trained = [parameter for parameter in tuned.model.parameters() if parameter.requires_grad]
    optimizer = build_optimizer(tuned.model.named_parameters(), options, {})

    def step() -> None:
        set_training(optimizer, True)
        for _ in range(passes):  # gradients of the first are held while the second is computed
            engine.backward(rows)
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    def two_steps() -> None:  # the optimizer's state is there in the second
        step()
        step()

    peak = _peak(two_steps)
    times = [_timed(step) / passes for _ in range(_TIMES)]
    logical = sum(len(row.tokens) for row in rows)
    return _Cost(
        weights=sum(parameter.nbytes for parameter in network.parameters()),
        trained=sum(parameter.numel() for parameter in trained),
        peak=peak,
        seconds=statistics.median(times) / logical,
        executed=engine.work.executed / logical,
    )


def _network(config: PretrainedConfig, blocks: int, dtype: torch.dtype) -> PreTrainedModel:
    """The base's architecture with some blocks, weights at random."""
    smaller: Any = copy.deepcopy(config.get_text_config())
    if kinds := getattr(smaller, "layer_types", None):
        smaller.layer_types = list(itertools.islice(itertools.cycle(kinds), blocks))
    smaller.num_hidden_layers = blocks
    network: PreTrainedModel = AutoModelForCausalLM.from_config(smaller, dtype=dtype)
    return network.to(device_name()).eval().requires_grad_(False)


def _heaviest_pass(options: TuningOptions, probed: Probed) -> tuple[list[TokenRow], int]:
    """Rows of the step with the longest row that fill a pass, and 2 if the step has more than one."""
    most = options.tokens_per_pass or TOKENS_PER_PASS[device_name()]
    # The sampler puts the step of the longest row first.
    window = next(iter(WindowSampler(probed.training, options.batch, probed.seed, options.order)))
    rows = sorted((probed.training[number] for number in window), key=lambda row: -len(row.tokens))
    for number in range(1, len(rows) + 1):
        counts, _ = count_window(rows[:number], most, share=options.shares_prefixes)
        if counts.executed > most:
            return rows[: max(1, number - 1)], 2
    return rows, 1


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    if device_name() == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _peak(work: Callable[[], object]) -> int:
    """Most bytes that `work` holds above what was there before."""
    if device_name() == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        return int(torch.cuda.max_memory_allocated() - before)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    assert profiled.profiler is not None
    events = [one for one in profiled.profiler.kineto_results.events() if one.name() == "[memory]"]
    ordered = sorted(events, key=lambda one: int(one.start_ns()))
    return max([0, *itertools.accumulate(int(one.nbytes()) for one in ordered)])
