"""The items side by side: the best and worst, and all of them to browse."""

from __future__ import annotations

import json
from collections.abc import Sequence

from atanor.evaluate.items import Comparison
from atanor.evaluate.page.markup import ABSENT, number, text
from atanor.evaluate.report import Report, ReportItem

EXTREMES = 5
"""How many of the best and of the worst items are shown open."""


def extremes(report: Report) -> str:
    """The largest gains and losses on the first metric that marks single items; the others decide between equals."""
    marking = [found for found in report.comparisons if _scored(found.metric, report.items)]
    if not marking:
        return "<p>No metric marks single items.</p>"
    first = marking[0]
    ranked = sorted(
        (item for item in report.items if _gain(item, first) is not None),
        key=lambda item: tuple(-(_gain(item, found) or 0.0) for found in marking),
    )
    best = [item for item in ranked[:EXTREMES] if (_gain(item, first) or 0) > 0]
    worst = [item for item in reversed(ranked[-EXTREMES:]) if (_gain(item, first) or 0) < 0]
    parts = []
    for heading, chosen, nothing in (
        ("Largest gains", best, "No item gained."),
        ("Largest losses", worst, "No item lost."),
    ):
        shown = "".join(f"<article>{_sides(item)}</article>" for item in chosen) or f"<p>{nothing}</p>"
        parts.append(f"<h3>{heading} on {text(first.label)}</h3>{shown}")
    return "".join(parts)


def browser(report: Report) -> str:
    """Every item, closed until opened; the filter works where scripts do."""
    metrics = [found for found in report.comparisons if _scored(found.metric, report.items)]
    choices = "".join(f'<option value="{text(found.metric)}">{text(found.label)}</option>' for found in metrics)
    controls = (
        '<div class="filter" role="search"><label>metric <select id="metric">' + choices + "</select></label>"
        '<label>show <select id="kind"><option value="all">all</option><option value="win">wins</option>'
        '<option value="loss">losses</option><option value="tie">ties</option></select></label>'
        '<label>with words <input id="words" type="search"></label><output id="shown" class="soft"></output></div>'
    )
    return (controls if metrics else "") + "".join(_item(item, metrics) for item in report.items)


def _item(item: ReportItem, metrics: Sequence[Comparison]) -> str:
    outcomes = {found.metric: _outcome(_gain(item, found)) for found in metrics}
    marks = {"win": "▲", "loss": "▼", "tie": "="}
    mark = marks[next(iter(outcomes.values()), "tie")]
    title = (item.prompt or item.reference).strip().replace("\n", " ")[:110]
    return (
        f'<details class="item" data-outcomes="{text(json.dumps(outcomes))}"><summary>{mark} {text(title)}</summary>'
        f"<div>{_sides(item)}</div></details>"
    )


def _sides(item: ReportItem) -> str:
    prompt = f'<h4 class="soft">prompt</h4><div class="answer">{text(item.prompt)}</div>' if item.prompt else ""
    answers = "".join(
        f'<div><h4 class="soft">{name}</h4><div class="answer">{text(answer)}</div></div>'
        for name, answer in (
            ("reference", item.reference),
            ("base", item.baseline_answer),
            ("candidate", item.candidate_answer),
        )
        if answer is not None
    )
    scores = " · ".join(
        f"{text(name)} {_score(item.baseline_scores.get(name))} → {_score(value)}"
        for name, value in item.candidate_scores.items()
    )
    return f'{prompt}<div class="pair">{answers}</div><p class="soft">{scores} · item {text(item.id)}</p>'


def _score(value: float | None) -> str:
    return ABSENT if value is None else number(value)


def _gain(item: ReportItem, found: Comparison) -> float | None:
    before, after = item.baseline_scores.get(found.metric), item.candidate_scores.get(found.metric)
    if before is None or after is None:
        return None
    return after - before if found.higher_is_better else before - after


def _outcome(gain: float | None) -> str:
    if gain is None or gain == 0:
        return "tie"
    return "win" if gain > 0 else "loss"


def _scored(metric: str, items: Sequence[ReportItem]) -> bool:
    return any(item.candidate_scores.get(metric) is not None for item in items)
