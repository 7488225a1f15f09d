"""Budgets of steps, tokens, minutes and money: what comes first ends training, and the schedule ends with it."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from atanor.errors import ConfigurationError
from atanor.progress import Silent
from atanor.store.files import sha256_file
from atanor.train import Ended, Interrupted, TrainingResult, TrainOptions, budget_of, session, train
from atanor.train.checkpoint import checkpoints
from atanor.train.optimizers import build_optimizer, build_schedule
from tests.train.jobs import job, rows, tiny_base
from tests.train.test_training import Listener

ALWAYS = {"epochs": 8, "batch": 4, "learning_rate": 1e-2, "validate_every": 3, "patience": 0, "keep_checkpoints": 9}
WHOLE = 40
"""Steps of these epochs over 19 rows."""


def trained(base: Path, folder: Path, progress: Silent | None = None, **options: Any) -> TrainingResult:
    return train(job(tiny_base(base), folder, TrainOptions(**{**ALWAYS, **options})), progress or Silent())


def history(folder: Path) -> list[dict[str, float]]:
    state = json.loads((checkpoints(folder)[-1].folder / "trainer_state.json").read_text())
    return [entry for entry in state["log_history"] if "loss" in entry]


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a second whenever it is looked at."""
    ticks = itertools.count()
    monkeypatch.setattr(session.time, "perf_counter", lambda: float(next(ticks)))


def test_steps_end_training_and_the_schedule_with_it(tiny_base_folder: Path, tmp_path: Path) -> None:
    listener = Listener()
    result = trained(tiny_base_folder, tmp_path, listener, max_steps=7)
    assert (result.steps, result.ended) == (7, Ended.MAX_STEPS)
    rates = [entry["learning_rate"] for entry in history(tmp_path)]
    assert max(rates) == pytest.approx(1e-2) and rates[-1] < 1e-3
    assert any("ended by `max_steps` after 7 steps" in said for said in listener.said)


def test_tokens_are_never_more_than_allowed(tiny_base_folder: Path, tmp_path: Path) -> None:
    listener = Listener()
    result = trained(tiny_base_folder, tmp_path, listener, max_tokens=2000)
    whole = trained(tiny_base_folder, tmp_path / "whole", epochs=4)
    assert result.ended is Ended.MAX_TOKENS and result.steps < WHOLE
    assert 2000 * 0.8 < result.logical_tokens <= 2000 < whole.logical_tokens
    assert history(tmp_path)[-1]["learning_rate"] < 1e-3
    assert whole.ended is Ended.EPOCHS


def test_a_budget_below_one_step_is_refused(tiny_base_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"the first step has \d+ tokens") as refused:
        trained(tiny_base_folder, tmp_path, max_tokens=10)
    assert "Raise it, or lower `batch`" in str(refused.value)


@pytest.mark.usefixtures("seconds")
@pytest.mark.parametrize(
    ("options", "ended"),
    [
        ({"max_minutes": 0.5}, Ended.MAX_MINUTES),
        ({"max_cost": 1, "price_per_hour": 120}, Ended.MAX_COST),
        ({"max_cost": 1, "price_per_hour": 120, "max_minutes": 2, "max_steps": 30}, Ended.MAX_COST),
    ],
)
def test_time_ends_training_and_the_schedule_is_at_its_end_by_then(
    options: dict[str, float], ended: Ended, tiny_base_folder: Path, tmp_path: Path
) -> None:
    listener = Listener()
    result = trained(tiny_base_folder, tmp_path, listener, **options)
    assert result.ended is ended and 3 < result.steps < 30
    assert 30 <= result.seconds < 40
    assert history(tmp_path)[-1]["learning_rate"] < 2e-3, "the schedule was nearly at its end"
    assert result.validation_loss[-1][0] == result.steps, "what was trained last is validated and kept"
    again = trained(tiny_base_folder, tmp_path, **options)
    assert again.steps == result.steps and again.ended is ended, "a run whose time is spent is finished"


@pytest.mark.usefixtures("seconds")
def test_time_adds_up_over_interruptions(tiny_base_folder: Path, tmp_path: Path) -> None:
    class Impatient(Silent):
        def start(self, name: str, total: int, unit: str, done: int = 0):  # type: ignore[no-untyped-def]
            activity = super().start(name, total, unit, done)
            advance, steps = activity.advance, iter(range(99))

            def watch(count: int = 1, **figures: float | str) -> None:
                advance(count, **figures)
                if count and next(steps) == 3:
                    os.kill(os.getpid(), signal.SIGINT)

            activity.advance = watch  # type: ignore[method-assign]
            return activity

    whole = trained(tiny_base_folder, tmp_path / "whole", max_minutes=0.75)
    with pytest.raises(Interrupted):
        trained(tiny_base_folder, tmp_path / "stopped", Impatient(), max_minutes=0.75)
    result = trained(tiny_base_folder, tmp_path / "stopped", max_minutes=0.75)
    assert result.resumed_at > 0 and result.ended is Ended.MAX_MINUTES
    assert abs(result.steps - whole.steps) <= 2, "not as much again"


def test_time_that_does_not_run_out_changes_no_bit(tiny_base_folder: Path, tmp_path: Path) -> None:
    hashes = set()
    for name, options in (("free", {}), ("timed", {"max_minutes": 600})):
        result = trained(tiny_base_folder, tmp_path / name, epochs=2, **options)
        assert result.ended is Ended.EPOCHS
        hashes.add(sha256_file(result.folder / "adapter_model.safetensors"))
    assert len(hashes) == 1


def test_the_plan_names_every_limit(tiny_base_folder: Path) -> None:
    training = rows(tiny_base(tiny_base_folder), 19)

    def words(**options: Any) -> str:
        chosen = TrainOptions(**{**ALWAYS, **options})
        return budget_of(training, chosen, 17).in_words(chosen.batch)

    assert words() == "40 steps of 4 rows"
    assert words(max_steps=50) == "40 steps of 4 rows"
    assert words(max_steps=9) == "9 steps of 4 rows (max_steps)"
    assert words(max_minutes=3, max_cost=1, price_per_hour=30) == "40 steps of 4 rows or 2 minutes (max_cost)"


def test_the_schedule_follows_the_larger_share_of_steps_and_time() -> None:
    options = TrainOptions(learning_rate=1.0, schedule="linear", warmup=0.0)
    optimizer = build_optimizer([("w", nn.Parameter(torch.zeros(1)))], options, {})
    shares = iter([0.0, 0.0, 0.5, 0.9, 1.0])
    schedule = build_schedule(optimizer, options, 100, lambda: next(shares))
    rates = []
    for _ in range(5):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.99, 0.98, 0.5, 0.1, 0.0])


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"max_cost": 1}, "`max_cost` needs `price_per_hour`"),
        ({"price_per_hour": 1}, "`price_per_hour` is read with `max_cost` only"),
    ],
)
def test_a_cost_has_a_price(written: dict[str, float], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        TrainOptions(**written)
