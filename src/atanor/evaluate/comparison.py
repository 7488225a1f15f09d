"""Candidate against baseline on the same items: how much it changed, how sure that is, and the verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from atanor.errors import MetricError, Problem
from atanor.evaluate.items import Comparison, GateResult, Item, Outcome, Verdict
from atanor.evaluate.marking import mark
from atanor.evaluate.metrics.base import Metric, Statistics
from atanor.evaluate.options import EvaluationOptions
from atanor.evaluate.statistics import PairedChange, fewest_clusters, holm, paired_change

GUARD = "forgetting"
"""Measured to see what tuning cost elsewhere: no target, so it makes no candidate better."""


def compare(
    metric: Metric,
    items: Sequence[Item],
    baseline: Sequence[Outcome],
    candidate: Sequence[Outcome],
    *,
    seed: int,
    options: EvaluationOptions,
) -> Comparison:
    """One metric of a candidate beside the baseline's, on the same items in the same order.

    With too few independent clusters for any interval (`statistics.fewest_clusters`), `low` and `high` are finite
    stand-ins that the report can carry: the widest change the metric's bounds allow, or, where it has none, plus and
    minus both scores and two margins. The verdict is then `cannot tell`.

    Args:
        metric: what is measured; its `statistics` is called once an item and candidate.
        items: the held-out items.
        baseline: what the baseline made of them.
        candidate: what the candidate made of them.
        seed: of the bootstrap.
        options: resamples and confidence.

    Raises:
        MetricError: an item cannot be marked, there are no items, or a score is not finite.
    """
    if not items:
        problem = Problem("there are no items to compare on", field=metric.name, fix="Give the role a test split")
        raise MetricError(f"`{metric.name}` cannot be computed", [problem])
    metric.begin(items)
    marked = mark(metric, items, baseline, candidate)
    counted = [items[place] for place in marked.kept]
    found = _change(metric, counted, marked.baseline, marked.candidate, seed=seed, options=options)
    margin = metric.margin_at(found.baseline)
    widest = _span(metric) or abs(found.baseline) + abs(found.candidate) + 2 * margin
    low, high = max(found.interval.low, -widest), min(found.interval.high, widest)
    verdict = decide(
        found.change, low, high, margin, metric.higher_is_better, p_value=found.p_value, confidence=options.confidence
    )
    return Comparison(
        metric=metric.name,
        label=metric.label,
        higher_is_better=metric.higher_is_better,
        yes_no=metric.yes_no,
        items=len(counted),
        clusters=found.clusters,
        baseline=found.baseline,
        candidate=found.candidate,
        change=found.change,
        low=low,
        high=high,
        p_value=found.p_value,
        margin=margin,
        verdict=verdict,
        baseline_scores=_item_scores(metric, marked.baseline, marked.kept, len(items)),
        candidate_scores=_item_scores(metric, marked.candidate, marked.kept, len(items)),
        p_ranks=found.p_ranks,
        p_equivalent=found.p_equivalent(margin),
        p_not_worse=found.p_above(-margin) if metric.higher_is_better else found.p_below(margin),
        target=metric.target,
        unmarked=marked.unmarked,
        on_error=metric.on_error,
        about=metric.about,
    )


def decide(
    change: float,
    low: float,
    high: float,
    margin: float,
    higher_is_better: bool,
    *,
    p_value: float,
    confidence: float,
) -> Verdict:
    """One of four answers, never two and never none, for an interval that holds its change.

    With the gain being the change in the direction that is better:

    - `better`: the whole interval is above zero, p is below 1 - confidence, and the gain is at least the margin;
    - `worse`: the same, mirrored;
    - `no difference`: the whole interval lies within the margin. That is two one-sided tests (Schuirmann 1987) with
      the margin as the smallest effect size of interest (Lakens 2017); they would do with a 90 % interval, and using
      the one that is shown errs on the side of `cannot tell`;
    - `cannot tell`: anything else.

    A gain that is certain and smaller than the margin is `no difference` when its interval ends below the margin.

    Args:
        change: candidate minus baseline.
        low: lower end of its interval.
        high: upper end of its interval.
        margin: smallest change of interest, above 0.
        higher_is_better: direction of the metric.
        p_value: two-sided, of no change.
        confidence: of the interval.
    """
    gain, least, most = oriented(change, low, high, higher_is_better)
    certain = p_value < 1 - confidence
    if certain and least > 0 and gain >= margin:
        return Verdict.BETTER
    if certain and most < 0 and gain <= -margin:
        return Verdict.WORSE
    if least > -margin and most < margin:
        return Verdict.NO_DIFFERENCE
    return Verdict.CANNOT_TELL


def oriented(change: float, low: float, high: float, higher_is_better: bool) -> tuple[float, float, float]:
    """The change and the ends of its interval as gains: positive is better, whatever the metric's direction."""
    return (change, low, high) if higher_is_better else (-change, -high, -low)


