"""Intervals hold the truth as often as they say, and the tests are the published ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, wilcoxon

from atanor.evaluate.bootstrap import (
    Resampled,
    influences,
    percentile_interval,
    percentile_p_value,
    resample,
    sum_within_clusters,
)
from atanor.evaluate.metrics.base import ratio
from atanor.evaluate.statistics import (
    PairedChange,
    adjusted_wald,
    fewest_clusters,
    holm,
    mcnemar_p_value,
    paired_change,
)
from tests.evaluate.marking import metric

SIMULATIONS = 400


def mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return ratio(sums[..., 0], sums[..., 1])


def change_of(
    before: NDArray[np.float64], after: NDArray[np.float64], clusters: list[str], *, yes_no: bool, resamples: int = 2000
) -> PairedChange:
    ones = np.ones(len(before))
    return paired_change(
        np.column_stack([before, ones]),
        np.column_stack([after, ones]),
        clusters,
        mean,
        yes_no=yes_no,
        span=1.0 if yes_no else None,
        confidence=0.95,
        resamples=resamples,
        seed=7,
    )


def singles(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def coverage_and_rejections(found: list[PairedChange], truth: float) -> tuple[float, float]:
    inside = [one.interval.low <= truth <= one.interval.high for one in found]
    return float(np.mean(inside)), float(np.mean([one.p_value < 0.05 for one in found]))


@pytest.mark.parametrize("effect", [0.0, 0.3])
def test_coverage_of_a_mean(effect: float) -> None:
    dice = np.random.default_rng(1)
    found = []
    for _ in range(SIMULATIONS):
        before = dice.normal(size=50)
        found.append(change_of(before, before + dice.gamma(4, 0.25, 50) - 1 + effect, singles(50), yes_no=False))
    covered, rejected = coverage_and_rejections(found, effect)
    assert 0.92 <= covered <= 0.98
    if effect == 0:
        assert rejected == pytest.approx(1 - covered, abs=0.01)  # the p-value is the interval, inverted


@pytest.mark.parametrize("effect", [0.0, 0.2])
def test_coverage_of_yes_and_no(effect: float) -> None:
    dice = np.random.default_rng(2)
    found = []
    for _ in range(SIMULATIONS):
        before = dice.random(50) < 0.4
        flips = dice.random(50)
        after = np.where(before, flips >= 0.3, flips < 0.2 + effect / 0.6)
        found.append(change_of(before.astype(float), after.astype(float), singles(50), yes_no=True))
    covered, rejected = coverage_and_rejections(found, 0.6 * 0.2 - 0.4 * 0.3 + effect)
    assert 0.92 <= covered <= 0.99
    if effect == 0:
        assert rejected <= 0.05


@pytest.mark.parametrize("yes_no", [False, True])
def test_coverage_with_clusters_of_items_that_are_alike(yes_no: bool) -> None:
    dice = np.random.default_rng(3)
    clusters = [str(number // 4) for number in range(160)]
    clustered, ignored = [], []
    for _ in range(SIMULATIONS // 2):
        drift = np.repeat(dice.normal(size=40), 4) + 0.5 * dice.normal(size=160)
        before = np.zeros(160) if not yes_no else (dice.random(160) < 0.5).astype(float)
        flipped = np.where(drift > 0.8, 1.0, np.where(drift < -0.8, 0.0, before))
        after = flipped if yes_no else drift
        clustered.append(change_of(before, after, clusters, yes_no=yes_no))
        ignored.append(change_of(before, after, singles(160), yes_no=yes_no, resamples=1000))
    covered, rejected = coverage_and_rejections(clustered, 0.0)
    assert 0.91 <= covered <= 0.99
    assert rejected <= 0.08
    # What the clusters are for: without them the interval is a good deal too sure of itself.
    assert coverage_and_rejections(ignored, 0.0)[0] < covered - 0.05


def test_a_corpus_metric_is_resampled_exactly() -> None:
    """The bootstrap of perplexity is the one of ratios of sums, not of means of items."""
    dice = np.random.default_rng(4)
    tokens = dice.integers(1, 60, 40).astype(float)
    before, after = tokens * dice.gamma(2, 1, 40), tokens * dice.gamma(2, 0.9, 40)
    found = metric("perplexity")
    sums = sum_within_clusters(np.column_stack([before, tokens]), np.column_stack([after, tokens]), singles(40))
    changes = resample(sums, found.aggregate, 500, np.random.default_rng(0)).changes
    drawn = np.random.default_rng(0).integers(0, 40, (500, 40))
    # The clusters are in the order of their sorted names.
    order = np.argsort(singles(40))
    picks = order[drawn]
    nats_before, nats_after, total = (values[picks].sum(axis=1) for values in (before, after, tokens))
    assert changes == pytest.approx(np.exp(nats_after / total) - np.exp(nats_before / total), rel=1e-9)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(5)
    rows = np.column_stack([dice.normal(size=30), np.ones(30)])
    sums = sum_within_clusters(rows, rows[::-1], singles(30))
    whole = resample(sums, mean, 1000, np.random.default_rng(1))
    monkeypatch.setattr("atanor.evaluate.bootstrap._CELLS_AT_ONCE", 300)
    cut = resample(sums, mean, 1000, np.random.default_rng(1))
    assert cut.changes == pytest.approx(whole.changes, abs=1e-12)
    assert cut.errors == pytest.approx(whole.errors, abs=1e-12)


def test_expanded_percentiles_are_wider_and_become_plain_ones() -> None:
    changes = np.random.default_rng(6).normal(size=100_000)
    small, large = percentile_interval(changes, 10, 0.95), percentile_interval(changes, 100_000, 0.95)
    assert large.high == pytest.approx(1.96, abs=0.03)
    assert small.high == pytest.approx(2.262 * math.sqrt(10 / 9), abs=0.06)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-3, 3).filter(lambda x: x != 0), min_size=200, max_size=200),
    st.integers(8, 200),
    st.floats(-2, 2),
)
def test_the_p_value_agrees_with_the_interval(values: list[float], clusters: int, shift: float) -> None:
    changes = np.asarray(values) + shift
    p_value = percentile_p_value(changes, clusters)
    assert 1 / 201 <= p_value <= 1
    interval = percentile_interval(changes, clusters, 0.95)
    if p_value < 0.05:
        assert interval.low >= 0 or interval.high <= 0
    if p_value > 0.08:  # a rank of the 200 resamples lies between
        assert interval.low <= 0 <= interval.high


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_the_binomial_test_of_the_pairs_that_differ(pairs: list[tuple[bool, bool]]) -> None:
    before, after = np.array([one for one, _ in pairs]), np.array([other for _, other in pairs])
    won = sum(other and not one for one, other in pairs)
    lost = sum(one and not other for one, other in pairs)
    wanted = binomtest(min(won, lost), won + lost, 0.5).pvalue if won + lost else 1.0
    assert mcnemar_p_value(before, after) == pytest.approx(wanted)


@pytest.mark.parametrize(("won", "lost", "same"), [(12, 3, 35), (0, 0, 20), (20, 0, 0), (9, 1, 90)])
def test_the_adjusted_wald_interval_is_bonett_and_price_s(won: int, lost: int, same: int) -> None:
    count = won + lost + same
    up, down = (won + 1) / (count + 2), (lost + 1) / (count + 2)
    reach = 1.959963984540054 * math.sqrt((up + down - (up - down) ** 2) / (count + 2))
    changes = np.array([1.0] * won + [-1.0] * lost + [0.0] * same)
    interval = adjusted_wald(changes, np.ones(count, np.int64)).interval(0.95)
    assert interval.low == pytest.approx(max(-1, up - down - reach))
    assert interval.high == pytest.approx(min(1, up - down + reach))


def test_fewest_clusters_is_where_the_sign_test_can_reject() -> None:
    assert fewest_clusters(0.95) == 6
    for confidence in (0.8, 0.9, 0.95, 0.99):
        fewest = fewest_clusters(confidence)
        assert binomtest(0, fewest).pvalue <= 1 - confidence < binomtest(0, fewest - 1).pvalue


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("yes_no", [False, True])
def test_too_few_clusters_bound_nothing(count: int, yes_no: bool) -> None:
    found = change_of(np.zeros(count), np.ones(count), singles(count), yes_no=yes_no)
    assert (found.interval.low, found.interval.high) == (-math.inf, math.inf)
    assert found.p_value > 0.05
    one_cluster = change_of(np.zeros(50), np.ones(50), ["scene"] * 50, yes_no=yes_no)
    assert (one_cluster.interval.low, one_cluster.clusters, one_cluster.p_value) == (-math.inf, 1, 1.0)


def test_clustered_yes_no_does_not_trust_mcnemar_alone() -> None:
    before, after = np.zeros(80), np.repeat([1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0], 10)
    clusters = [str(number // 10) for number in range(80)]
    clustered, single = (change_of(before, after, names, yes_no=True) for names in (clusters, singles(80)))
    assert single.p_value < 1e-8 < clustered.p_value
    assert clustered.interval.low < single.interval.low


def test_holm_is_the_published_procedure() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_the_same_seed_gives_the_same_interval() -> None:
    dice = np.random.default_rng(8)
    before, after = dice.random(20), dice.random(20)
    assert change_of(before, after, singles(20), yes_no=False) == change_of(before, after, singles(20), yes_no=False)


def test_clusters_that_all_change_alike_leave_a_bounded_metric_some_doubt() -> None:
    clusters = [str(number // 3) for number in range(30)]
    rows = np.column_stack([np.full(30, 0.1), np.ones(30)])
    after = rows + np.array([0.3, 0.0])
    found = paired_change(rows, after, clusters, mean, yes_no=False, span=1.0, confidence=0.95, resamples=1000, seed=0)
    assert found.interval.low < 0.05 < 0.3 < found.interval.high


def test_the_studentised_interval_of_a_mean_is_hall_s() -> None:
    dice = np.random.default_rng(9)
    gains = dice.gamma(1, 1, 25)
    rows = np.column_stack([np.zeros(25), np.ones(25)])
    sums = sum_within_clusters(rows, rows + np.column_stack([gains, np.zeros(25)]), singles(25))
    found = resample(sums, mean, 3000, np.random.default_rng(2))
    drawn = sums.candidate[np.random.default_rng(2).integers(0, 25, (3000, 25)), 0]
    away = np.abs(drawn.mean(axis=1) - gains.mean()) / (drawn.std(axis=1) / 5)
    reach = np.quantile(away, 0.95, method="higher") * gains.std() / 5
    assert found.interval(0.95).low == pytest.approx(gains.mean() - reach, rel=1e-9)
    assert found.interval(0.95).high == pytest.approx(gains.mean() + reach, rel=1e-9)


def test_influences_of_a_mean_are_its_deviations_and_of_a_ratio_its_gradient() -> None:
    dice = np.random.default_rng(10)
    tokens, nats = dice.integers(200, 400, 300).astype(float), dice.gamma(200, 1, 300)
    sums = sum_within_clusters(np.column_stack([np.zeros(300), tokens]), np.column_stack([nats, tokens]), singles(300))
    gradient = 300 * (sums.candidate[:, 0] - nats.sum() / tokens.sum() * sums.candidate[:, 1]) / tokens.sum()
    assert influences(sums, mean) == pytest.approx(gradient, abs=0.01 * np.abs(gradient).max())


def test_where_hardly_a_cluster_changed_nothing_is_studentised() -> None:
    rows = np.column_stack([np.zeros(40), np.ones(40)])
    after = rows.copy()
    after[3, 0] = 1.0
    found = resample(sum_within_clusters(rows, after, singles(40)), mean, 2000, np.random.default_rng(3))
    assert found.studentised is None
    assert found.interval(0.95) == percentile_interval(found.changes, 40, 0.95)
    assert found.p_value == percentile_p_value(found.changes, 40)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 60), st.floats(-0.5, 0.5))
def test_one_sided_tests_agree_with_the_interval(seed: int, count: int, shift: float) -> None:
    dice = np.random.default_rng(seed)
    rows = np.column_stack([dice.normal(size=count), np.ones(count)])
    after = rows + np.column_stack([dice.normal(shift, 0.5, count), np.zeros(count)])
    found: Resampled = resample(sum_within_clusters(rows, after, singles(count)), mean, 2000, dice)
    inside = found.interval(0.95)
    assert (found.p_value < 0.05) == (not inside.low <= 0 <= inside.high) or abs(found.p_value - 0.05) < 0.003
    assert found.p_above(0.0) + found.p_below(0.0) == pytest.approx(1, abs=0.01)
    assert found.p_above(inside.high) > 0.5 > found.p_above(inside.low - 0.01)


def test_ranks_are_scipy_s_and_not_moved_by_one_huge_change() -> None:
    dice = np.random.default_rng(11)
    before, after = dice.random(30), dice.random(30)
    assert change_of(before, after, singles(30), yes_no=False).p_ranks == pytest.approx(wilcoxon(after - before).pvalue)
    after[int(np.argmax(after - before))] += 1e6
    assert change_of(before, after, singles(30), yes_no=False).p_ranks == pytest.approx(wilcoxon(after - before).pvalue)
    assert change_of(before, before, singles(30), yes_no=False).p_ranks is None
    assert change_of(before, after, singles(30), yes_no=True).p_ranks is None


def test_equivalence_needs_both_one_sided_tests() -> None:
    dice = np.random.default_rng(12)
    before = dice.normal(size=200)
    same = change_of(before, before + dice.normal(0, 0.1, 200), singles(200), yes_no=False)
    assert same.p_equivalent(0.05) < 0.001 < 0.05 < same.p_equivalent(0.001)
    better = change_of(before, before + dice.normal(0.2, 0.1, 200), singles(200), yes_no=False)
    assert better.p_above(-0.05) < 0.001 < 0.99 < better.p_equivalent(0.05)
    few = change_of(np.zeros(3), np.zeros(3), singles(3), yes_no=True)
    assert few.p_equivalent(0.5) == 1.0
