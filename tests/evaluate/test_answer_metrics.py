"""Metrics of answers equal scikit-learn, or the plain computation where there is no package to be equal to."""

from __future__ import annotations

import dataclasses
import math
import random
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from atanor.errors import ConfigurationError, MetricError, MissingExtraError
from atanor.evaluate import compare, overall
from atanor.evaluate.items import Outcome, Verdict
from atanor.evaluate.metrics import METRICS, Metric
from atanor.evaluate.metrics.editing import levenshtein
from atanor.evaluate.metrics.meaning import USUAL_PACKAGE
from atanor.evaluate.metrics.slots import slots_of
from atanor.evaluate.options import EvaluationOptions
from tests.evaluate.marking import item, metric, outcome, score

CLASSES = ["refund", "card lost", "top up", "other"]
NAMED = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=30)
OPTIONS = EvaluationOptions(resamples=1000)


def of_outcomes(found: Metric, outcomes: list[Outcome], references: list[str]) -> float:
    items = [item(number, reference) for number, reference in enumerate(references)]
    found.begin(items)
    return float(found.aggregate(np.asarray(found.tabulate(items, outcomes)).sum(axis=0)))


@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(deadline=None, max_examples=80)
@given(NAMED)
def test_metrics_of_classes_are_scikit_learn_s(pairs: list[tuple[str, str]]) -> None:
    answers, references = [answer for answer, _ in pairs], [reference for _, reference in pairs]
    foreign = ["none of them" if answer not in references else answer for answer in answers]
    wanted = {
        "accuracy": accuracy_score(references, answers),
        "mcc": matthews_corrcoef(references, foreign),
        "macro_f1": f1_score(references, answers, labels=sorted(set(references)), average="macro", zero_division=0),
        "label_f1": f1_score(references, answers, average="micro"),
    }
    for name, expected in wanted.items():
        assert score(metric(name), answers, references) == pytest.approx(expected, abs=1e-12), name


def test_correlation_of_what_names_no_class_is_that_of_one_class_more() -> None:
    references = ["a", "b", "c"] * 6
    answers = ["a", "x", "a, b", "A ", "b", "c", "", "b", "what?"] * 2
    plain = [answer.strip().lower() if answer.strip().lower() in "abc" and answer else "none" for answer in answers]
    assert score(metric("mcc"), answers, references) == pytest.approx(matthews_corrcoef(references, plain), abs=1e-12)


def test_correlation_is_of_one_class_an_item() -> None:
    with pytest.raises(MetricError, match=r"item item-2: the reference names several classes.*Use `label_f1`"):
        metric("mcc").check_item(item(2, "a, b"))


def test_a_candidate_that_names_the_right_class_correlates_better_than_one_that_always_says_the_same() -> None:
    items = [item(number, CLASSES[number % 3]) for number in range(60)]
    right, same = [outcome(one.reference) for one in items], [outcome("refund") for _ in items]
    found = compare(metric("mcc"), items, same, right, seed=1, options=OPTIONS)
    assert (found.verdict, found.baseline, found.candidate) == (Verdict.BETTER, 0.0, 1.0)
    assert compare(metric("mcc"), items, same, same, seed=1, options=OPTIONS).change == 0


def test_calibration_error_is_the_plain_one_of_ten_bins() -> None:
    dice = random.Random(5)
    outcomes, references, rows = [], [], []
    for _ in range(300):
        confidence, right = dice.choice([dice.random(), 0.3, 1.0]), dice.random() < 0.6
        outcomes.append(dataclasses.replace(outcome("yes" if right else "no"), confidence=confidence))
        references.append("yes")
        rows.append((confidence, right))
    expected = 0.0
    for number in range(10):
        inside = [row for row in rows if number / 10 < row[0] <= (number + 1) / 10]
        if inside:
            expected += abs(sum(c for c, _ in inside) - sum(r for _, r in inside)) / len(rows)
    assert of_outcomes(metric("ece"), outcomes, references) == pytest.approx(expected, abs=1e-12)


def test_an_answer_that_was_written_has_no_calibration() -> None:
    with pytest.raises(MetricError, match=r"item item-1: the answer has no probability.*choices: labels"):
        metric("ece").statistics(item(1), dataclasses.replace(outcome("yes"), confidence=None))


@cache
def plainly(one: str, other: str) -> int:
    if not one or not other:
        return max(len(one), len(other))
    return min(
        plainly(one[1:], other) + 1, plainly(one, other[1:]) + 1, plainly(one[1:], other[1:]) + (one[0] != other[0])
    )


