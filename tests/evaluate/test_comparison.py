"""Verdicts: total, exclusive, right about planted truths, and one sentence that claims no more than it may."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.errors import MetricError
from atanor.evaluate import compare, decide, overall
from atanor.evaluate.items import Comparison, GateResult, Verdict
from atanor.evaluate.judging.options import JUDGES
from atanor.evaluate.metrics import METRICS
from atanor.evaluate.options import EvaluationOptions
from atanor.evaluate.wear import worn
from tests.evaluate.marking import comparison, item, metric, outcome

OPTIONS = EvaluationOptions(resamples=2000)
ELSEWHERE = {"distinct_1", "distinct_2", "repetition", "mcc", "answer_length", "tokens_used"}
"""What sees no difference between answers that are all alike, what wants one class an item, and counts without bounds,
which have no width where every item changes alike."""
ANSWERED = [entry.name for entry in METRICS if entry.argument is None and entry.name not in ELSEWHERE | set(JUDGES)]
OBJECT = '{"who": "Inés", "does": "opens the last book of the library"}'
POOR = "it was a dark and stormy night, and nobody was there to hear the clock strike twelve"

BETTER, WORSE, SAME, UNSURE = Verdict.BETTER, Verdict.WORSE, Verdict.NO_DIFFERENCE, Verdict.CANNOT_TELL


def paper(name: str, *, good: int, count: int = 40, clusters: int | None = None) -> Comparison:
    """A baseline that is poor throughout against a candidate that is right on the first `good` items."""
    items = [item(n, OBJECT, None if clusters is None else str(n % clusters)) for n in range(count)]
    dice = np.random.default_rng(0)
    hard = 30 + dice.normal(size=count)
    before = [outcome(POOR, float(nll)) for nll in hard]
    after = [outcome(OBJECT, float(nll) - 15) if n < good else before[n] for n, nll in enumerate(hard)]
    return compare(metric(name), items, before, after, seed=1, options=OPTIONS)


@given(
    st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2)).map(sorted),
    st.floats(1e-3, 1),
    st.booleans(),
    st.floats(0, 1),
)
def test_decide_gives_one_answer_and_only_one(
    ends: list[float], margin: float, higher_is_better: bool, p_value: float
) -> None:
    low, change, high = ends
    gain, least, most = (change, low, high) if higher_is_better else (-change, -high, -low)
    rules = {
        BETTER: p_value < 1 - 0.95 and least > 0 and gain >= margin,
        WORSE: p_value < 1 - 0.95 and most < 0 and gain <= -margin,
        SAME: least > -margin and most < margin,
    }
    assert sum(rules.values()) <= 1
    wanted = next((verdict for verdict, holds in rules.items() if holds), UNSURE)
    assert decide(change, low, high, margin, higher_is_better, p_value=p_value, confidence=0.95) is wanted


@pytest.mark.parametrize(
    ("change", "low", "high", "p_value", "wanted"),
    [
        (0.30, 0.20, 0.40, 0.001, BETTER),
        (0.30, 0.20, 0.40, 0.2, UNSURE),  # McNemar does not agree with the interval
        (-0.30, -0.40, -0.20, 0.001, WORSE),
        (0.01, -0.02, 0.04, 0.6, SAME),
        (0.03, 0.01, 0.045, 0.001, SAME),  # certain, and too small to matter
        (0.03, 0.01, 0.06, 0.001, UNSURE),
        (0.10, -0.1, 0.3, 0.3, UNSURE),
        (0.0, -math.inf, math.inf, 1.0, UNSURE),
    ],
)
def test_the_rule_at_a_margin_of_5_percent(
    change: float, low: float, high: float, p_value: float, wanted: Verdict
) -> None:
    assert decide(change, low, high, 0.05, True, p_value=p_value, confidence=0.95) is wanted


@pytest.mark.parametrize("name", ANSWERED)
def test_an_identical_candidate_is_never_better_or_worse(name: str) -> None:
    found = paper(name, good=0)
    assert found.change == 0 and found.p_value == 1
    assert found.verdict in (SAME, UNSURE)


@pytest.mark.parametrize("name", ANSWERED)
def test_improving_every_item_is_better_with_an_interval_that_has_width(name: str) -> None:
    found = paper(name, good=40)
    assert found.verdict is BETTER
    assert found.low < found.high and found.low <= found.change <= found.high
    assert found.clusters == found.items == len(found.candidate_scores) == 40


def test_the_mirror_image_is_worse() -> None:
    items = [item(n) for n in range(40)]
    yes, no = [outcome("yes")] * 40, [outcome("no")] * 40
    better = compare(metric("exact_match"), items, no, yes, seed=1, options=OPTIONS)
    worse = compare(metric("exact_match"), items, yes, no, seed=1, options=OPTIONS)
    assert (better.verdict, worse.verdict) == (BETTER, WORSE)
    assert (better.low, better.high, better.p_value) == pytest.approx((-worse.high, -worse.low, worse.p_value))


def test_few_items_improved_out_of_many_cannot_be_told() -> None:
    assert paper("exact_match", good=3).verdict is UNSURE


@pytest.mark.parametrize("name", ["exact_match", "rouge_l", "perplexity", "bleu"])
@pytest.mark.parametrize("clusters", [1, 2, 5])
def test_with_too_few_clusters_nothing_can_be_told_and_the_report_can_carry_it(name: str, clusters: int) -> None:
    found = paper(name, good=40, clusters=clusters)
    assert found.verdict is UNSURE
    assert found.low < -found.margin < found.margin < found.high
    json.dumps(asdict(found), allow_nan=False)


def test_no_false_better_under_no_effect() -> None:
    dice = np.random.default_rng(9)
    found, items = metric("exact_match", margin=0.001), [item(n) for n in range(40)]
    options = EvaluationOptions(resamples=1000)
    falsely = 0
    for _ in range(300):
        before, after = ([outcome("yes" if x < 0.5 else "no") for x in dice.random(40)] for _ in range(2))
        falsely += compare(found, items, before, after, seed=0, options=options).verdict is BETTER
    assert falsely / 300 <= 0.05


def test_statistics_are_asked_once_an_item_and_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked = metric("bleu"), []
    plain = found.statistics
    monkeypatch.setattr(found, "statistics", lambda one, made: asked.append(one.id) or plain(one, made))
    items = [item(n, OBJECT) for n in range(8)]
    compare(found, items, [outcome(POOR)] * 8, [outcome(OBJECT)] * 8, seed=0, options=OPTIONS)
    assert len(asked) == 16


def test_a_score_that_is_not_finite_or_no_items_is_an_error() -> None:
    items = [item(n) for n in range(8)]
    fine, wild = [outcome(None)] * 8, [outcome(None, nll=1e6)] * 8
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(MetricError, match="perplexity: the candidate's score over all items is inf"):
            compare(metric("perplexity"), items, fine, wild, seed=0, options=OPTIONS)
    with pytest.raises(MetricError, match="no items to compare on"):
        compare(metric("perplexity"), [], [], [], seed=0, options=OPTIONS)
    with pytest.raises(ValueError, match="shorter"):
        compare(metric("perplexity"), items, fine, fine[:-1], seed=0, options=OPTIONS)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=6, max_size=40), st.integers(0, 3))
def test_an_interval_always_holds_its_change(pairs: list[tuple[bool, bool]], seed: int) -> None:
    items = [item(n) for n in range(len(pairs))]
    before, after = ([outcome("yes" if pair[who] else "no") for pair in pairs] for who in (0, 1))
    found = compare(metric("exact_match"), items, before, after, seed=seed, options=EvaluationOptions(resamples=1000))
    assert -1 <= found.low <= found.change <= found.high <= 1
    assert found.low < found.high


PASSED, FAILED = GateResult("json_schema better", True, ""), GateResult("forgetting within 0.05", False, "")


@pytest.mark.parametrize(
    ("verdicts", "gates", "wanted", "sentence"),
    [
        ((BETTER, SAME), (), BETTER, "Better on field a; no difference on field b."),
        ((BETTER, UNSURE), (PASSED,), BETTER, "Better on field a; cannot tell on field b; its gate passes."),
        (
            (BETTER, BETTER),
            (PASSED, FAILED),
            UNSURE,
            "Better on field a and field b, but a gate is not reached: `forgetting within 0.05`.",
        ),
        ((BETTER, WORSE), (PASSED,), UNSURE, "Mixed: better on field a, worse on field b."),
        ((WORSE, SAME), (), WORSE, "Worse on field a; no difference on field b."),
        ((SAME, SAME), (FAILED,), SAME, "No difference that matters on field a and field b."),
        (
            (SAME, UNSURE),
            (PASSED,),
            UNSURE,
            "Cannot tell on field b: the intervals are too wide. More test items would narrow them.",
        ),
        ((), (), UNSURE, "No metric looks at what the role should do."),
    ],
)
def test_the_overall_verdict(
    verdicts: tuple[Verdict, ...], gates: tuple[GateResult, ...], wanted: Verdict, sentence: str
) -> None:
    found = [comparison(f"field_{letter}", verdict) for letter, verdict in zip("ab", verdicts, strict=False)]
    assert overall([*found, comparison("forgetting", SAME)], gates) == (wanted, sentence)


def test_many_metrics_make_a_single_lucky_one_no_proof() -> None:
    lucky = comparison("lucky", BETTER, p_value=0.03)
    others = [comparison(f"other_{n}", UNSURE, p_value=0.5) for n in range(4)]
    assert overall([lucky], [])[0] is BETTER
    verdict, sentence = overall([lucky, *others], [PASSED])
    assert verdict is UNSURE
    assert sentence == "Looks better on lucky, but with 5 metrics looked at that may be chance."


def test_forgetting_makes_nothing_better_and_is_never_hidden() -> None:
    assert overall([comparison("forgetting", BETTER)], [])[0] is UNSURE
    verdict, sentence = overall([comparison("rouge_l", BETTER), comparison("forgetting", WORSE)], [])
    assert verdict is BETTER
    assert sentence.endswith("General text became worse: the candidate forgot something.")


def test_too_few_items_are_named_as_the_reason() -> None:
    sentence = overall([comparison("rouge_l", UNSURE, clusters=4)], [])[1]
    assert sentence == "Cannot tell: 4 independent test items are too few; no verdict can rest on fewer than 6."


@pytest.mark.parametrize("name", ["token_f1", "perplexity"])
def test_the_one_sided_tests_follow_the_metric_s_direction(name: str) -> None:
    better, same = paper(name, good=40), paper(name, good=0)
    assert better.p_not_worse is not None and better.p_equivalent is not None
    assert better.p_not_worse < 0.001 < 0.9 < better.p_equivalent
    assert same.p_not_worse is not None and same.p_not_worse < 0.05, "what did not change is not worse"
    items = [item(n, OBJECT) for n in range(40)]
    good = [outcome(OBJECT, 15.0 + n / 10) for n in range(40)]
    poor = [outcome(POOR, 40.0 + n / 10) for n in range(40)]
    worse = compare(metric(name), items, good, poor, seed=1, options=OPTIONS)
    assert worse.p_not_worse is not None and worse.p_not_worse > 0.9


def test_a_split_that_was_looked_at_often_asks_for_more() -> None:
    surely, barely = (
        comparison("rouge_l", BETTER, p_value=1e-6, label="ROUGE-L"),
        comparison("bleu", BETTER, p_value=0.02, label="BLEU"),
    )
    assert worn(1, [barely], 0.95) is None and worn(2, [barely], 0.95) is None
    said = worn(5, [barely], 0.95)
    assert said == (
        "This test split has judged 5 candidates. Of so many without any gain one would look better by chance in up to "
        "12% of cases, so a p-value below 0.01 is asked for; BLEU does not reach it. Hold out new items before you "
        "trust it."
    )
    assert (worn(5, [surely], 0.95) or "").endswith("what is better here reaches it.")
    assert (worn(5, [], 0.95) or "").endswith("is asked for.")
