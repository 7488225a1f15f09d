"""Metrics of classes give the textbook's figures, and their intervals those of every resample's own score."""

from __future__ import annotations

import random

import numpy as np
import pytest

from atanor.evaluate import compare
from atanor.evaluate.items import Verdict
from atanor.evaluate.options import EvaluationOptions
from tests.evaluate.marking import item, metric, outcome, score

CLASSES = ["card lost", "card stolen", "refund", "top up"]


def drawn(seed: int, count: int, right: float) -> tuple[list[str], list[str]]:
    """References with classes of unequal size, and answers of which a share is right."""
    dice = random.Random(seed)
    references = dice.choices(CLASSES, weights=[20, 10, 5, 2], k=count)
    answers = [name if dice.random() < right else dice.choice([*CLASSES, "I do not know"]) for name in references]
    return answers, references


def macro_f1(answers: list[str], references: list[str]) -> float:
    """As Sokolova and Lapalme 2009 define it, over the classes of the references."""
    scores = []
    for name in set(references):
        right = sum(answer == reference == name for answer, reference in zip(answers, references, strict=True))
        precision = right / max(1, answers.count(name))
        recall = right / references.count(name)
        scores.append(2 * precision * recall / (precision + recall) if right else 0.0)
    return sum(scores) / len(scores)


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_is_the_mean_of_the_classes_own(seed: int) -> None:
    answers, references = drawn(seed, 60, 0.6)
    assert score(metric("macro_f1"), answers, references) == pytest.approx(macro_f1(answers, references), abs=1e-12)


def test_every_resample_has_its_own_macro_f1() -> None:
    answers, references = drawn(3, 40, 0.6)
    found = metric("macro_f1")
    found.begin([item(number, reference) for number, reference in enumerate(references)])
    rows = np.asarray(
        [found.statistics(item(0, ref), outcome(answer)) for ref, answer in zip(references, answers, strict=True)]
    )
    picks = np.random.default_rng(0).integers(0, 40, (50, 40))
    together = found.aggregate(rows[picks].sum(axis=1))
    for chosen, at_once in zip(picks, together, strict=True):
        assert at_once == pytest.approx(
            macro_f1([answers[i] for i in chosen], [references[i] for i in chosen]), abs=1e-12
        )


def test_always_naming_the_frequent_class_is_accurate_and_has_a_poor_macro_f1() -> None:
    references = ["ham"] * 87 + ["spam"] * 13
    always = ["ham"] * 100
    assert score(metric("accuracy"), always, references) == 0.87
    assert score(metric("macro_f1"), always, references) == pytest.approx((2 * 0.87 / 1.87) / 2)


def test_a_comparison_by_macro_f1_sees_a_rare_class_that_accuracy_hardly_does() -> None:
    items = [item(number, "ham" if number < 180 else "spam") for number in range(200)]
    before = [outcome("ham")] * 200
    after = [*before[:180], *[outcome("spam")] * 20]
    options = EvaluationOptions(resamples=2000)
    by_macro, by_accuracy = (
        compare(metric(name), items, before, after, seed=1, options=options) for name in ("macro_f1", "accuracy")
    )
    assert by_macro.verdict is Verdict.BETTER and by_macro.candidate == 1.0
    assert by_macro.change == pytest.approx(1 - (2 * 0.9 / 1.9) / 2)
    assert by_accuracy.change == pytest.approx(0.1) and by_macro.change > 5 * by_accuracy.change
    assert by_macro.candidate_scores[-1] == 1.0 and by_macro.baseline_scores[-1] == 0.0


@pytest.mark.parametrize(
    ("answer", "reference", "accuracy", "label_f1"),
    [
        ("Refund ", "refund", 1.0, 1.0),
        ("top up, refund", "refund, top up", 1.0, 1.0),
        ("refund", "refund, top up", 0.0, 2 / 3),
        ("refund, top up, card lost", "refund, top up", 0.0, 4 / 5),
        ("", "refund", 0.0, 0.0),
        ("It is a refund.", "refund", 0.0, 0.0),
    ],
)
def test_several_classes_are_a_set(answer: str, reference: str, accuracy: float, label_f1: float) -> None:
    assert score(metric("accuracy"), [answer], [reference]) == accuracy
    assert score(metric("label_f1"), [answer], [reference]) == pytest.approx(label_f1)
