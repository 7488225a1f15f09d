"""How often the statistics of a verdict are right: simulated comparisons whose truth is known.

    python -m benchmarks.coverage [--simulations N]     # about 20 minutes; writes results/coverage.json

1. Coverage: in how many of 2,000 simulated comparisons a 95 % interval holds the true change, at 30, 100 and 500 items,
   for kinds of scores that metrics have, on single items and on clusters of them. The percentile bootstrap and BCa are
   computed beside ours from the same draws.
2. False `better`: how often five metrics without any true change make a verdict `better`, each comparison decided as a
   run decides it, by `compare` and `overall`.
3. Power: what `atanor` says beforehand a test can show, beside how often simulated comparisons show it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from atanor.evaluate.bootstrap import Aggregate, ClusterSums, Resampled, influences, resample, sum_within_clusters
from atanor.evaluate.comparison import compare, decide, overall
from atanor.evaluate.items import Item, Outcome, Verdict
from atanor.evaluate.metrics.base import Metric, Scores, Statistics, ratio
from atanor.evaluate.options import EvaluationOptions
from atanor.evaluate.power import CHURN, SPREAD, power_of_mean, power_yes_no
from atanor.evaluate.statistics import paired_change
from benchmarks.goals import Judged

RESULTS = Path(__file__).parent / "results" / "coverage.json"
SIMULATIONS = 2000
RESAMPLES = 1000
ITEMS = (30, 100, 500)
CONFIDENCE = 0.95
WANTED = (0.93, 0.97)
FALSE_BETTER = 0.05
POWER_APART = 0.03
FEW_CHANGES = "yes or no, hardly any change"
"""Not judged by the goal: with one change or none among 30 items an interval can only be too wide or false."""
MARGIN = 0.02
METRICS = 5
YES_NO = (0, 1)
"""Places of the metrics that are a yes or no an item."""

Numbers = NDArray[np.float64]
Dice = np.random.Generator


@dataclass(frozen=True)
class Drawn:
    """One simulated comparison: statistics of each item, [items, k], and the cluster of each."""

    before: Numbers
    after: Numbers
    clusters: list[str]


@dataclass(frozen=True)
class Kind:
    """A kind of score and the true change of what is drawn.

    Attributes:
        draw: a comparison of so many items.
        aggregate: the score.
        truth: the change in the population.
        yes_no, span: as of the metric.
    """

    draw: Callable[[Dice, int], Drawn]
    aggregate: Aggregate
    truth: float
    yes_no: bool = False
    span: float | None = None


def mean(sums: Numbers) -> Numbers:
    return ratio(sums[..., 0], sums[..., 1])


def perplexity(sums: Numbers) -> Numbers:
    return np.exp(ratio(sums[..., 0], sums[..., 1]))


def paired(before: Numbers, after: Numbers, clusters: list[str] | None = None) -> Drawn:
    """Of scores that are means over items."""
    ones = np.ones(len(before))
    names = clusters or [str(number) for number in range(len(before))]
    return Drawn(np.column_stack([before, ones]), np.column_stack([after, ones]), names)


def right_or_wrong(dice: Dice, items: int) -> Drawn:
    """Yes or no: 40 % before; four in ten of the wrong ones mended, a fifth of the right ones broken."""
    before = dice.random(items) < 0.4
    flips = dice.random(items)
    after = np.where(before, flips >= 0.2, flips < 0.4)
    return paired(before.astype(float), after.astype(float))


def hardly_changed(dice: Dice, items: int) -> Drawn:
    """Yes or no: three items in a hundred mended, one broken."""
    before = dice.random(items) < 0.5
    flips = dice.random(items)
    after = np.where(before, flips >= 0.02, flips < 0.06)
    return paired(before.astype(float), after.astype(float))


def graded(dice: Dice, items: int) -> Drawn:
    """Shares like ROUGE: a hard item is hard for both."""
    hardness = dice.normal(size=items)
    before, after = (ndtr(hardness + shift + 0.5 * dice.normal(size=items)) for shift in (-0.5, -0.2))
    return paired(before, after)


def skewed(dice: Dice, items: int) -> Drawn:
    """Changes with a long tail: most items hardly, a few much."""
    before = dice.random(items)
    return paired(before, before + dice.exponential(0.2, items) - 0.1)


def surprised(dice: Dice, items: int) -> Drawn:
    """Nats and tokens of references of very different length: perplexity is a ratio of sums."""
    tokens = dice.integers(3, 60, items).astype(float)
    hardness = dice.gamma(8, 0.25, items)
    before = tokens * hardness * dice.gamma(20, 1 / 20, items)
    after = 0.9 * tokens * hardness * dice.gamma(20, 1 / 20, items)
    names = [str(number) for number in range(items)]
    return Drawn(np.column_stack([before, tokens]), np.column_stack([after, tokens]), names)


def graded_in_clusters(dice: Dice, items: int) -> Drawn:
    """Shares of items that are alike within conversations of one to five."""
    sizes = dice.integers(1, 6, items)
    member = np.repeat(np.arange(items), sizes)[:items]
    hardness, gain = dice.normal(size=items)[member], 0.3 * dice.normal(size=items)[member]
    before = ndtr(hardness + 0.4 * dice.normal(size=items))
    return paired(before, before + 0.1 * gain + 0.05 * dice.normal(size=items), [str(one) for one in member])


def right_in_clusters(dice: Dice, items: int) -> Drawn:
    """Yes or no on items that are alike within conversations of one to five."""
    sizes = dice.integers(1, 6, items)
    member = np.repeat(np.arange(items), sizes)[:items]
    before = dice.random(items) < ndtr(dice.normal(size=items)[member])
    turn = dice.normal(size=items)[member] + dice.normal(size=items)
    after = np.where(turn > 1.2, True, np.where(turn < -1.2, False, before))
    return paired(before.astype(float), after.astype(float), [str(one) for one in member])


def _graded_truth() -> float:
    spread = np.sqrt(1 + 1 + 0.25)
    return float(ndtr(-0.2 / spread) - ndtr(-0.5 / spread))


KINDS: Mapping[str, Kind] = {
    "yes or no": Kind(right_or_wrong, mean, 0.6 * 0.4 - 0.4 * 0.2, yes_no=True, span=1.0),
    FEW_CHANGES: Kind(hardly_changed, mean, 0.02, yes_no=True, span=1.0),
    "shares (ROUGE, F1)": Kind(graded, mean, _graded_truth(), span=1.0),
    "long-tailed changes": Kind(skewed, mean, 0.1),
    "perplexity": Kind(surprised, perplexity, float(np.exp(1.8) - np.exp(2.0))),
    "shares in clusters": Kind(graded_in_clusters, mean, 0.0, span=1.0),
    "yes or no in clusters": Kind(right_in_clusters, mean, 0.0, yes_no=True, span=1.0),
}


def percentile(found: Resampled) -> tuple[float, float]:
    """The plain percentile interval."""
    low, high = np.quantile(found.changes, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def bias_corrected_accelerated(found: Resampled, sums: ClusterSums, aggregate: Aggregate) -> tuple[float, float]:
    """BCa (Efron 1987), the acceleration by leaving out one cluster at a time."""
    influence = influences(sums, aggregate)
    cubes, squares = float((influence**3).sum()), float((influence**2).sum())
    acceleration = cubes / (6 * squares**1.5) if squares else 0.0
    below = (found.changes < found.change).mean() + (found.changes == found.change).mean() / 2
    bias = float(ndtri(np.clip(below, 1e-4, 1 - 1e-4)))
    tails = []
    for normal in (ndtri((1 - CONFIDENCE) / 2), ndtri((1 + CONFIDENCE) / 2)):
        shifted = bias + float(normal)
        tails.append(float(ndtr(bias + shifted / (1 - acceleration * shifted))))
    low, high = np.quantile(found.changes, tails)
    return float(low), float(high)


def coverage(kind: Kind, items: int, simulations: int) -> dict[str, float]:
    """Share of comparisons whose interval holds the truth, of ours and of the two usual bootstraps."""
    dice = np.random.default_rng(items)
    held = {"atanor": 0, "percentile": 0, "BCa": 0}
    width = 0.0
    for number in range(simulations):
        drawn = kind.draw(dice, items)
        found = paired_change(
            drawn.before,
            drawn.after,
            drawn.clusters,
            kind.aggregate,
            yes_no=kind.yes_no,
            span=kind.span,
            confidence=CONFIDENCE,
            resamples=RESAMPLES,
            seed=number,
        )
        held["atanor"] += found.interval.low <= kind.truth <= found.interval.high
        width += found.interval.high - found.interval.low
        sums = sum_within_clusters(drawn.before, drawn.after, drawn.clusters)
        resampled = found.resampled or resample(sums, kind.aggregate, RESAMPLES, np.random.default_rng(number))
        for name, (low, high) in (
            ("percentile", percentile(resampled)),
            ("BCa", bias_corrected_accelerated(resampled, sums, kind.aggregate)),
        ):
            held[name] += low <= kind.truth <= high
    return {**{name: count / simulations for name, count in held.items()}, "width": width / simulations}


@dataclass(frozen=True)
class Case:
    """A true gain on so many items."""

    items: int
    gain: float
    yes_no: bool

    def __str__(self) -> str:
        return f"{'yes or no' if self.yes_no else 'mean'}, {self.items} items, +{self.gain:g}"


CASES = [
    *(Case(items, gain, True) for items, gain in ((30, 0.3), (60, 0.2), (100, 0.1), (200, 0.08), (500, 0.06))),
    *(Case(items, gain, False) for items, gain in ((30, 0.12), (60, 0.1), (100, 0.06), (200, 0.06), (500, 0.04))),
]


class Given(Metric):
    """A metric whose score of an item stands in the outcome's answer, at its own place."""

    unit = "share"

    def __init__(self, place: int, yes_no: bool) -> None:
        super().__init__(margin=1e-9)  # so that nothing but the statistics keeps a verdict from `better`
        self.place = place
        self.yes_no = yes_no
        self.name = self.label = f"metric {place}"
        self.bounds = (0.0, 1.0) if yes_no else None

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        del item
        assert outcome.answer is not None
        return (float(outcome.answer.split()[self.place]), 1.0)

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def default_margin(self, baseline: float) -> float:
        del baseline
        return 1e-9


