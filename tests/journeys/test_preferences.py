"""From rows with a better and a worse answer to a verdict, whatever the objective."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import atanor
from atanor.errors import DataError
from tests.journeys.projects import FIGURES, write_project

METHOD = "{rank: 4, epochs: 4, batch: 4, learning_rate: 0.01, validate_every: 6, objective: OBJECTIVE}"


def preferences(folder: Path, base: Path, objective: str, *, role: str = "", pairs: bool = True) -> Path:
    """A role in which the chosen answers end otherwise than the rejected ones."""
    path = write_project(
        folder,
        base,
        role=f"    methods: [lora: {METHOD.replace('OBJECTIVE', objective)}]\n"
        + (role or "    metrics: [perplexity]\n"),
    )
    lines = []
    for number in range(40):
        row = {"prompt": f"count {number} from {FIGURES[number % 6]}", "chosen": f"answer {number % 3} yes"}
        row["rejected"] = f"answer {number % 3} no"
        lines.append(row if pairs else {"prompt": row["prompt"], "completion": row["chosen"]})
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def test_preferences_are_learned_in_a_project(tmp_path: Path, tiny_base_folder: Path) -> None:
    project = atanor.Project.load(preferences(tmp_path, tiny_base_folder, "{dpo: {beta: 0.5}}"))
    (report,) = project.run().reports
    assert report.training is not None
    assert report.training.settings["objective"] == {"name": "dpo", "options": {"beta": 0.5, "label_smoothing": 0.0}}
    assert report.training.train_loss[0][1] == pytest.approx(0.6931, abs=1e-3), "log 2: it begins as the reference"
    assert report.training.validation_loss[-1][1] < 0.6


def test_another_objective_is_another_training(tmp_path: Path, tiny_base_folder: Path) -> None:
    steps = {}
    for objective in ("dpo", "{dpo: {beta: 0.9}}", "completion"):
        project = atanor.Project.load(preferences(tmp_path, tiny_base_folder, objective))
        (report,) = project.run().reports
        assert report.training is not None
        steps[objective] = report.training.train_loss
    assert len({str(losses) for losses in steps.values()}) == 3


def test_rows_without_a_worse_answer_are_told_before_the_base_is_loaded(
    tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atanor.project.workflow.load_base", None)
    project = atanor.Project.load(preferences(tmp_path, tiny_base_folder, "dpo", pairs=False))
    with pytest.raises(DataError, match="`dpo` learns from better and worse answers") as caught:
        project.run()
    (problem,) = caught.value.problems
    assert problem.reason == "no train row has a worse answer to compare with"
    assert (problem.file, problem.field) == ("rows.jsonl", "roles.counter.data")
    assert problem.line is not None
    assert "`chosen:` and `rejected:`" in (problem.fix or "")
