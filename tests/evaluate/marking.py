"""Items and outcomes for the tests of the evaluate room, made in one line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atanor.evaluate.items import Comparison, Item, Outcome, Verdict
from atanor.evaluate.metrics import Metric, build_metric
from atanor.evaluate.options import MetricSpec

NOWHERE = Path("/nowhere")


def item(number: int, reference: str = "yes", cluster: str | None = None) -> Item:
    name = f"item-{number}"
    return Item(name, cluster or name, "a prompt", reference, {"note": number})


def outcome(answer: str | None = "yes", nll: float = 12.0, tokens: int = 10, size: int = 40) -> Outcome:
    """Its worse answer has 22 nats, between a reference found likely and one found unlikely."""
    written = None if answer is None else len(answer.split())
    return Outcome(answer, True, nll, tokens, size, 22.0, tokens, 0.9, nll / 10, 20, written)


def metric(name: str, argument: str | None = None, root: Path = NOWHERE, margin: float | None = None) -> Metric:
    return build_metric(MetricSpec(name=name, argument=argument, margin=margin), root)


def score(found: Metric, answers: Sequence[str], references: Sequence[str]) -> float:
    """The corpus score, by way of summed statistics."""
    found.begin([item(number, reference) for number, reference in enumerate(references)])
    rows = [
        found.statistics(item(number, reference), outcome(answer))
        for number, (answer, reference) in enumerate(zip(answers, references, strict=True))
    ]
    return float(found.aggregate(np.asarray(rows).sum(axis=0)))


def comparison(name: str, verdict: Verdict, **changes: object) -> Comparison:
    """A comparison as `compare` would give it, of a metric where higher is better."""
    usual: dict[str, object] = {
        "metric": name,
        "label": name.replace("_", " "),
        "higher_is_better": True,
        "yes_no": False,
        "items": 48,
        "clusters": 48,
        "baseline": 0.2,
        "candidate": 0.5,
        "change": 0.3,
        "low": 0.2,
        "high": 0.4,
        "p_value": 0.001,
        "margin": 0.05,
        "verdict": verdict,
    }
    return Comparison(**{**usual, **changes})  # type: ignore[arg-type]
