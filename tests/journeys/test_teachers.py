"""A role's released candidate teaches a smaller student in the same project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import atanor
from atanor.cli.app import app
from atanor.errors import ConfigurationError, NotFoundError
from tests.journeys.projects import FIGURES, write_project

TUNED = "{rank: 4, epochs: 4, batch: 4, learning_rate: 0.01, validate_every: 6, patience: 0}"
STUDENT = f"{TUNED[:-1].replace('rank: 4, ', '')}, objective: {{distillation: OPTIONS}}}}"
EXTRA = "    metrics: [perplexity]\n"


def rows(folder: Path) -> None:
    lines = [{"prompt": f"count {n} from {FIGURES[n % 6]}", "completion": f"answer {n % 3} yes"} for n in range(40)]
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def project(folder: Path, base: Path, methods: str) -> atanor.Project:
    path = write_project(folder, base, role=f"    methods: [{methods}]\n{EXTRA}")
    rows(folder)
    return atanor.Project.load(path)


def student(options: str) -> str:
    return f"full: {STUDENT.replace('OPTIONS', options)}"


def test_a_tuned_teacher_teaches_a_pruned_student(tmp_path: Path, tiny_base_folder: Path) -> None:
    small = tmp_path / "small"
    arguments = ["prune", f"path:{tiny_base_folder}", "--layers", "1", "--out", str(small), "--json"]
    printed = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert printed["layers"] == [0] and printed["folder"] == str(small)
    (teacher,) = project(tmp_path / "p", tiny_base_folder, f"lora: {TUNED}").run().reports
    (taught,) = project(tmp_path / "p", small, student(f"{{teacher: {teacher.candidate}}}")).run().reports
    assert taught.training is not None and taught.base == f"path:{small}"
    assert taught.training.settings["objective"]["options"]["teacher"] == teacher.candidate
    losses = [loss for _, loss in taught.training.validation_loss]
    assert losses[-1] < losses[0]


def test_a_teacher_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, tiny_base_folder: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no candidate `nobody@1`"):
        project(tmp_path, tiny_base_folder, student("{teacher: 'nobody@1'}")).run()


def test_the_base_can_teach_what_is_tuned_of_it(tmp_path: Path, tiny_base_folder: Path) -> None:
    options = f"{{teacher: 'path:{tiny_base_folder}', divergence: reverse, share: 0.2}}"
    (report,) = project(tmp_path, tiny_base_folder, student(options)).run().reports
    assert report.training is not None and report.training.train_loss


def test_a_candidate_that_is_told_what_to_do_writes_but_is_not_compared(tmp_path: Path, tiny_base_folder: Path) -> None:
    (prompted,) = project(tmp_path, tiny_base_folder, "prompt").run().reports
    with pytest.raises(ConfigurationError, match="an instruction or examples of its own"):
        project(tmp_path, tiny_base_folder, student(f"{{teacher: {prompted.candidate}}}")).run()


def test_another_teacher_under_the_same_name_is_another_training(tmp_path: Path, tiny_base_folder: Path) -> None:
    project(tmp_path, tiny_base_folder, f"lora: {TUNED}").run()
    (first,) = project(tmp_path, tiny_base_folder, student("{teacher: counter}")).run().reports
    project(tmp_path, tiny_base_folder, f"lora: {TUNED.replace('rank: 4', 'rank: 2')}").run()
    (second,) = project(tmp_path, tiny_base_folder, student("{teacher: counter}")).run().reports
    assert first.training is not None and second.training is not None
    assert first.training.train_loss != second.training.train_loss
