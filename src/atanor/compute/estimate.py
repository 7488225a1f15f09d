"""What a training run will take, said before any weight of its model is loaded.

Memory is a sum of terms that follow from sizes and token counts (`footprint`), taken over the passes the run will
compute (`counting`), on top of what the process holds already. Time is the operations of those passes (`flops`) at a
rate measured on two random blocks of the same architecture (`measuring`). LLMem (IJCAI 2024) and xMem
(arXiv:2510.21048) predict GPU memory from the same kind of terms.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import psutil
import torch

from atanor.compute.architecture import Architecture
from atanor.compute.counting import Counts, count_window
from atanor.compute.flops import scoring_flops, training_flops
from atanor.compute.footprint import Footprint
from atanor.compute.forest import WeightedTokens
from atanor.compute.measuring import Speed, Tuning, measure_speed

_COUNTED = 64
"""Optimizer steps that are counted; they stand for the rest."""

_LOOP_SECONDS = 0.02
"""Of an optimizer step besides its computation: logging, schedule, bookkeeping."""


@dataclass(frozen=True)
class Rows:
    """What a run computes.

    Attributes:
        windows: the rows of every optimizer step of one epoch.
        steps: optimizer steps of the whole run.
        validation: rows whose loss is computed now and then.
        validations: how often.
        checked: rows of the self-check before the first step.
    """

    windows: Sequence[Sequence[WeightedTokens]]
    steps: int
    validation: Sequence[WeightedTokens] = ()
    validations: int = 0
    checked: Sequence[WeightedTokens] = ()


@dataclass(frozen=True)
class Memory:
    """Bytes at the peak: resident memory on a processor, allocated memory on a GPU.

    Attributes:
        process: interpreter, libraries and what else the process holds.
        weights: of the base.
        trained: weights of the adapter, gradients and what the optimizer keeps.
        activations: kept for backward.
        transient: the largest working memory beside them.
        lost: in the gaps of the C library's heap.
    """

    process: int
    weights: int
    trained: int
    activations: int
    transient: int
    lost: int

    @property
    def total(self) -> int:
        return sum(getattr(self, part.name) for part in fields(self))


@dataclass(frozen=True)
class Estimate:
    """What a run of training will take.

    Attributes:
        memory: at the peak.
        seconds: of training with its validations.
        steps: of the optimizer.
        logical, executed: tokens of the run as written and as computed.
        doubt: why the figures hold only roughly for this family, or None.
    """

    memory: Memory
    seconds: float
    steps: int
    logical: int
    executed: int
    doubt: str | None


def estimate_training(tuning: Tuning, rows: Rows, process: int) -> Estimate:
    """Predict memory and time of training. Takes a few seconds, most of them to measure the machine's speed.

    Args:
        tuning: what is trained, and how.
        rows: what it is trained on.
        process: bytes that the process holds without the base; see `process_bytes`.
    """
    model = Architecture.of(tuning.config)
    chosen = _chosen(rows.windows)
    counts = [count_window(window, tuning.tokens_per_pass, share=tuning.share)[0] for window in chosen]
    scale = rows.steps / len(counts)
    # The step of middle size stands for all where the machine's speed is measured.
    typical = sorted(range(len(counts)), key=lambda number: counts[number].executed)[len(counts) // 2]
    return Estimate(
        memory=predict_memory(tuning, rows, process),
        seconds=_seconds(tuning, model, counts, rows, measure_speed(tuning, chosen[typical])),
        steps=rows.steps,
        logical=round(scale * sum(count.logical for count in counts)),
        executed=round(scale * sum(count.executed for count in counts)),
        doubt=model.doubt,
    )


def predict_memory(tuning: Tuning, rows: Rows, process: int) -> Memory:
    """Memory alone, which takes no measurement."""
    model = Architecture.of(tuning.config)
    footprint = Footprint(model, tuning.rank, tuning.dtype, tuning.device, tuning.quantisation, tuning.state)
    longest = max(rows.windows, key=lambda window: max(len(row.tokens) for row in window))
    # Before it is quantised the base is there as it came, and nothing else is yet.
    whole = footprint.loaded - footprint.weights - footprint.gradients - footprint.optimizer
    moments = [(0, footprint.update()), (0, whole)]
    for window in [longest, *_chosen(rows.windows)]:
        _, passes = count_window(window, tuning.tokens_per_pass, share=tuning.share)
        moments += [footprint.activations(part, one_pass=len(passes) == 1) for part in passes]
    if rows.checked:
        width = max(len(row.tokens) for row in rows.checked)
        supervised = sum(1 for row in rows.checked for weight in row.weights[1:] if weight > 0)
        saved, transient = footprint.check(width * len(rows.checked), supervised)
        # The optimizer's moments come later.
        moments.append((saved, max(0, transient - footprint.optimizer)))
    activations, transient = max(moments, key=sum)
    return Memory(
        process=process,
        weights=footprint.weights,
        trained=footprint.adapter + footprint.gradients + footprint.optimizer,
        activations=activations,
        transient=transient,
        lost=round(heap_gaps(tuning.device, frozen=tuning.rank is not None) * activations),
    )


def heap_gaps(device: str, *, frozen: bool) -> float:
    """Share of the activations that is lost in gaps of the C library's heap, with frozen weights or without."""
    if device != "cpu" or platform.libc_ver()[0] != "glibc":
        return 0.0
    return _HEAP_GAPS if frozen else _HEAP_GAPS_FULL


