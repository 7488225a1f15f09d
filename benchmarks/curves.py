"""What a token costs: seconds against sequence length, batch, shared fraction and rows.

    python -m benchmarks.curves           # about four minutes on two cores; writes results/curves.json
    python -m benchmarks.curves --full    # longer rows, larger windows, more rounds

Rows of random tokens on the starter model with LoRA, so that one thing changes at a time. The first three curves time
the gradient of one optimizer window; the last times whole training runs, from the model in memory to the adapter on
disk. Points are measured in rounds, each once a round; a figure is the median over the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoConfig

from atanor.compute import Architecture, Engine, device_name
from atanor.data import TokenRow
from atanor.models import Tuned, attach_lora, load_base
from atanor.progress import Silent
from atanor.train import Precision, TrainingJob, TrainOptions, train, train_dtype
from benchmarks.gemm import measure_gemm
from benchmarks.machine import machine
from benchmarks.ours import ALPHA, PACKAGES, SEED
from benchmarks.peers.steps import versions_of
from benchmarks.window_work import row_figures
from benchmarks.workloads import RANK, random_rows, starter

RESULTS = Path(__file__).parent / "results" / "curves.json"
ANSWER = 0.25
"""Share of a row's own tokens that is supervised."""


@dataclass
class Point:
    """One place on a curve: the rows of a window, the seconds it took, and the machine's GEMM rate right after."""

    at: float
    rows: Sequence[TokenRow]
    seconds: list[float] = field(default_factory=list)
    gemm: list[float] = field(default_factory=list)


def own(tokens: int) -> dict[str, int]:
    """A row's own part: prompt and answer."""
    answer = max(1, round(tokens * ANSWER))
    return {"prompt": tokens - answer, "answer": answer}


def window_curves(full: bool) -> dict[str, list[Point]]:
    """Curves over windows. A window of the first has at least 1,024 tokens, the engine's pass on a processor."""
    lengths = [64, 128, 256, 512, 1024, 2048, *([4096, 8192] if full else [])]
    batches = [1, 2, 4, 8, 16, *([32, 64] if full else [])]
    fractions = [0.0, 0.25, 0.5, 0.75, 0.9]
    many, long = (32, 256) if full else (8, 256)
    return {
        "sequence length": [
            Point(length, random_rows(max(1, 1024 // length), prefix=0, **own(length))) for length in lengths
        ],
        "rows of one prefix in a batch": [Point(batch, random_rows(batch, prefix=192, **own(64))) for batch in batches],
        "shared fraction": [
            Point(share, random_rows(many, prefix=round(share * long), **own(long - round(share * long))))
            for share in fractions
        ],
    }


def measure_windows(
    curves: dict[str, list[Point]], engine: Engine, model: PeftModel, rounds: int, gemm: Callable[[], float]
) -> None:
    """Time every point once a round, shortest windows of a curve first."""
    engine.backward(random_rows(1, prefix=0, **own(64)))  # loads kernels
    for number in range(rounds):
        for name, points in curves.items():
            for point in points:
                model.zero_grad(set_to_none=True)
                started = time.perf_counter()
                engine.backward(point.rows)
                if device_name() == "cuda":
                    torch.cuda.synchronize()
                point.seconds.append(time.perf_counter() - started)
                point.gemm.append(gemm())
                print(f"round {number + 1}: {name} {point.at:g}: {point.seconds[-1]:.2f} s", file=sys.stderr)


def measure_runs(tuned: Tuned, counts: Sequence[int], gemm: Callable[[], float]) -> list[Point]:
    """Whole training runs on so many rows, in windows of 16; each once, for the longest is long enough."""
    points = []
    for count in counts:
        point = Point(count, random_rows(count, prefix=0, **own(64)))
        options = TrainOptions(epochs=1, batch=16, warmup=0, validate_every=count)
        with tempfile.TemporaryDirectory() as folder:
            job = TrainingJob(
                tuned=tuned,
                training=point.rows,
                validation=(),
                options=options,
                pad=0,
                seed=SEED,
                folder=Path(folder),
                versions={},
            )
            started = time.perf_counter()
            train(job, Silent())
            point.seconds.append(time.perf_counter() - started)
        point.gemm.append(gemm())
        print(f"rows in the data {count}: {point.seconds[-1]:.2f} s", file=sys.stderr)
        points.append(point)
    return points


def document_of(point: Point, model: Architecture) -> dict[str, Any]:
    """A point as it is published."""
    figures = row_figures(point.rows, model)
    seconds = statistics.median(point.seconds)
    shares = [figures["flops"] / took / rate for took, rate in zip(point.seconds, point.gemm, strict=True)]
    return {
        "at": point.at,
        "rows": len(point.rows),
        **figures,
        "seconds": round(seconds, 4),
        "rounds": [round(value, 4) for value in point.seconds],
        "milliseconds_a_logical_token": round(1000 * seconds / figures["logical"], 4),
        "milliseconds_an_executed_token": round(1000 * seconds / figures["executed"], 4),
        "flops_per_second": round(figures["flops"] / seconds),
        "gemm_share": round(statistics.median(shares), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rounds", type=int, help="default: 2, with --full 5")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    local = starter()
    sizes = Architecture.of(AutoConfig.from_pretrained(local.folder))
    dtype = train_dtype(Precision.AUTO)
    tuned = attach_lora(load_base(local, dtype=dtype, device=device_name()), rank=RANK, alpha=ALPHA, seed=SEED)
    model = tuned.model.train()

    def gemm() -> float:
        return measure_gemm(sizes, dtype, device_name(), seconds=0.03).median

    curves = window_curves(options.full)
    rounds = options.rounds or (5 if options.full else 2)
    measure_windows(curves, Engine(model, pad=0, dtype=dtype), model, rounds, gemm)
    curves["rows in the data"] = measure_runs(tuned, [32, 64, 128, 256] if options.full else [16, 32, 64], gemm)
    document = {
        "what": f"{local.title}, LoRA r{RANK} on all linear layers, random tokens, a quarter of a row's own supervised",
        "machine": machine(),
        "versions": versions_of(PACKAGES),
        "dtype": str(dtype).removeprefix("torch."),
        "curves": {name: [document_of(point, sizes) for point in points] for name, points in curves.items()},
    }
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
