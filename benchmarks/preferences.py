"""Learning which of two answers is better: every objective of pairs beside learning the better answers alone.

    python -m benchmarks.preferences [--set NAME ...] [--method NAME ...] [--again] [--rows N --test N]

tunes the starter model by LoRA, with the options it has by default under each objective, on pairs of
`dolly_vs_flan_t5` (a person's answer and one of a small model) and of `persona_evals` (the answer of an extravert and
the other one), found in the folder named by ATANOR_DATA (default ../shared/data). What is measured of the base and of
every candidate on the same held-out pairs: how often the better answer is likelier than the worse one, whole and a
token, how likely the better answers are, what was forgotten, time and memory. Every objective is a process of its own.
Results go into benchmarks/results/preferences.json as soon as they are there, and what stands in it with the same
options is not measured again; a smaller table (`--rows`, `--test`) is only printed.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from benchmarks.drawing import DATA, SEED, Row, apart
from benchmarks.methods import Table, Task

RESULTS = Path(__file__).parent / "results" / "preferences.json"
TRAINING = 160
VALIDATION = 24
TEST = 120
LONGEST = 600
"""Characters of an answer: a few of dolly's are essays, and time goes where the longest rows are."""

OBJECTIVES: dict[str, dict[str, Any]] = {
    "completion": {"lora": {"objective": "completion"}},
    "DPO": {"lora": {"objective": "dpo"}},
    "IPO": {"lora": {"objective": "ipo"}},
    "ORPO": {"lora": {"objective": "orpo"}},
    "SimPO": {"lora": {"objective": "simpo"}},
    "KTO": {"lora": {"objective": "kto"}},
}
METRICS = ["preference", "preference_per_token", "perplexity"]


def dolly(training: int, test: int) -> dict[str, list[Row]]:
    """Open questions; of those that are nearly the same the first."""
    return _sides(_read("dolly_vs_flan_t5/train.jsonl"), training, test)


def persona(training: int, test: int) -> dict[str, list[Row]]:
    """Whether one would say a sentence: yes or no, as an extravert answers."""
    rows = []
    for row in _read("persona_evals/extraversion.jsonl"):
        answers = {"chosen": row["answer_matching_behavior"], "rejected": row["answer_not_matching_behavior"]}
        rows.append({"prompt": row["statement"], **answers})
    return _sides(rows, training, test)


def _read(name: str) -> list[Row]:
    with (DATA / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _sides(rows: list[Row], training: int, test: int) -> dict[str, list[Row]]:
    random.Random(SEED).shuffle(rows)
    short = [row for row in rows if max(len(row["chosen"]), len(row["rejected"])) <= LONGEST]
    drawn = apart([row for row in short if row["chosen"].strip() != row["rejected"].strip()], "prompt")
    end = training + VALIDATION
    return {"train": drawn[:training], "validation": drawn[training:end], "test": drawn[end : end + test]}


TASKS = {
    "dolly_vs_flan_t5": Task(dolly, {"goal": "Answer the question as a person who knows would.", "metrics": METRICS}),
    "persona_evals": Task(
        persona,
        {
            "goal": "Answer as an outgoing person who enjoys company.",
            "system": "Is the following statement something you would say? Answer Yes or No.",
            "metrics": METRICS,
        },
    ),
}


def main() -> None:
    table = Table(RESULTS, TASKS, OBJECTIVES, TRAINING, TEST)
    table.fill(table.asked(__doc__ or ""))


if __name__ == "__main__":
    main()