def overall(
    comparisons: Sequence[Comparison], gates: Sequence[GateResult], *, confidence: float = 0.95
) -> tuple[Verdict, str]:
    """The verdict on a candidate and its headline.

    It concerns the target metrics: all but `forgetting` and what an answer costs, whose word is the gates'. The
    first rule that holds decides:

    1. some targets better and some worse: `cannot tell`, and the headline names both;
    2. a target worse: `worse`. Harm is not adjusted for the number of metrics;
    3. a target better, and still so after Holm's adjustment (1979) of the targets' p-values for being several:
       `better` if every gate passes, else `cannot tell`, and the headline names the gates that failed;
    4. targets better, and none after the adjustment: `cannot tell`;
    5. every target no different: `no difference`;
    6. anything else, also without targets: `cannot tell`.

    The headline claims improvement only of metrics that stand the adjustment. Where general text became worse, it says
    so whatever the verdict.

    Args:
        comparisons: of the candidate with the baseline, one a metric.
        gates: the project's gates, judged.
        confidence: of the intervals, as in `EvaluationOptions`.
    """
    targets = [comparison for comparison in comparisons if comparison.target and comparison.metric != GUARD]
    verdict, sentence = _of_targets(targets, gates, 1 - confidence)
    damaged = [found for found in comparisons if found.metric == GUARD and found.verdict is Verdict.WORSE]
    if damaged and verdict is not Verdict.WORSE:
        sentence += " General text became worse: the candidate forgot something."
    return verdict, sentence


def _change(
    metric: Metric,
    items: Sequence[Item],
    before: Statistics,
    after: Statistics,
    *,
    seed: int,
    options: EvaluationOptions,
) -> PairedChange:
    for who, rows in (("baseline", before), ("candidate", after)):
        _check_finite(metric, who, float(metric.aggregate(rows.sum(axis=0))))
    found = paired_change(
        before,
        after,
        [item.cluster for item in items],
        metric.aggregate,
        yes_no=metric.yes_no,
        span=_span(metric),
        confidence=options.confidence,
        resamples=options.resamples,
        seed=seed,
        extra_error=metric.extra_error,
    )
    _check_bounded(metric, found)
    return found


def _span(metric: Metric) -> float | None:
    return None if metric.bounds is None else metric.bounds[1] - metric.bounds[0]


def _item_scores(metric: Metric, statistics: Statistics, kept: Sequence[int], items: int) -> tuple[float | None, ...]:
    scores: list[float | None] = [None] * items
    for place, row in zip(kept, statistics.tolist(), strict=True):
        score = metric.item_score(tuple(row))
        # None and not nan: JSON has no nan, and the report must be read back.
        scores[place] = score if math.isfinite(score) else None
    return tuple(scores)


