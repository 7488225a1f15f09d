"""`atanor sweep`: gain against forgetting over scales, on validation rows; the pick is judged as any candidate."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

import atanor
from atanor.cli import main
from atanor.errors import ConfigurationError
from atanor.evaluate import Verdict
from atanor.evaluate.items import Comparison, GateResult
from atanor.project.sweep import SweepPoint, pick
from tests.journeys.projects import write_project

LORA = "lora: {rank: 4, epochs: 4, batch: 4, learning_rate: 0.02, validate_every: 8}"
SCALES = (0.0, 0.5, 1.0, 1.5)


def write(folder: Path, base: Path, methods: str = LORA, gates: str = "") -> atanor.Project:
    role = f"    methods: [{methods}]\n    metrics: [perplexity]\n{gates}"
    return atanor.Project.load(write_project(folder, base, role=role))


def test_a_sweep_asks_the_validation_rows_and_judges_its_pick_on_the_test(
    tiny_base_folder: Path, tmp_path: Path
) -> None:
    project = write(tmp_path, tiny_base_folder, gates="    gates: [forgetting within 100]\n")
    (report,) = project.run().reports
    found = project.sweep(report.candidate, scales=SCALES)
    assert [point.scale for point in found.points] == list(SCALES)
    assert found.items == 4 and found.points[0].target.items == 4, "validation rows"
    base, half, whole, more = found.points
    assert base.target.change == pytest.approx(0, abs=1e-6) and base.forgetting.change == pytest.approx(0, abs=1e-6)
    assert half.gain > 0 and len({point.target.candidate for point in found.points}) == 4
    assert len({point.forgetting.candidate for point in found.points}) == 4
    assert all(point.allowed for point in found.points), "the gate allows everything"
    best = max((half, whole, more), key=lambda point: point.gain)
    assert found.picked == best.scale
    page = project.sweep_page(found).read_text()
    assert "<svg" in page and "intervals. 4 validation rows; the test was not asked." in page
    if found.picked != 1:
        assert found.report is not None
        assert found.report.comparisons[0].items == report.comparisons[0].items, "the test"
        assert found.report.training is not None and found.report.training.settings["scale"] == found.picked
        assert "validation rows" in found.report.notes[0]
        assert project.sweep(report.candidate, scales=SCALES).report == found.report, "found again"
        assert project.chat(found.report.candidate).ask("count 3 from four") is not None


def test_a_pick_of_another_scale_is_a_candidate_of_its_own(tiny_base_folder: Path, tmp_path: Path) -> None:
    project = write(tmp_path, tiny_base_folder, gates="    gates: [forgetting within 100]\n")
    (report,) = project.run().reports
    found = project.sweep(report.candidate, scales=(0.0, 0.5))
    assert found.picked == 0.5 and found.report is not None
    assert found.report.candidate != report.candidate
    assert found.report.comparisons[0].candidate != report.comparisons[0].candidate
    records = {record.id: record for record in project.runs()}
    assert records[found.report.run].method == "lora · scale 0.5"
    chosen = project.chat(found.report.candidate)
    assert chosen.description.method == "lora"


def test_nothing_is_made_where_the_gate_allows_nothing(tiny_base_folder: Path, tmp_path: Path) -> None:
    project = write(tmp_path, tiny_base_folder, gates="    gates: [forgetting at most 0.001]\n")
    (report,) = project.run().reports
    before = len(project.runs())
    found = project.sweep(report.candidate, scales=(0.0, 0.5, 1.0))
    assert found.picked is None and found.report is None and len(project.runs()) == before
    assert "No scale gains" in project.sweep_page(found).read_text()


def test_the_command_prints_a_table_and_json(
    tiny_base_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write(tmp_path, tiny_base_folder, gates="    gates: [forgetting within 100]\n")
    (report,) = project.run().reports
    arguments = ["sweep", report.run, "--scale", "0", "--scale", "1", "--project", str(tmp_path)]

    def typed(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["atanor", *words])
        with pytest.raises(SystemExit) as left:
            main()
        assert not left.value.code
        return capsys.readouterr().out

    capsys.readouterr()
    shown = typed(*arguments)
    assert "1 *" in shown and "never the test" in shown
    told = json.loads(typed(*arguments, "--json"))
    assert [point["scale"] for point in told["points"]] == [0, 1] and told["picked"] == 1 and told["report"] is None


def test_what_trains_nothing_is_refused(tiny_base_folder: Path, tmp_path: Path) -> None:
    project = write(tmp_path, tiny_base_folder, methods="prompt")
    (report,) = project.run().reports
    with pytest.raises(ConfigurationError, match="nothing to scale"):
        project.sweep(report.candidate)


def point(scale: float, gain: float, *, allowed: bool = True) -> SweepPoint:
    verdict = Verdict.CANNOT_TELL
    target = Comparison("a", "A", True, False, 9, 9, 0.0, gain, gain, gain - 1, gain + 1, 0.5, 0.1, verdict)
    return SweepPoint(scale, target, dataclasses.replace(target, metric="forgetting"), (GateResult("g", allowed, "r"),))


def test_the_pick_is_the_largest_gain_that_is_allowed() -> None:
    points = [point(0, 9), point(0.5, 1), point(1, 3), point(1.5, 4, allowed=False)]
    assert pick(points) == 1
    assert pick([point(0.5, 2), point(1, 2)]) == 0.5, "the smaller of equals"
    assert pick([point(0, 1), point(1, -1)]) is None
