"""One workload, trained by Atanor and by TRL in turns: a step of one, a step of the other, never both at once."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atanor.data import PreferencePair
from atanor.models import LocalBase
from atanor.train import Order, TrainingItem
from atanor.train.windows import WindowSampler
from benchmarks.ours import SEED
from benchmarks.workers import Worker
from benchmarks.workloads import write_items

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "peers"
PEER_PYTHON = os.environ.get("PEER_PYTHON", str(ROOT / ".venv-peer" / "bin" / "python"))
ANSWER_SECONDS = 1800.0


@dataclass(frozen=True)
class Training:
    """What both sides train, and how TRL does it.

    Attributes:
        name: of the workload.
        items: rows, or preference pairs.
        base: the base.
        rows_a_pass: rows (or pairs) of one of TRL's forward passes.
        orders: Atanor is measured with each; what it is compared with is TRL on shuffled rows.
    """

    name: str
    items: Sequence[TrainingItem]
    base: LocalBase
    rows_a_pass: int
    orders: tuple[Order, ...] = (Order.SHUFFLED,)

    @property
    def preference(self) -> bool:
        return isinstance(self.items[0], PreferencePair)

    @property
    def learning_rate(self) -> float:
        return 5e-5 if self.preference else 2e-4


@dataclass(frozen=True)
class Protocol:
    """How a run measures.

    Attributes:
        rounds: turns of each side.
        window: rows of Atanor's optimizer step.
        peer_window: rows of TRL's.
        mode: of TRL.
        until: no round begins that would end after this reading of the clock.
        unmeasured: first steps that the medians leave out, where kernels are compiled during them.
    """

    rounds: int
    window: int
    peer_window: int
    mode: str
    until: float = float("inf")
    unmeasured: int = 0


class Bench:
    """A training's rows on disk, and the processes of both sides.

    Args:
        training: what is trained.
        folder: receives rows, logs and the adapter that both sides start from.
    """

    def __init__(self, training: Training, folder: Path) -> None:
        self.training = training
        self.folder = folder
        write_items(self._file("rows"), training.items)

    def ours(self, order: Order, window: int) -> Worker:
        command = [
            *(sys.executable, "-m", "benchmarks.ours", "--model", str(self.training.base.reference)),
            *("--rows", str(self._file("rows")), "--order", order, "--batch", str(window)),
            *("--objective", "preference" if self.training.preference else "completion"),
            *("--learning-rate", str(self.training.learning_rate), "--save-start", str(self._start)),
        ]
        return Worker(f"Atanor, {order}", command, self._log(f"atanor-{order}-{window}"), ANSWER_SECONDS)

    def peer(self, mode: str, window: int, rows_a_pass: int | None = None) -> Worker:
        """Started after one of ours was ready, it begins with the same adapter; else with its own."""
        rows_a_pass = rows_a_pass or self.training.rows_a_pass
        script = "trl_dpo.py" if self.training.preference else "trl_sft.py"
        rows = self._file(f"rows-by-{window}")
        write_items(rows, [item for step in self._windows(window) for item in step])
        command = [
            *(PEER_PYTHON, str(PEERS / script), "--model", str(self.training.base.folder), "--mode", mode),
            *("--rows", str(rows), "--learning-rate", str(self.training.learning_rate)),
            *("--batch", str(rows_a_pass), "--accumulate", str(window // rows_a_pass)),
            *(("--adapter", str(self._start)) if self._start.is_dir() else ()),
        ]
        return Worker(f"TRL, {mode}", command, self._log(f"trl-{mode}-{window}"), ANSWER_SECONDS)

    def logical(self, window: int, number: int) -> int:
        """Tokens of a window of shuffled rows."""
        return sum(_tokens(item) for item in self._windows(window)[number])

    def _windows(self, size: int) -> list[list[TrainingItem]]:
        """The rows of each of Atanor's steps, which TRL takes in the same order."""
        items = self.training.items
        return [[items[number] for number in window] for window in WindowSampler(items, size, SEED)]

    def tell(self, worker: Worker, step: dict[str, Any]) -> None:
        loss, seconds = step["loss"], step["seconds"]
        name = f"{self.training.name}: {worker.name}"
        print(f"{name}: step {step['step']}: {seconds:.1f} s, loss {loss:.4f}", file=sys.stderr)

    def _file(self, what: str) -> Path:
        return self.folder / f"{self.training.name}-{what}.jsonl"

    def _log(self, who: str) -> Path:
        return self.folder / f"{self.training.name}-{who}.log"

    @property
    def _start(self) -> Path:
        return self.folder / f"{self.training.name}-start"


