"""How fast this machine trains: a few blocks of a model, with random weights, on some of the rows that will be trained.

The rate includes everything the formulas of `flops` leave out (attention's overhead, norms, kernels that small matrices
do not fill), on this machine, with this adapter, for rows that share as much as these do. Two depths are measured, so
that what a block takes is told from what a token takes whatever the depth; a model of any depth then takes the time and
memory of the few blocks to measure.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from atanor.compute.architecture import Architecture
from atanor.compute.counting import count_window
from atanor.compute.engine import Engine
from atanor.compute.flops import training_flops
from atanor.compute.footprint import StateSize
from atanor.compute.forest import WeightedTokens
from atanor.compute.precision import gemm_rate
from atanor.models import Quantisation, quantise

_FEW, _MORE = 1, 3
"""Blocks of the two depths."""

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
        quantisation: of the frozen linear layers, or None.
        state: of the optimizer.
    """

    config: PretrainedConfig
    rank: int | None
    dtype: torch.dtype
    device: str
    tokens_per_pass: int
    share: bool = True
    quantisation: Quantisation | None = None
    state: StateSize = field(default_factory=StateSize)


@dataclass(frozen=True)
class Speed:
    """Measured rates.

    Attributes:
        flops_per_second: of forward and backward, by the operations that `flops` counts.
        token_seconds: of an executed token besides, whatever the depth.
        step_seconds_per_number: of clipping and AdamW, for each trained number.
    """

    flops_per_second: float
    token_seconds: float
    step_seconds_per_number: float


@dataclass(frozen=True)
class _Row:
    tokens: tuple[int, ...]
    weights: tuple[float, ...]


class _Probe:
    """A network of some blocks with random weights, trained on a few rows."""

    def __init__(self, tuning: Tuning, blocks: int) -> None:
        network = _network(tuning, blocks)
        self.sizes = Architecture.of(network.config)
        self.tuning = tuning
        self.model: PreTrainedModel | PeftModel = network
        if tuning.quantisation is not None:
            quantise(network, tuning.quantisation)
        if tuning.rank is not None:
            lora = LoraConfig(r=tuning.rank, target_modules="all-linear", task_type="CAUSAL_LM")
            self.model = get_peft_model(network, lora)
        self.engine = Engine(
            self.model, pad=0, tokens_per_pass=tuning.tokens_per_pass, dtype=tuning.dtype, share=tuning.share
        )
        self.trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained)

    def seconds(self, rows: Sequence[WeightedTokens]) -> float:
        """Of forward and backward."""
        return self._timed(lambda: self.engine.backward(rows))

    def step_seconds(self) -> float:
        """Of clipping and AdamW."""

        def step() -> None:
            nn.utils.clip_grad_norm_(self.trained, 1.0)
            self.optimizer.step()

        return self._timed(step)

    def _timed(self, work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        if self.tuning.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started


def measure_speed(tuning: Tuning, rows: Sequence[WeightedTokens]) -> Speed:
    """Train random blocks on about a pass of rows, a few times in turns.

    Args:
        tuning: what will be trained.
        rows: of a typical optimizer step.
    """
    with torch.random.fork_rng(devices=[]):  # what is drawn after the measurement stays what it was
        few, more = _Probe(tuning, _FEW), _Probe(tuning, _MORE)
    tokens = [_Row(tuple(token % _VOCABULARY for token in row.tokens), row.weights) for row in rows]
    chosen = _about_a_pass(tuning, more.sizes, tokens)
    counts, _ = count_window(chosen, tuning.tokens_per_pass, share=tuning.share)
    # The first of each loads kernels.
    times = [(few.seconds(chosen), more.seconds(chosen), more.step_seconds()) for _ in range(1 + _TIMES)][1:]
    short, long, step = (statistics.median(column) for column in zip(*times, strict=True))
    flops, whole = (training_flops(probe.sizes, tuning.rank, counts).total for probe in (few, more))
    rate = (whole - flops) / (long - short) if long > short else whole / long
    return Speed(
        flops_per_second=rate,
        token_seconds=max(0.0, long - whole / rate) / counts.executed,
        step_seconds_per_number=step / sum(parameter.numel() for parameter in more.trained),
    )


def _network(tuning: Tuning, blocks: int) -> PreTrainedModel:
    """The base's architecture with some blocks and a small vocabulary, weights at random."""
    config: Any = copy.deepcopy(tuning.config.get_text_config())
    kinds = getattr(config, "layer_types", None)
    if kinds:
        # The last blocks of a hybrid are as good as any.
        config.layer_types = list(kinds[-blocks:])
    config.num_hidden_layers = min(blocks, config.num_hidden_layers)
    config.vocab_size = _VOCABULARY
    config.pad_token_id = 0
    dtype = torch.float32 if tuning.rank is None else tuning.dtype
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