_HEAP_GAPS, _HEAP_GAPS_FULL = 0.55, 0.1
"""Of the activations: glibc does not reuse a freed block for an aligned one of the same size (sourceware bug 14581), so
the working memory of one layer stays free between the activations of all. Measured by `benchmarks/estimates.py`, under
LoRA and in full tuning."""


def process_bytes(device: str) -> int:
    """What this process holds now, with the libraries of training at work; nothing where a GPU's memory counts.

    A tiny training step comes first, because libraries load much of themselves at their first use.
    """
    if device != "cpu":
        return 0
    import peft  # noqa: F401  # what a run has in memory before its weights
    import transformers.trainer  # noqa: F401

    layer = torch.nn.Linear(256, 256)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(512, 256)).sum().backward()
    optimizer.step()
    return int(psutil.Process().memory_info().rss)


def available_bytes(device: str) -> int:
    """Memory that is free now, within the limit of the container there may be."""
    if device != "cpu":
        return int(torch.cuda.mem_get_info()[0])
    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text("ascii").strip()
        used = (group / "memory.current").read_text("ascii")
    except OSError:  # no control group, or of the first version
        return free
    return free if limit == "max" else min(free, int(limit) - int(used))


def _chosen(windows: Sequence[Sequence[WeightedTokens]]) -> Sequence[Sequence[WeightedTokens]]:
    """Some of the windows, spread over the epoch."""
    return windows[:: -(-len(windows) // _COUNTED)]


def _seconds(tuning: Tuning, model: Architecture, counts: Sequence[Counts], rows: Rows, speed: Speed) -> float:
    flops = sum(training_flops(model, tuning.rank, count).total for count in counts)
    # Trunks that are computed again go forward once more.
    again = sum(count.again / max(1, count.executed) * scoring_flops(model, count).total for count in counts)
    total = (flops + again) * rows.steps / len(counts)
    if rows.validation and rows.validations:
        count, _ = count_window(rows.validation, tuning.tokens_per_pass, share=tuning.share)
        total += rows.validations * scoring_flops(model, count).total
    trained = Footprint(model, tuning.rank, tuning.dtype, tuning.device).trained
    executed = sum(count.executed for count in counts) * rows.steps / len(counts)
    step = _LOOP_SECONDS + trained * speed.step_seconds_per_number
    return total / speed.flops_per_second + executed * speed.token_seconds + rows.steps * step
