"""An item that a metric cannot mark is told with its reason and its policy, and never silently dropped."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from pathlib import Path

import numpy as np
import pytest

from atanor.errors import ConfigurationError, MetricError
from atanor.evaluate import Comparison, build_metric, compare
from atanor.evaluate.items import OnError, Outcome, Unmarked
from atanor.evaluate.marking import notes_on_marks
from atanor.evaluate.metrics import custom
from atanor.evaluate.options import EvaluationOptions, MetricSpec
from atanor.evaluate.statistics import paired_change
from tests.evaluate.marking import item, metric, outcome

CODE = """\
def careful(answer: str, item) -> bool:
    if item.fields["note"] == 7 and answer == "good":
        raise ValueError("seven is not to be judged")
    return answer == "good"

def undefined(answer, item):
    return float("nan") if item.fields["note"] in (2, 5) else len(answer) / 10
"""
ITEMS = [item(number) for number in range(20)]
GOOD, POOR = [outcome("good")] * 20, [outcome("poor one")] * 20


def judged(tmp_path: Path, function: str, on_error: str) -> Comparison:
    (tmp_path / "metrics.py").write_text(CODE)
    spec = MetricSpec(name="custom", argument=f"metrics.py:{function}", on_error=OnError(on_error))
    return compare(build_metric(spec, tmp_path), ITEMS, POOR, GOOD, seed=1, options=EvaluationOptions(resamples=1000))


def test_an_item_that_fails_stops_the_comparison_unless_the_project_says_otherwise(tmp_path: Path) -> None:
    assert MetricSpec(name="custom").on_error is OnError.STOP
    with pytest.raises(MetricError, match=r"metrics.py:3  custom: item item-7: `careful` raised ValueError: seven is"):
        judged(tmp_path, "careful", "stop")
    with pytest.raises(MetricError) as raised:
        judged(tmp_path, "undefined", "stop")
    assert [problem.reason[:12] for problem in raised.value.problems] == ["item item-2:", "item item-5:"] * 2


def test_an_excluded_item_counts_for_neither_and_is_told(tmp_path: Path) -> None:
    found = judged(tmp_path, "careful", "exclude")
    assert (found.items, found.baseline, found.candidate) == (19, 0.0, 1.0)
    assert found.unmarked == (
        Unmarked("item-7", "candidate", "`careful` raised ValueError: seven is not to be judged"),
    )
    assert found.baseline_scores[7] is None and found.candidate_scores[7] is None
    assert len(found.candidate_scores) == 20 and found.candidate_scores[8] == 1.0
    assert notes_on_marks([found]) == [
        "`custom` could not mark 1 item, which count for neither candidate (`on_error: exclude`): item-7 (candidate): "
        "`careful` raised ValueError: seven is not to be judged."
    ]


def test_the_worst_score_is_given_to_whose_answer_it_is(tmp_path: Path) -> None:
    found = judged(tmp_path, "careful", "worst")
    assert (found.items, found.baseline, found.candidate) == (20, 0.0, 0.95)
    assert "got the worst score there is (`on_error: worst`)" in notes_on_marks([found])[0]


def test_what_is_not_a_number_is_counted_for_each_candidate(tmp_path: Path) -> None:
    found = judged(tmp_path, "undefined", "exclude")
    assert found.items == 18 and len(found.unmarked) == 4
    (note,) = notes_on_marks([found])
    assert "could not mark 2 items" in note
    assert "item-5 (candidate): `undefined` returned nan, which is no finite number" in note


def test_there_is_no_worst_where_scores_have_no_bounds(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"on_error: `custom` has no worst score .*Write `on_error: exclude`"):
        judged(tmp_path, "undefined", "worst")
    with pytest.raises(ConfigurationError, match="`bleu` has no worst score"):
        build_metric(MetricSpec(name="bleu", on_error=OnError.WORST), tmp_path)


def test_where_nothing_can_be_marked_the_first_reason_is_told() -> None:
    spec = MetricSpec(name="field_accuracy", on_error=OnError.EXCLUDE)
    with pytest.raises(MetricError, match=r"no item could be marked\. The first: item-0: the reference is no JSON"):
        compare(build_metric(spec, Path()), ITEMS, POOR, GOOD, seed=1, options=EvaluationOptions(resamples=1000))


def test_a_missing_reference_is_an_item_like_any_other_that_cannot_be_marked() -> None:
    items = [item(number, "" if number == 3 else '{"a": 1}') for number in range(12)]
    found = compare(
        build_metric(MetricSpec(name="field_accuracy", on_error=OnError.EXCLUDE), Path()),
        items,
        [outcome("{}")] * 12,
        [outcome('{"a": 1}')] * 12,
        seed=1,
        options=EvaluationOptions(resamples=1000),
    )
    assert found.items == 11 and {one.item for one in found.unmarked} == {"item-3"}
    endless = [dataclasses.replace(one, nll=float("inf")) for one in GOOD[:1]] + GOOD[1:]
    spec = MetricSpec(name="perplexity", on_error=OnError.EXCLUDE)
    found = compare(build_metric(spec, Path()), ITEMS, endless, GOOD, seed=1, options=EvaluationOptions(resamples=1000))
    assert [(one.item, one.whose) for one in found.unmarked] == [("item-0", "base")]


def test_a_function_of_an_installed_package_is_named_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("shortness", f"{__name__}:shortness", "atanor.metrics")
    broken = importlib.metadata.EntryPoint("broken", f"{__name__}:absent", "atanor.metrics")
    monkeypatch.setattr(custom, "entry_points", lambda group: [point, broken] if group == "atanor.metrics" else [])
    assert metric("custom", "shortness").statistics(item(0), outcome("four")) == (0.25, 1.0)
    with pytest.raises(ConfigurationError, match="Did you mean `shortness`"):
        metric("custom", "shortnes")
    with pytest.raises(ConfigurationError, match="`broken` cannot be loaded"):
        metric("custom", "broken")


def shortness(answer: str, item: object) -> float:
    del item
    return 1 / len(answer)


def test_an_error_beside_that_of_the_items_widens_the_interval_as_the_sum_of_variances() -> None:
    dice = np.random.default_rng(3)
    before = np.column_stack([dice.normal(3, 1, 200), np.ones(200)])
    after = np.column_stack([before[:, 0] + dice.normal(0.2, 0.5, 200), np.ones(200)])
    names = [str(number) for number in range(200)]

    def found(extra: float) -> tuple[float, float]:
        change = paired_change(
            before, after, names, lambda sums: sums[..., 0] / sums[..., 1],
            yes_no=False, span=None, confidence=0.95, resamples=4000, seed=1, extra_error=extra,
        )  # fmt: skip
        return change.interval.high - change.interval.low, change.p_value

    plain, surely = found(0.0)
    wide, unsure = found(0.1)
    error = plain / 2 / 1.96
    assert wide == pytest.approx(2 * 1.96 * np.hypot(error, 0.1), rel=0.06)
    assert surely < 0.001 < unsure


def test_outcomes_without_what_a_metric_wants_are_excluded_by_name() -> None:
    bare = [Outcome("yes", True, 1.0, 1, 1)] + [outcome("yes")] * 19
    spec = MetricSpec(name="ece", on_error=OnError.EXCLUDE)
    found = compare(build_metric(spec, Path()), ITEMS, bare, GOOD, seed=1, options=EvaluationOptions(resamples=1000))
    assert found.items == 19 and found.unmarked[0].reason.startswith("the answer has no probability")