def unchanged(dice: Dice, items: int) -> list[list[Outcome]]:
    """Baseline and candidate of equal worth on five metrics that have something to do with each other."""
    hardness = dice.normal(size=items)
    both = []
    for _ in range(2):
        luck = dice.normal(size=items)
        scores = [hardness + 0.7 * luck + 0.7 * dice.normal(size=items) for _ in range(METRICS)]
        marked = [(one > 0).astype(float) if place in YES_NO else ndtr(one) for place, one in enumerate(scores)]
        lines = [" ".join(f"{score:.6f}" for score in row) for row in np.column_stack(marked)]
        both.append([Outcome(line, True, 1.0, 1, 1) for line in lines])
    return both


def false_better(items: int, simulations: int) -> dict[str, float]:
    """Share of comparisons without any change whose verdict is `better`, and `worse`."""
    dice = np.random.default_rng(items)
    metrics = [Given(place, place in YES_NO) for place in range(METRICS)]
    options = EvaluationOptions(resamples=RESAMPLES)
    asked = [Item(str(number), str(number), "", "") for number in range(items)]
    told = {Verdict.BETTER: 0, Verdict.WORSE: 0}
    for number in range(simulations):
        before, after = unchanged(dice, items)
        found = [compare(one, asked, before, after, seed=number, options=options) for one in metrics]
        verdict, _ = overall(found, [])
        if verdict in told:
            told[verdict] += 1
    return {"better": told[Verdict.BETTER] / simulations, "worse": told[Verdict.WORSE] / simulations}


