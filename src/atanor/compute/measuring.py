"""How fast this machine trains: two blocks of a model, with random weights, on some of the rows that will be trained.

The rate includes everything the formulas of `flops` leave out (attention's overhead, norms, kernels that small matrices
do not fill), on this machine, with this adapter, for rows that share as much as these do. Depth and vocabulary are
counted, so a model of any depth takes the time and memory of two of its blocks to measure.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from atanor.compute.architecture import Architecture
from atanor.compute.counting import count_window
from atanor.compute.engine import Engine
from atanor.compute.flops import training_flops
from atanor.compute.forest import WeightedTokens
from atanor.compute.precision import gemm_rate

_BLOCKS = 2
_VOCABULARY = 512
_TIMES = 3
_LONGEST = 3.0
"""Seconds that one measurement should take at most."""


@dataclass(frozen=True)
class Tuning:
    """What is trained, and how.

    Attributes:
        config: of the base.
        rank: of a LoRA on every linear layer of the blocks; None trains all weights.
        dtype: arithmetic of the linear layers.
        device: `cpu` or `cuda`.
        tokens_per_pass: most tokens of a pass.
        share: rows share their prefixes.
    """

    config: PretrainedConfig
    rank: int | None
    dtype: torch.dtype
    device: str
    tokens_per_pass: int
    share: bool = True


@dataclass(frozen=True)
class Speed:
    """Measured rates.

    Attributes:
        flops_per_second: of forward and backward, by the operations that `flops` counts.
        step_seconds_per_number: of clipping and AdamW, for each trained number.
    """

    flops_per_second: float
    step_seconds_per_number: float


@dataclass(frozen=True)
class _Row:
    tokens: tuple[int, ...]
    weights: tuple[float, ...]


def measure_speed(tuning: Tuning, rows: Sequence[WeightedTokens]) -> Speed:
    """Train two random blocks on about a pass of rows, a few times.

    Args:
        tuning: what will be trained.
        rows: of a typical optimizer step.
    """
    network = _network(tuning)
    sizes = Architecture.of(network.config)
    few = _about_a_pass(tuning, sizes, [_Row(tuple(t % _VOCABULARY for t in row.tokens), row.weights) for row in rows])
    model: PreTrainedModel | PeftModel = network
    if tuning.rank is not None:
        lora = LoraConfig(r=tuning.rank, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(network, lora)
    engine = Engine(model, pad=0, tokens_per_pass=tuning.tokens_per_pass, dtype=tuning.dtype, share=tuning.share)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained)

    def step() -> None:
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()

    seconds = _median_seconds(lambda: engine.backward(few), tuning.device)
    step_seconds = _median_seconds(step, tuning.device)
    counts, _ = count_window(few, tuning.tokens_per_pass, share=tuning.share)
    return Speed(
        flops_per_second=training_flops(sizes, tuning.rank, counts).total / seconds,
        step_seconds_per_number=step_seconds / sum(parameter.numel() for parameter in trained),
    )


def _network(tuning: Tuning) -> PreTrainedModel:
    """The base's architecture with two blocks and a small vocabulary, weights at random."""
    config: Any = copy.deepcopy(tuning.config.get_text_config())
    kinds = getattr(config, "layer_types", None)
    if kinds:
        # The commonest kinds stand for the rest: the last blocks of a hybrid are as good as any.
        config.layer_types = list(kinds[-_BLOCKS:])
    config.num_hidden_layers = min(_BLOCKS, config.num_hidden_layers)
    config.vocab_size = _VOCABULARY
    config.pad_token_id = 0
    frozen = tuning.rank is not None
    dtype = tuning.dtype if frozen else torch.float32
    network: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=dtype)
    return network.to(tuning.device).eval()


def _about_a_pass(tuning: Tuning, sizes: Architecture, rows: Sequence[_Row]) -> list[_Row]:
    """Rows, shared as they will be, that fill a pass or the time there is; at least one."""
    fast = gemm_rate(tuning.dtype) if tuning.device == "cpu" else float("inf")
    for number in range(1, len(rows) + 1):
        counts, _ = count_window(rows[:number], tuning.tokens_per_pass, share=tuning.share)
        seconds = training_flops(sizes, tuning.rank, counts).total / fast
        if counts.executed >= tuning.tokens_per_pass or seconds > _LONGEST:
            return list(rows[: max(1, number)])
    return list(rows)


def _median_seconds(work: Callable[[], object], device: str) -> float:
    """The first time loads kernels and is left out."""
    times = []
    for _ in range(1 + _TIMES):
        started = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])
