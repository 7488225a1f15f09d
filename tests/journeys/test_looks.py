"""Answers are looked at while they come: a candidate that is decided early is not asked the rest."""

from __future__ import annotations

import json
from pathlib import Path

import atanor
from atanor.evaluate.items import Verdict
from tests.journeys.projects import write_project

ROLE = """\
    methods:
      - lora: {rank: 8, epochs: 30, batch: 4, learning_rate: 0.02, validate_every: 30}
      - prompt
    metrics: [perplexity, exact_match]
    evaluate: {looks: 4, resamples: 1000}
"""


def test_a_candidate_that_is_decided_is_not_asked_the_rest(tmp_path: Path, tiny_base_folder: Path) -> None:
    path = write_project(tmp_path, tiny_base_folder, role=ROLE, rows=90)
    path.write_text(path.read_text(encoding="utf-8").replace("test: 10", "test: 48"), encoding="utf-8")
    project = atanor.Project.load(path)
    trained, told = project.run().reports
    first = trained.comparisons[0]
    assert first.verdict is Verdict.BETTER, "it learned how answers look"
    assert first.items == len(trained.items) < 48
    assert trained.confidence > 0.95, "stopping early has its price"
    assert f"after {first.items} of 48 items" in trained.notes[0]
    outcomes = json.loads((project.report_page(trained.run).parent / "outcomes.json").read_text(encoding="utf-8"))
    assert len(outcomes) == first.items
    asked = {item.id for item in trained.items}
    assert [item.id for item in told.items if item.id in asked] == [item.id for item in trained.items], "their order"

    found = project.compare([trained.run, told.run])
    assert found.items == len(asked & {item.id for item in told.items})
    assert [report.run for report in project.run().reports] == [trained.run, told.run], "finished before"
