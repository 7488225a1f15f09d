"""Peak memory that is predicted for every technique and optimizer beside what training takes.

    python -m benchmarks.technique_memory     # some minutes; writes results/technique_memory.json

Every setting is a process of its own, as a run is: it predicts as `atanor estimate` does, then loads the starter model
and trains three steps on random rows. Measured is the most that the process ever held.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from atanor.compute import process_bytes
from atanor.data import TokenRow
from atanor.methods import METHODS, Bench
from atanor.models import config_of, load_base
from atanor.progress import Silent
from atanor.project.estimating import Prepared, predict
from atanor.project.options import MethodChoice
from atanor.train import Supervision
from benchmarks.machine import machine
from benchmarks.workloads import starter

RESULTS = Path(__file__).parent / "results" / "technique_memory.json"
GOAL = "Answer in one sentence."
ALWAYS = {"batch": 8, "max_steps": 3, "precision": "exact", "patience": 0}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("lora", {}),
    ("lora", {"optimizer": "adamw_8bit"}),
    ("lora", {"dora": True}),
    ("lora", {"targets": ["q_proj", "v_proj"]}),
    ("lora", {"neftune": 5}),
    *(
        ("full", {"optimizer": name})
        for name in ("adamw", "adafactor", "sgd", "lion", "muon", "schedule_free", "adamw_8bit")
    ),
    ("last_layers", {"layers": 2}),
    ("last_layers", {"layers": 8, "head": True}),
    ("ia3", {}),
    ("adapter", {}),
    ("adapter", {"placement": "houlsby"}),
    ("prefix_tuning", {}),
    ("prompt_tuning", {}),
]


def rows() -> list[TokenRow]:
    """Of 256 tokens, the first 128 the same in all, the rest an answer."""
    generator = torch.Generator().manual_seed(0)
    stem, *tails = (torch.randint(3, 40_000, (128,), generator=generator).tolist() for _ in range(25))
    weights = (0.0,) * 128 + (1.0,) * 128
    return [TokenRow(str(number), (*stem, *tail), weights, 1) for number, tail in enumerate(tails)]


def measure(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Predict, then train. Runs in a process of its own."""
    local, training = starter(), rows()
    choice = MethodChoice.of(method, **{**ALWAYS, **options})
    prepared = Prepared("role", local, GOAL, config_of(local), training, (), 17)
    predicted = predict(prepared, choice, process=process_bytes("cpu")).estimate.memory
    base = load_base(local)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(base, GOAL, Supervision(training), Supervision(()), 17, Path(folder), {})
        METHODS[method].make(choice.options, bench, Silent())
    measured = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"predicted_bytes": predicted.total, "measured_bytes": measured}


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(*json.loads(sys.argv[1]))))
        return
    found = []
    for setting in SETTINGS:
        command = [sys.executable, "-m", "benchmarks.technique_memory", json.dumps(setting)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found.append({"method": setting[0], "options": setting[1], **json.loads(done.stdout.splitlines()[-1])})
        error = found[-1]["predicted_bytes"] / found[-1]["measured_bytes"] - 1
        found[-1]["error"] = round(error, 4)
        print(f"{setting}: {found[-1]['measured_bytes'] / 1e9:.2f} GB ({error:+.1%})", file=sys.stderr)
    RESULTS.write_text(json.dumps({"machine": machine(), "settings": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
