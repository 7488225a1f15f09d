"""Training speed, memory and first losses beside TRL's, on the same rows, taking turns in one run.

    make peer                          # once: TRL in an environment of its own, .venv-peer
    python -m benchmarks.speed         # about a quarter of an hour on two cores; writes results/speed.json
    python -m benchmarks.speed --full  # TRL with whole windows of 32 rows too; more than an hour

Both sides train the same base with the same adapter to start from, the same rows in the same order, AdamW and the same
schedule; only one of them runs at any time. Atanor takes windows of 32 rows. TRL's time a token does not depend on how
many passes make a window (results/peer_settings.json), so its windows are one pass here unless --full is given. A
figure is the median over the steps; a ratio is one of medians. PEER_PYTHON names another interpreter that has TRL,
ATANOR_BENCH the folder of the rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from atanor.compute import Architecture, has_fast_bfloat16
from atanor.models import LocalBase
from atanor.train import Order, Precision, train_dtype
from benchmarks.gemm import GemmRate, measure_gemm
from benchmarks.goals import judge, judged_lines
from benchmarks.machine import machine
from benchmarks.turns import Bench, Protocol, Training, measure, require_peer
from benchmarks.workers import WorkerFailed
from benchmarks.workloads import (
    PLAIN_CHAT,
    PREFERENCE_PAIRS,
    RANK,
    ROLE_CHAT,
    SHARED_CONTEXT,
    require_files,
    starter,
    training_items,
)

RESULTS = Path(__file__).parent / "results" / "speed.json"
WINDOW = 32
ROUNDS = 3
PROBE_ROWS, PROBE_SECONDS = 2, 45.0
_FOR_TURNS = 0.85
"""Of a workload's time; the rest is loading and the first losses."""


@dataclass(frozen=True)
class Case:
    """A workload in this figure.

    Attributes:
        rows_a_pass: rows (or pairs) of one of TRL's forward passes.
        share: of the time there is.
        orders: in which Atanor is measured.
    """

    rows_a_pass: int
    share: float
    orders: tuple[Order, ...] = (Order.SHUFFLED,)

    def training(self, name: str, base: LocalBase) -> Training:
        return Training(name, training_items(name, base), base, self.rows_a_pass, self.orders)


CASES = {
    ROLE_CHAT: Case(8, 0.28),
    PLAIN_CHAT: Case(8, 0.14),
    SHARED_CONTEXT: Case(8, 0.23, (Order.SHUFFLED, Order.BY_PREFIX)),
    PREFERENCE_PAIRS: Case(4, 0.35),
}


def fastest_mode() -> dict[str, str]:
    """TRL's fastest setting on this machine, and why it is taken for that."""
    if has_fast_bfloat16():
        return {"mode": "no-checkpoint", "because": "the processor multiplies bfloat16 in hardware"}
    return {"mode": "fp32", "because": "the processor has no bfloat16 in hardware and emulates it"}


def probe_bfloat16(base: LocalBase, folder: Path) -> dict[str, Any]:
    """TRL in bfloat16 on a few short rows: how slow it is where the processor has none."""
    bench = Bench(CASES[PLAIN_CHAT].training(PLAIN_CHAT, base), folder)
    found = {"mode": "no-checkpoint", "workload": PLAIN_CHAT, "rows": PROBE_ROWS, "limit_seconds": PROBE_SECONDS}
    with bench.peer("no-checkpoint", PROBE_ROWS, PROBE_ROWS) as worker:
        try:
            seconds = worker.ready().step(PROBE_SECONDS)["seconds"]
        except WorkerFailed as error:
            return {**found, "logical_tokens_per_second": None, "reason": str(error).splitlines()[0]}
    rate = bench.logical(PROBE_ROWS, 0) / seconds
    return {**found, "logical_tokens_per_second": round(rate, 2)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--full", action="store_true", help="whole windows of 32 rows on both sides, no limit of time")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="steps of each side")
    parser.add_argument("--window", type=int, default=WINDOW, help="rows of Atanor's step; smaller to try the script")
    parser.add_argument("--minutes", type=float, default=15.5, help="take fewer steps rather than longer")
    parser.add_argument("--mode", help="of TRL; default: the fastest on this machine")
    parser.add_argument("--no-probe", action="store_true", help="leave TRL in bfloat16 out")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if unknown := set(options.names) - set(CASES):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    return options


def main() -> None:
    options = arguments()
    names = [name for name in CASES if not options.names or name in options.names]
    require_files(names)
    require_peer()
    base = starter()
    with tempfile.TemporaryDirectory() as folder:
        document = run(options, names, base, Path(folder))
    print("\n".join(judged_lines(judge(document))))


def run(options: argparse.Namespace, names: Sequence[str], base: LocalBase, folder: Path) -> dict[str, Any]:
    """Measure the workloads one after the other; the result so far is written after each."""
    started = time.perf_counter()
    model = Architecture.of(AutoConfig.from_pretrained(base.folder))
    dtype = train_dtype(Precision.AUTO)
    rates = [measure_gemm(model, dtype)]
    chosen = {"mode": options.mode, "because": "it was asked for"} if options.mode else fastest_mode()
    document: dict[str, Any] = {
        "what": f"LoRA r{RANK} on all linear layers of {base.title}; Atanor and TRL in turns on the same rows",
        "machine": machine(),
        "peer_mode": chosen,
        "full": options.full,
    }
    if chosen["mode"] == "fp32" and not options.no_probe:
        document["bfloat16_probe"] = probe_bfloat16(base, folder)
    document["workloads"] = {}
    for number, name in enumerate(names):
        case, now = CASES[name], time.perf_counter()
        share = case.share / sum(CASES[other].share for other in names[number:])
        until = now + (started + 60 * options.minutes - now) * share * _FOR_TURNS
        protocol = Protocol(
            rounds=options.rounds,
            window=options.window,
            peer_window=options.window if options.full else case.rows_a_pass,
            mode=chosen["mode"],
            until=float("inf") if options.full else until,
        )
        document["workloads"][name] = measure(Bench(case.training(name, base), folder), protocol)
        rates.append(measure_gemm(model, dtype))
        document["gemm"] = _gemm(rates, str(dtype).removeprefix("torch."))
        document["minutes"] = round((time.perf_counter() - started) / 60, 1)
        options.out.parent.mkdir(exist_ok=True)
        options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return document


def _gemm(rates: Sequence[GemmRate], dtype: str) -> dict[str, Any]:
    """The machine's rate: the median of the readings before, between and after the workloads."""
    readings = [rate.median for rate in rates]
    return {
        "dtype": dtype,
        "flops_per_second": round(statistics.median(readings)),
        "readings": [round(reading) for reading in readings],
        "shapes": {name: round(rate) for name, rate in rates[0].shapes.items()},
    }


if __name__ == "__main__":
    main()
