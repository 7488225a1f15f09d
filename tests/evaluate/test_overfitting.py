"""The gap between training and validation, and what came after the best step."""

from __future__ import annotations

import math

import pytest

from atanor.evaluate import render_html
from atanor.evaluate.overfitting import overfitting_of
from tests.evaluate_report.reports import full_report, training


def test_a_training_that_went_on_by_heart_is_known() -> None:
    falling = [(step, 2.0 - step / 10) for step in range(1, 13)]
    found = overfitting_of(training(best_step=4, train_loss=falling, validation_loss=[(4, 1.5), (8, 1.7), (12, 2.0)]))
    assert found is not None and found.memorising
    # Steps 1 to 4 have 1.75 on average, steps 9 to 12 0.95.
    assert found.gap == pytest.approx(1.5 - 1.75) and found.validation_after == pytest.approx(0.5)
    assert found.training_after == pytest.approx(-0.8)
    assert "from there validation rose by +0.500 while training changed by −0.800" in found.in_words


def test_a_training_whose_last_step_is_its_best_is_not_overfitted() -> None:
    found = overfitting_of(
        training(best_step=12, train_loss=[(6, 1.0), (12, 0.8)], validation_loss=[(6, 1.1), (12, 0.9)])
    )
    assert found is not None and not found.memorising and found.gap == pytest.approx(0.1)
    assert found.in_words.endswith("it never rose")


def test_nothing_is_said_without_both_losses() -> None:
    assert overfitting_of(training(validation_loss=[])) is None
    assert overfitting_of(training(train_loss=[(1, math.nan)])) is None


def test_the_page_tells_it() -> None:
    assert "Overfitting" in render_html(full_report())