def measure(bench: Bench, protocol: Protocol) -> dict[str, Any]:
    """Take turns, then compare the first losses."""
    with ExitStack() as stack:
        ours = {
            order: stack.enter_context(bench.ours(order, protocol.window)).ready() for order in bench.training.orders
        }
        peer = stack.enter_context(bench.peer(protocol.mode, protocol.peer_window)).ready()
        _take_turns(bench, protocol, [peer, *ours.values()])
    for number, step in enumerate(peer.steps):
        step["logical"] = bench.logical(protocol.peer_window, number)
    same = ours[Order.SHUFFLED]
    if protocol.peer_window != protocol.window:
        with bench.ours(Order.SHUFFLED, protocol.peer_window).ready() as same:
            for _ in peer.steps:
                bench.tell(same, same.step())
    return {
        "rows_a_step": {"atanor": protocol.window, "peer": protocol.peer_window},
        "peer": leg(peer, protocol.unmeasured),
        **{f"atanor_{order}": leg(worker, protocol.unmeasured) for order, worker in ours.items()},
        "first_losses": {
            "rows_a_step": protocol.peer_window,
            "atanor": [step["loss"] for step in same.steps[: len(peer.steps)]],
            "peer": [step["loss"] for step in peer.steps],
        },
    }


def leg(worker: Worker, unmeasured: int = 0) -> dict[str, Any]:
    """What is kept of one worker: what it said of itself, its steps and their medians."""
    measured = worker.steps[unmeasured:]

    def median(of: str) -> float:
        return float(statistics.median(step[of] / step["seconds"] for step in measured))

    found = {
        **worker.about,
        "logical_tokens_per_second": round(median("logical"), 2),
        "peak_memory_bytes": max(step["peak_memory_bytes"] for step in worker.steps),
        # What others on the machine left it: a figure from a busy machine is no figure.
        "processor_share": round(median("processor_seconds") / worker.about["threads"], 3),
        "steps": worker.steps,
    }
    if "gpu_memory_bytes" in worker.steps[0]:
        found["peak_gpu_memory_bytes"] = max(step["gpu_memory_bytes"] for step in worker.steps)
    if "executed" in worker.steps[0]:
        found["executed_tokens_per_second"] = round(median("executed"), 2)
        found["flops_per_second"] = round(median("flops"))
        shares = [step["flops"] / step["seconds"] / step["gemm_flops_per_second"] for step in measured]
        found["gemm_share"] = round(statistics.median(shares), 4)
    return found


def require_peer() -> None:
    """Say that TRL is missing before anything is measured."""
    if not Path(PEER_PYTHON).is_file():
        raise SystemExit(f"{PEER_PYTHON} is not there; `make peer` sets it up, or name another in PEER_PYTHON")


def _take_turns(bench: Bench, protocol: Protocol, workers: Sequence[Worker]) -> None:
    """Rounds in which every worker does a step, while there is time."""
    seconds = 0.0
    for number in range(protocol.rounds):
        if number and time.perf_counter() + seconds > protocol.until:
            print(f"{bench.training.name}: {number} rounds; no time for more", file=sys.stderr)
            return
        started = time.perf_counter()
        for worker in workers:
            bench.tell(worker, worker.step())
        seconds = time.perf_counter() - started


def _tokens(item: Any) -> int:
    if isinstance(item, PreferencePair):
        return len(item.chosen.tokens) + len(item.rejected.tokens)
    return len(item.tokens)