def _check_finite(metric: Metric, who: str, score: float) -> None:
    if not math.isfinite(score):
        fix = "Look at the likelihoods of the items: a network that overflows must be evaluated in float32"
        problem = Problem(f"the {who}'s score over all items is {score}", field=metric.name, fix=fix)
        raise MetricError(f"`{metric.name}` cannot be computed", [problem])


def _check_bounded(metric: Metric, found: PairedChange) -> None:
    if math.isnan(found.interval.low) or math.isnan(found.interval.high):
        problem = Problem("some resamples of the items have no finite score", field=metric.name, fix="Use more items")
        raise MetricError(f"`{metric.name}` cannot be computed", [problem])


def _of_targets(targets: Sequence[Comparison], gates: Sequence[GateResult], alpha: float) -> tuple[Verdict, str]:
    better = [target for target in targets if target.verdict is Verdict.BETTER]
    worse = [target for target in targets if target.verdict is Verdict.WORSE]
    if better and worse:
        return Verdict.CANNOT_TELL, f"Mixed: better on {_named(better)}, worse on {_named(worse)}."
    if worse:
        return Verdict.WORSE, f"Worse on {_named(worse)}{_rest(targets, worse)}."
    if better:
        return _of_better(targets, better, gates, alpha)
    if targets and all(target.verdict is Verdict.NO_DIFFERENCE for target in targets):
        return Verdict.NO_DIFFERENCE, f"No difference that matters on {_named(targets)}."
    return Verdict.CANNOT_TELL, _undecided(targets, alpha)


def _of_better(
    targets: Sequence[Comparison], better: Sequence[Comparison], gates: Sequence[GateResult], alpha: float
) -> tuple[Verdict, str]:
    """Targets are better and none is worse: is it more than the luck of looking often, and is it enough?"""
    adjusted = holm([target.p_value for target in targets])
    proven = [target for target, p in zip(targets, adjusted, strict=True) if target in better and p < alpha]
    if not proven:
        return Verdict.CANNOT_TELL, (
            f"Looks better on {_named(better)}, but with {len(targets)} metrics looked at that may be chance."
        )
    missed = [gate for gate in gates if not gate.passed]
    if missed:
        count = "a gate is" if len(missed) == 1 else f"{len(missed)} gates are"
        named = "; ".join(f"`{gate.gate}`{' (cannot tell)' if gate.undecided else ''}" for gate in missed)
        return Verdict.CANNOT_TELL, f"Better on {_named(proven)}, but {count} not reached: {named}."
    return Verdict.BETTER, f"Better on {_named(proven)}{_rest(targets, proven)}{_gates(gates)}."


def _undecided(targets: Sequence[Comparison], alpha: float) -> str:
    if not targets:
        return "No metric looks at what the role should do."
    clusters, fewest = min(target.clusters for target in targets), fewest_clusters(1 - alpha)
    if clusters < fewest:
        return (
            f"Cannot tell: {clusters} independent test items are too few; no verdict can rest on fewer than {fewest}."
        )
    open_ones = [target for target in targets if target.verdict is Verdict.CANNOT_TELL]
    return f"Cannot tell on {_named(open_ones)}: the intervals are too wide. More test items would narrow them."


def _rest(targets: Sequence[Comparison], named: Sequence[Comparison]) -> str:
    others = [target for target in targets if target not in named]
    same = [target for target in others if target.verdict is Verdict.NO_DIFFERENCE]
    unsure = [target for target in others if target.verdict is not Verdict.NO_DIFFERENCE]
    parts = [("no difference", same), ("cannot tell", unsure)]
    return "".join(f"; {answer} on {_named(found)}" for answer, found in parts if found)


def _gates(gates: Sequence[GateResult]) -> str:
    if not gates:
        return ""
    return "; its gate passes" if len(gates) == 1 else f"; all {len(gates)} gates pass"


def _named(comparisons: Iterable[Comparison]) -> str:
    labels = [comparison.label for comparison in comparisons]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