@settings(deadline=None, max_examples=80)
@given(st.text("abcé", max_size=9), st.text("abcé", max_size=9))
def test_edit_distance_is_levenshtein_s(one: str, other: str) -> None:
    found = levenshtein(*(np.array([ord(letter) for letter in text], dtype=np.int32) for text in (one, other)))
    assert found == plainly(one, other)
    expected = plainly(one, other) / max(len(one), len(other), 1)
    assert score(metric("edit_distance"), [one], [other]) == pytest.approx(expected, abs=1e-12)


def test_the_nearest_reference_counts() -> None:
    both = dataclasses.replace(item(0, "far away"), also_right=("near",))
    assert metric("edit_distance").statistics(both, outcome("nears"))[0] == pytest.approx(1 / 5)
    assert metric("length_ratio").statistics(both, outcome("here"))[0] == 0.0


def test_distinct_n_is_of_the_corpus() -> None:
    answers = ["the cat sat", "The cat ran.", "", "a cat"]
    assert score_of_all("distinct_1", answers) == pytest.approx(5 / 8)  # the cat sat ran a
    assert score_of_all("distinct_2", answers) == pytest.approx(4 / 5)
    assert score_of_all("distinct_2", ["one", ""]) == 0.0


def score_of_all(name: str, answers: list[str]) -> float:
    return of_outcomes(metric(name), [outcome(answer) for answer in answers], ["yes"] * len(answers))


def test_a_candidate_that_says_the_same_everywhere_is_worse_on_distinct_words_and_one_in_a_loop_on_repetition() -> None:
    items = [item(number) for number in range(30)]
    varied = [outcome(f"book {number} stands on shelf {number * 7} of hall {number % 5} today") for number in range(30)]
    same, loop = [outcome("the same book stands here")] * 30, [outcome("round and round " * 9)] * 30
    for name, poor in (("distinct_1", same), ("distinct_2", same), ("repetition", loop)):
        found = compare(metric(name), items, varied, poor, seed=1, options=OPTIONS)
        assert found.verdict is Verdict.WORSE, name
        assert compare(metric(name), items, poor, varied, seed=1, options=OPTIONS).verdict is Verdict.BETTER, name
        assert compare(metric(name), items, poor, poor, seed=1, options=OPTIONS).change == 0, name


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("a b c d a b c d", 1 / 5), ("a b c d", 0.0), ("a b", 0.0), ("", 0.0), ("x x x x x x x", 3 / 4)],
)
def test_repetition_is_the_share_of_runs_of_four_words_already_had(answer: str, expected: float) -> None:
    assert score(metric("repetition"), [answer], [""]) == pytest.approx(expected)


def test_length_beside_the_reference_is_one_where_it_is_the_same_and_alike_for_longer_and_shorter() -> None:
    found = metric("length_ratio")
    assert score(found, ["one two three"], ["a b c"]) == 1.0
    assert score(found, ["a b c d e f g"], ["a b c"]) == pytest.approx(2.0)
    assert score(found, ["a"], ["a b c"]) == pytest.approx(2.0)
    assert score(found, ["a b c d e f g", "a b c"], ["a b c", "a b c"]) == pytest.approx(math.sqrt(2))


def test_costs_are_means_and_make_no_candidate_better_or_worse() -> None:
    made = Outcome("two words", True, 1.0, 1, 1, seconds=0.5, prompt_tokens=30, answer_tokens=4)
    assert [metric(name).statistics(item(0), made)[0] for name in COSTS] == [2.0, 34.0, 0.5]
    items = [item(number) for number in range(30)]
    costly = dataclasses.replace(made, answer="very many words in here", seconds=2.0, prompt_tokens=400)
    for name in COSTS:
        found = compare(metric(name), items, [costly] * 30, [made] * 30, seed=1, options=OPTIONS)
        assert found.verdict is Verdict.BETTER and not found.target
        assert overall([found], [])[1] == "No metric looks at what the role should do."


COSTS = ("answer_length", "tokens_used", "latency")


@pytest.mark.parametrize("name", ["tokens_used", "latency"])
def test_a_cost_that_was_not_measured_is_told(name: str) -> None:
    with pytest.raises(MetricError, match=r"item item-3: the .* not (counted|measured)"):
        metric(name).statistics(item(3), Outcome("yes", True, 1.0, 1, 1))


