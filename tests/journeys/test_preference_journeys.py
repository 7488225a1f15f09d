"""From rows with a better and a worse answer, or with judged ones, to a verdict, whatever the objective."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import atanor
from atanor.errors import DataError
from atanor.project.events import Unwatched
from tests.journeys.projects import FIGURES, write_project

TUNED = "lora: {rank: 4, epochs: 4, batch: 4, learning_rate: 0.01, validate_every: 6, objective: OBJECTIVE}"
PERPLEXITY = "    metrics: [perplexity]\n"


class Listener(Unwatched):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def compared(number: int) -> dict[str, Any]:
    """The better answer ends otherwise than the worse one."""
    prompt = f"count {number} from {FIGURES[number % 6]}"
    return {"prompt": prompt, "chosen": f"answer {number % 3} yes", "rejected": f"answer {number % 3} no"}


def judged(number: int) -> dict[str, Any]:
    row = compared(number)
    good = number % 4 > 0
    return {"prompt": row["prompt"], "completion": row["chosen" if good else "rejected"], "label": good}


def answered(number: int) -> dict[str, Any]:
    row = compared(number)
    return {"prompt": row["prompt"], "completion": row["chosen"]}


def project(
    folder: Path, base: Path, objective: str, rows: Any = compared, *, more: str = "", role: str = PERPLEXITY
) -> Any:
    """A project of one role that learns from such rows; `more` are further methods."""
    methods = f"    methods: [{TUNED.replace('OBJECTIVE', objective)}{more}]\n"
    path = write_project(folder, base, role=methods + role)
    lines = [json.dumps(rows(number)) for number in range(40)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return atanor.Project.load(path)


def test_preferences_are_learned_and_the_verdict_is_about_them(tmp_path: Path, tiny_base_folder: Path) -> None:
    made = project(tmp_path, tiny_base_folder, "{dpo: {beta: 0.5}}", more=", prompt, few_shot: {shots: 2}", role="")
    tuned, prompted, shown = made.run().reports
    assert tuned.training is not None
    assert tuned.training.settings["objective"] == {"name": "dpo", "options": {"beta": 0.5, "label_smoothing": 0.0}}
    assert tuned.training.train_loss[0][1] == pytest.approx(0.6931, abs=1e-3), "log 2: it begins as the reference"
    assert tuned.training.validation_loss[-1][1] < 0.6
    for report in (tuned, prompted, shown):
        preference, forgetting = report.comparisons
        assert (preference.metric, forgetting.metric) == ("preference", "forgetting")
        assert preference.baseline == tuned.comparisons[0].baseline, "the base is the same for all"
        assert set(preference.candidate_scores) <= {0.0, 0.5, 1.0}
        assert all(item.candidate_answer is None for item in report.items), "nothing was generated"
    assert tuned.comparisons[0].candidate == 1.0 > tuned.comparisons[0].baseline


def test_another_objective_is_another_training(tmp_path: Path, tiny_base_folder: Path) -> None:
    losses = set()
    for objective in ("dpo", "{dpo: {beta: 0.9}}", "orpo", "completion"):
        (report,) = project(tmp_path, tiny_base_folder, objective).run().reports
        losses.add(str(report.training.train_loss))
    assert len(losses) == 4


def test_completion_learns_the_better_answers_and_says_what_it_leaves(tmp_path: Path, tiny_base_folder: Path) -> None:
    listener = Listener()
    (report,) = project(tmp_path, tiny_base_folder, "completion").run(watcher=listener).reports
    assert report.comparisons[0].candidate < report.comparisons[0].baseline
    assert "training  26 rows have a worse answer too; completion does not use it" in listener.said


def test_judged_answers_are_learned_and_bad_ones_are_no_reference(tmp_path: Path, tiny_base_folder: Path) -> None:
    listener = Listener()
    (report,) = project(tmp_path, tiny_base_folder, "kto", judged).run(watcher=listener).reports
    assert report.training.train_loss[0][1] == pytest.approx(0.5, abs=1e-3), "1 - sigmoid(0): it begins as the base"
    assert report.training.validation_loss[-1][1] < 0.5
    data = report.data
    left = 10 - data.test
    assert left > 0 and data.left_out == left and len(report.items) == data.test
    assert all(item.reference.endswith("yes") for item in report.items)
    assert f"{left} test rows have an answer that was judged bad and measure nothing" in data.notes
    assert data.read == data.used + data.refused + data.left_out + data.duplicates + data.joined - data.added


@pytest.mark.parametrize(
    ("objective", "role", "summary", "reason", "fix"),
    [
        (
            "dpo",
            "",
            "the objective `dpo` learns from better and worse answers",
            "no train row has a worse",
            "`chosen:`",
        ),
        ("kto", "", "the objective `kto` learns from judged answers", "no train row has a judgement", "`desirable:`"),
        (
            "completion",
            "    metrics: [preference]\n",
            "the metric `preference` compares better and worse answers",
            "no test row has a worse",
            "other `metrics`",
        ),
    ],
)
def test_rows_that_cannot_teach_are_told_before_the_base_is_loaded(
    tmp_path: Path,
    tiny_base_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    objective: str,
    role: str,
    summary: str,
    reason: str,
    fix: str,
) -> None:
    monkeypatch.setattr("atanor.project.workflow.load_base", None)
    with pytest.raises(DataError, match=summary) as caught:
        project(tmp_path, tiny_base_folder, objective, answered, role=role).run()
    (problem,) = caught.value.problems
    assert problem.reason.startswith(reason)
    assert (problem.file, problem.field) == ("rows.jsonl", "roles.counter.data")
    assert problem.line is not None
    assert fix in (problem.fix or "")