def simulated_power(case: Case, simulations: int) -> dict[str, float]:
    """Chance of `better` as it is told beforehand, and as it is found."""
    dice = np.random.default_rng(case.items)
    better = 0
    for number in range(simulations):
        if case.yes_no:
            turn = dice.random(case.items)
            mended = (turn >= CHURN) & (turn < 2 * CHURN + case.gain)
            before = np.where(turn < CHURN, True, ~mended & (dice.random(case.items) < 0.4))
            drawn = paired(before.astype(float), np.where(turn < CHURN, False, before | mended).astype(float))
        else:
            before = dice.random(case.items)
            drawn = paired(before, before + dice.normal(case.gain, SPREAD, case.items))
        found = paired_change(
            drawn.before,
            drawn.after,
            drawn.clusters,
            mean,
            yes_no=case.yes_no,
            span=None,
            confidence=CONFIDENCE,
            resamples=RESAMPLES,
            seed=number,
        )
        ends = (found.interval.low, found.interval.high)
        verdict = decide(found.change, *ends, MARGIN, True, p_value=found.p_value, confidence=CONFIDENCE)
        better += verdict is Verdict.BETTER
    told = (power_yes_no if case.yes_no else power_of_mean)(case.items, case.gain, margin=MARGIN)
    return {"told": told, "found": better / simulations}


def judge(found: Mapping[str, Any]) -> list[Judged]:
    """The goals and what was reached."""
    least, most = WANTED
    judged = [kind for name, kind in found["coverage"].items() if name != FEW_CHANGES]
    held = [one["atanor"] for kind in judged for one in kind.values()]
    apart = max(abs(one["told"] - one["found"]) for one in found["power"].values())
    false = max(one["better"] for one in found["false_better"].values())
    return [
        Judged(
            "coverage of 95 % intervals",
            f"{least:.0%} to {most:.0%}",
            f"{min(held):.1%} to {max(held):.1%}",
            least <= min(held) and max(held) <= most,
        ),
        Judged("false `better`, five metrics", f"at most {FALSE_BETTER:.0%}", f"{false:.1%}", false <= FALSE_BETTER),
        Judged("power told and found apart", f"at most {POWER_APART:.0%}", f"{apart:.1%}", apart <= POWER_APART),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    asked = parser.parse_args()
    found: dict[str, Any] = {"simulations": asked.simulations, "resamples": RESAMPLES, "coverage": {}}
    for name, kind in KINDS.items():
        found["coverage"][name] = {str(items): coverage(kind, items, asked.simulations) for items in ITEMS}
        print(name, json.dumps(found["coverage"][name]))
    found["false_better"] = {str(items): false_better(items, asked.simulations) for items in ITEMS}
    print("false better", json.dumps(found["false_better"]))
    found["power"] = {str(case): simulated_power(case, asked.simulations) for case in CASES}
    print("power", json.dumps(found["power"]))
    for one in judge(found):
        print(f"{one.subject}: {one.measured}, wanted {one.wanted}")
    if asked.simulations == SIMULATIONS:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
