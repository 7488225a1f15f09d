"""`atanor harness`: tasks in local files asked of a candidate and of its base."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

import atanor
from atanor.cli.app import app
from tests.evaluate.test_harness import write_tasks
from tests.journeys.projects import write_project


def test_a_candidate_is_compared_with_its_base_on_tasks_of_the_harness(tmp_path: Path, tiny_base_folder: Path) -> None:
    write_project(tmp_path, tiny_base_folder)
    (report,) = atanor.Project.load(tmp_path).run().reports
    (tmp_path / "tasks").mkdir()
    words = ["harness", report.candidate, "--project", str(tmp_path), "--task", "tiny_choices", "--task", "tiny_text"]
    done = CliRunner().invoke(app, [*words, "--include", str(write_tasks(tmp_path / "tasks")), "--json"])
    assert done.exit_code == 0, done.output
    found = {(one["task"], one["metric"]): one for one in json.loads(done.stdout)}
    choices, text = found["tiny_choices", "acc"], found["tiny_text", "bits_per_byte"]
    assert choices["items"] == 12 and 0 <= choices["base"] <= 1 and choices["higher_is_better"]
    assert text["low"] <= text["change"] <= text["high"] and text["change"] != 0, "training changed what is likely"
    assert text["change"] == text["candidate"] - text["base"]
