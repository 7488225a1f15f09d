"""Figures reach a tracker once each, whether it is there, away for a while, or away for good."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from atanor.progress import Silent
from atanor.tracking import Conclusion, Courier, HistoryFile, Point, RunFacts, Unreachable, courier
from atanor.tracking.history import FILE, points_of, read_history
from atanor.tracking.records import End

FACTS = RunFacts("library", "guide", "lora", "ab12", "ab12" * 16, {"lora.rank": "8"})
VERDICT = Conclusion(3, {"verdict/rouge_l/change": 0.1}, "**better**", {"atanor.verdict": "better"})


class Listener(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


class Notebook:
    """A tracker that refuses its first `refusals` calls and keeps the rest."""

    name = "notebook"

    def __init__(self, refusals: int = 0, known: Mapping[str, int] | None = None) -> None:
        self.refusals = refusals
        self.known = dict(known or {})
        self.written: list[tuple[int, str, float]] = []
        self.ends: list[Conclusion | End] = []

    def _answer(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unreachable("no route")

    def begin(self, facts: RunFacts) -> Mapping[str, int]:
        assert facts is FACTS
        self._answer()
        return self.known

    def add(self, points: Sequence[Point]) -> None:
        self._answer()
        self.written += [(point.step, name, value) for point in points for name, value in point.values.items()]

    def conclude(self, conclusion: Conclusion) -> None:
        self._answer()
        self.ends.append(conclusion)

    def leave(self, end: End) -> None:
        self._answer()
        self.ends.append(end)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT", 0.01)


def points(*steps: int) -> list[Point]:
    return [Point(step, {"train/loss": float(step)}, 0.0) for step in steps]


@pytest.mark.parametrize("refusals", [0, 1, 5])
def test_everything_arrives_once_and_in_order(refusals: int) -> None:
    notebook, listener = Notebook(refusals), Listener()
    sent = Courier(notebook, FACTS, listener)
    for step in range(1, 400):
        sent.add(points(step))
    assert sent.close(VERDICT) == 0
    assert notebook.written == [(step, "train/loss", float(step)) for step in range(1, 400)]
    assert notebook.ends == [VERDICT]
    assert [("away" in said, "back" in said) for said in listener.said] == [(True, False), (False, True)][
        : 2 * (refusals > 0)
    ]


def test_what_is_there_from_before_a_kill_is_not_written_again() -> None:
    notebook = Notebook(known={"train/loss": 5})
    sent = Courier(notebook, FACTS, Silent())
    sent.add(points(4, 5, 6, 7))
    sent.add(points(7))
    assert sent.close(End.INTERRUPTED) == 0
    assert [step for step, *_ in notebook.written] == [6, 7]
    assert notebook.ends == [End.INTERRUPTED]


def test_one_that_stays_away_ends_no_run_and_what_it_missed_is_counted() -> None:
    listener = Listener()
    sent = Courier(Notebook(10**9), FACTS, listener, patience=0.1)
    sent.add(points(1, 2, 3))
    assert sent.close(VERDICT) == 4
    assert "notebook is away (no route)" in listener.said[0]
    assert "was not told 4 messages" in listener.said[-1]


HISTORY = [
    {"step": 1, "loss": 2.0, "learning_rate": 0.1, "grad_norm": 1.5, "executed": 100.0, "elapsed": 2.0},
    {"step": 1, "eval_loss": 3.0, "elapsed": 4.0},
    {"step": 2, "loss": 1.0, "grad_norm": float("nan"), "executed": 100.0, "elapsed": 4.5},
    {"step": 2, "train_runtime": 9.0, "elapsed": 4.5},
]


def test_a_history_becomes_figures() -> None:
    told = [(point.step, dict(point.values)) for point in points_of(HISTORY)]
    assert told == [
        (1, {"train/loss": 2.0, "train/learning_rate": 0.1, "train/gradient_norm": 1.5, "train/tokens_per_second": 50}),
        (1, {"validation/loss": 3.0}),
        (2, {"train/loss": 1.0, "train/tokens_per_second": 200.0}),
    ]
    assert [point.step for point in points_of(HISTORY, start=2)] == [2]


def test_the_run_keeps_its_own_history_though_killed_in_the_middle_of_a_line(tmp_path: Path) -> None:
    HistoryFile(tmp_path).add(list(points_of(HISTORY[:2])))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"step": 2, "los')
    again = HistoryFile(tmp_path)
    again.add(list(points_of(HISTORY)))
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 1, 2]
    assert [point.step for point in read_history(tmp_path)] == [1, 1, 2]
    assert read_history(tmp_path / "none") == []
