"""Which of TRL's settings is the fastest here, and whether its time a token depends on how a window is made.

    python -m benchmarks.peer_settings [--workload role_chat]

TRL trains on the same 32 rows with each setting: passes of 8 rows or of 2, windows of one pass or of four, float32 or
what TRL's documentation gives. The rate is that of all 32 rows; a setting that takes too long is stopped and said.
Writes results/peer_settings.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atanor.models import LocalBase
from benchmarks.machine import machine
from benchmarks.turns import Bench, Training, require_peer
from benchmarks.workers import WorkerFailed
from benchmarks.workloads import PLAIN_CHAT, conversations, require_files, starter

RESULTS = Path(__file__).parent / "results" / "peer_settings.json"
ROWS = 32


@dataclass(frozen=True)
class Setting:
    """How TRL is set."""

    mode: str
    rows_a_pass: int
    window: int


SETTINGS = (
    Setting("fp32", 8, 8),
    Setting("fp32", 2, 8),
    Setting("fp32", 8, 32),
    Setting("no-checkpoint", 8, 8),
    Setting("default", 8, 8),
)


def measure(bench: Bench, setting: Setting, rows: int, limit: float) -> dict[str, Any]:
    """Train on the first `rows` rows."""
    found: dict[str, Any] = {"mode": setting.mode, "rows_a_pass": setting.rows_a_pass, "rows_a_step": setting.window}
    until = time.perf_counter() + limit
    with bench.peer(setting.mode, setting.window, setting.rows_a_pass) as worker:
        worker.ready()
        try:
            for _ in range(max(1, rows // setting.window)):
                bench.tell(worker, worker.step(until - time.perf_counter()))
        except WorkerFailed as error:
            reason = str(error).splitlines()[0]
            return {**found, "logical_tokens_per_second": None, "reason": f"{len(worker.steps)} steps done; {reason}"}
        tokens = sum(bench.logical(setting.window, number) for number in range(len(worker.steps)))
        seconds = sum(step["seconds"] for step in worker.steps)
        memory = max(step["peak_memory_bytes"] for step in worker.steps)
        about = {"versions": worker.about["versions"], "threads": worker.about["threads"]}
    return {
        **found,
        "logical_tokens_per_second": round(tokens / seconds, 2),
        "seconds": round(seconds, 2),
        "peak_memory_bytes": memory,
        **about,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", default=PLAIN_CHAT)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--limit", type=float, default=240.0, help="most seconds a setting gets")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    require_files([options.workload])
    require_peer()
    base: LocalBase = starter()
    training = Training(options.workload, conversations(options.workload, base), base, 8)
    document: dict[str, Any] = {
        "what": f"TRL SFT on the same {options.rows} rows of {options.workload} with each setting",
        "machine": machine(),
        "settings": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(training, Path(folder))
        for setting in SETTINGS:
            print(f"{setting}", file=sys.stderr)
            document["settings"].append(measure(bench, setting, options.rows, options.limit))
            options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