MR = "name[Alimentum], area[city centre], familyFriendly[no]"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (MR, 0.0),
        ("area[City  Centre], familyFriendly[no], name[alimentum]", 0.0),
        ("name[Alimentum], area[riverside], familyFriendly[no]", 2 / 3),
        ("name[Alimentum], familyFriendly[no]", 1 / 3),
        (f"{MR}, food[French]", 1 / 3),
        ('{"name": "Alimentum", "area": "city centre", "familyFriendly": "no"}', 0.0),
        ("Alimentum is in the city centre", 1.0),
        ("", 1.0),
    ],
)
def test_slot_errors_of_a_representation_are_slots_missing_and_added(answer: str, expected: float) -> None:
    assert score(metric("slot_error_rate"), [answer], [MR]) == pytest.approx(expected)


def test_slot_errors_of_a_text_are_values_not_said_and_values_of_other_items() -> None:
    representations = [
        "name[Alimentum], area[city centre], familyFriendly[no]",
        "name[The Old Pub], area[riverside], food[French]",
        "name[The Eagle], area[city centre], eatType[pub]",
    ]
    answers = [
        "Alimentum stands in the city centre.",  # right: what is no is not looked for
        "The old pub serves French food in the city centre.",  # the riverside is missing, the city centre is added
        "The Eagle is a French place by the riverside.",  # centre and pub missing, French and riverside added
    ]
    rows = [
        dataclasses.replace(item(number, "said"), fields={"mr": text}) for number, text in enumerate(representations)
    ]
    found = metric("slot_error_rate", "mr")
    found.begin(rows)
    marks = [found.statistics(row, outcome(answer)) for row, answer in zip(rows, answers, strict=True)]
    assert marks == [(0.0, 2.0), (2.0, 3.0), (4.0, 3.0)]
    assert float(found.aggregate(np.asarray(marks).sum(axis=0))) == pytest.approx(6 / 8)
    with pytest.raises(MetricError, match=r"item item-0: its row has no column `meaning`. Name one of: mr"):
        metric("slot_error_rate", "meaning").check_item(rows[0])
    with pytest.raises(MetricError, match="column `mr` is no meaning representation"):
        found.check_item(dataclasses.replace(rows[0], fields={"mr": "just words"}))
    with pytest.raises(MetricError, match="the reference is no meaning representation"):
        metric("slot_error_rate").check_item(item(0, "just words"))


def test_slots_of_json_are_its_leaves() -> None:
    assert slots_of('{"a": {"b": 1.0, "c": ["X", "y"]}, "d": true}') == slots_of(
        {"d": True, "a": {"c": ["y", "x"], "b": 1}}
    )
    assert slots_of("[1]") is None and slots_of("") is None and slots_of("a[b] and more") is None


def test_similarity_of_meaning_knows_a_paraphrase_from_another_question() -> None:
    pytest.importorskip(USUAL_PACKAGE.replace("-", "_"), reason="the sentence encoder's package is not installed")
    found = metric("embedding_similarity")
    wanted = "How can I add money to my card?"
    answers = [wanted, "How do I top up my card?", "What is the capital of France?", ""]
    rows = found.tabulate([item(number, wanted) for number in range(4)], [outcome(answer) for answer in answers])
    same, near, far, empty = (row[0] for row in rows)
    assert same == pytest.approx(1) and same > near > 0.4 > far and empty == 0.0
    assert found.statistics(item(0, ""), outcome("")) == (1.0, 1.0)
    several = dataclasses.replace(item(0, "What is the capital of France?"), also_right=(wanted,))
    assert found.statistics(several, outcome(wanted))[0] == pytest.approx(1)


def test_an_encoder_that_is_not_there_or_means_nothing_is_refused() -> None:
    with pytest.raises(MissingExtraError, match=r"embedding_similarity: .*Run `python -m pip install no-such-encoder`"):
        metric("embedding_similarity", "pkg:no-such-encoder")
    with pytest.raises(ConfigurationError, match="knows no meaning"):
        metric("embedding_similarity", "lexical")


@pytest.mark.parametrize("answer", ["", " \n", "yes"])
@pytest.mark.parametrize("reference", ["", "yes"])
@pytest.mark.parametrize("name", [entry.name for entry in METRICS if entry.argument is None and not entry.judged])
def test_an_empty_answer_or_reference_has_a_finite_score_or_is_refused_by_name(
    name: str, reference: str, answer: str
) -> None:
    found, one = metric(name), item(4, reference)
    try:
        found.begin([one])
        found.check_item(one)
        made = dataclasses.replace(outcome(answer), bytes=len(reference))
        if isinstance(marks := found.tabulate([one], [made])[0], MetricError):
            raise marks
    except MetricError as error:
        assert "item item-4: " in str(error) and error.problems[0].fix
        return
    with np.errstate(all="raise"):
        total = float(found.aggregate(np.asarray(marks)))
    assert math.isfinite(total)
    if found.bounds is not None:
        assert found.bounds[0] <= total <= found.bounds[1]
