"""Two candidates of a role beside each other, as a person asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import atanor
from atanor.cli.app import app
from atanor.errors import ConfigurationError
from atanor.evaluate.items import Verdict
from tests.journeys.projects import write_project

ROLE = "    methods: [prompt, {few_shot: {shots: 2}}]\n    metrics: [rouge_l, perplexity]\n"


def test_candidates_are_compared_with_the_first_and_nothing_is_asked_again(
    tmp_path: Path, tiny_base_folder: Path
) -> None:
    path = write_project(tmp_path, tiny_base_folder, role=ROLE)
    project = atanor.Project.load(path)
    one, other = (report.run for report in project.run().reports)
    found = project.compare([one, other])
    assert [beside.name for beside in found.candidates] == [one, other]
    assert found.first.comparisons == ()
    assert [change.metric for change in found.candidates[1].comparisons] == ["rouge_l", "perplexity"]
    reports = project.report(one), project.report(other)
    perplexity = found.candidates[1].comparisons[1]
    assert (perplexity.baseline, perplexity.candidate) == tuple(report.comparisons[1].candidate for report in reports)
    same = project.compare([one, other, f"{reports[0].candidate}"]).candidates[2]
    assert all(change.change == 0 and change.verdict is not Verdict.BETTER for change in same.comparisons)

    told = CliRunner().invoke(app, ["compare", one, other, "--project", str(path), "--json"])
    document = json.loads(told.stdout)
    assert document["items"] == found.items
    assert document["candidates"][1]["comparisons"][0]["metric"] == "rouge_l"
    screen = CliRunner().invoke(app, ["compare", one, other, "--project", str(path)]).stdout
    assert "ROUGE-L" in screen and "against the base" in screen

    with pytest.raises(ConfigurationError, match="nothing to compare"):
        project.compare([one])
    path.write_text(path.read_text(encoding="utf-8").replace("test: 10", "test: 12"), encoding="utf-8")
    (path.parent / ".atanor" / "splits" / "counter.json").unlink()
    with pytest.raises(ConfigurationError, match="judged on different items"):
        atanor.Project.load(path).compare([one, other])
