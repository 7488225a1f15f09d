"""Does augmentation help where rows are few? Banking intents with ten rows each, with and without each technique.

    python -m benchmarks.augmentation [--intents N] [--test N] [--seeds N] [--estimate]

reads `banking77` in the folder named by ATANOR_DATA (default ../shared/data), draws ten training rows an intent by the
seed, one to choose the checkpoint, and the test items from the rest of the file; rows that are nearly the same as an
earlier one are passed over, so that no test item was trained on. The starter model is trained on them without
augmentation, with each technique alone and with all together, always as many optimizer steps, and answers the test
items greedily: the accuracy is the exact match of its answers. The result goes to benchmarks/results/augmentation.json;
a smaller one, made with `--intents` or `--test`, is only printed.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import atanor
from atanor.cli.screen import quiet_libraries
from atanor.cli.trials import TrialWatcher
from atanor.project.ablation import Ablation, AblationPlan
from atanor.project.assessment import versions
from benchmarks.drawing import DATA, SEED, apart, require, write_project
from benchmarks.machine import machine

RESULTS = Path(__file__).parent / "results" / "augmentation.json"
INTENTS = 77
TEST = 308
ROWS_OF_AN_INTENT = 10
TECHNIQUES = ["synonyms", "eda", "back_translation", "typos"]
LORA = {"rank": 16, "learning_rate": 1e-3, "epochs": 2, "batch": 8, "validate_every": 48, "patience": 0}


def drawn_rows(intents: int, test: int) -> dict[str, list[dict[str, str]]]:
    """Rows for each side, the same number of every intent on each.

    Args:
        intents: how many, the first in the order the seed puts them.
        test: items in all, a multiple of `intents` or rounded up to one.
    """
    with (DATA / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [{"text": row["text"], "label": row["category"]} for row in csv.DictReader(file)]
    rng = random.Random(SEED)
    rng.shuffle(rows)
    of_intent: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in apart(rows, "text"):
        of_intent[row["label"]].append(row)
    wanted = {"train": ROWS_OF_AN_INTENT, "validation": 1, "test": -(-test // intents)}
    sides: dict[str, list[dict[str, str]]] = {side: [] for side in wanted}
    for label in rng.sample(sorted(of_intent), intents):
        left = iter(of_intent[label])
        for side, count in wanted.items():
            sides[side] += [next(left) for _ in range(count)]
    return sides


ROLE: dict[str, Any] = {
    "goal": "Name the intent of a bank customer's message.",
    "task": "label",
    "system": "Name the intent.",
    "augment": list(TECHNIQUES),
    "methods": [{"lora": LORA}],
    "generate": {"max_new_tokens": 16},
    "metrics": ["exact_match", "perplexity"],
}


def summary(found: Ablation) -> dict[str, Any]:
    """What is published of an ablation."""
    return {
        "items": found.items,
        "seeds": found.repetitions,
        "budget": found.budget,
        "steps": found.steps,
        "settings": LORA,
        "base": found.base,
        "without": {"rows": found.rows, "accuracy": found.arms[0].comparisons[0].baseline},
        "with": {
            measured.arm.name: {
                "rows": measured.rows,
                "made": measured.made,
                "accuracy": measured.comparisons[0].candidate,
                **{key: getattr(measured.comparisons[0], key) for key in ("change", "low", "high", "margin")},
                "p_value_adjusted": measured.p_value,
                "effect": measured.effect,
            }
            for measured in found.arms
        },
    }


def show_plan(plan: AblationPlan) -> None:
    for planned in plan.arms:
        seconds = planned.prediction.estimate.seconds if planned.prediction else float("nan")
        print(f"{planned.arm.name}: {planned.rows} rows, {planned.made} new, {planned.steps} steps, {seconds:.0f} s")
    print(f"predicted: {plan.seconds / 60:.0f} minutes of training")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--intents", type=int, default=INTENTS)
    parser.add_argument("--test", type=int, default=TEST)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--estimate", action="store_true", help="only say what it would take")
    asked = parser.parse_args()
    require("banking77")
    quiet_libraries()
    keep = os.environ.get("ATANOR_KEEP")
    with tempfile.TemporaryDirectory() as temporary:
        path = write_project(Path(keep or temporary), "banking77", drawn_rows(asked.intents, asked.test), ROLE)
        project, watcher = atanor.Project.load(path), TrialWatcher()
        plan = project.plan_ablation(seeds=asked.seeds, watcher=watcher)
        show_plan(plan)
        if asked.estimate:
            return
        found = project.ablate(plan, watcher)
        made = project.build()["banking77"].version.augmentation
    result = {**summary(found), "augmentation": made}
    document = {"machine": machine(), "versions": versions(), "intents": asked.intents, "result": result}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if (asked.intents, asked.test) == (INTENTS, TEST):
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
