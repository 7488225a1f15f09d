"""`atanor tune` on the tiny base: real trainings, killed and gone on with, shared by workers, written back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import atanor
from atanor.cli import main
from atanor.errors import ConfigurationError, DataError
from atanor.project.file import load_project_file
from atanor.project.search_workers import Worker
from atanor.project.searching import searching
from atanor.train.search.outcome import Search, TrialState
from tests.journeys.projects import write_project

ROLE = """\
    methods:
      - prompt
      # what is searched
      - lora: {rank: 4, epochs: 1, batch: 4, precision: exact}  # short
    metrics: [perplexity]
    search:
      trials: 5
      repeats: 2
      space: {learning_rate: 1e-4 .. 1e-1, rank: [2, 4], epochs: null}
"""


QUICK = ROLE.replace("repeats: 2", "repeats: 0").replace("trials: 5", "trials: 4")


def write(folder: Path, base: Path, role: str = ROLE) -> Path:
    return write_project(folder, base, rows=30, role=role)


def told(found: Search) -> list[tuple[object, ...]]:
    """What does not depend on the clock."""
    return [(one.number, one.state, one.values, one.loss, one.validations) for one in found.trials]


def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["atanor", *words])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    return capsys.readouterr().out


def test_from_search_to_run(
    tiny_base_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(tmp_path, tiny_base_folder)
    before = path.read_text()
    found = json.loads(typed(capsys, monkeypatch, "tune", "--project", str(tmp_path), "--json"))
    assert len(found["trials"]) == found["wanted"] == 5 and found["method"] == "lora"
    assert found["trials"][0]["values"] == {"learning_rate": 5e-4, "rank": 4, "batch": 4}
    finished = [one for one in found["trials"] if one["state"] == "finished"]
    assert found["best"]["loss"] == min(one["loss"] for one in finished) < finished[0]["loss"]
    assert len(found["noise"]["best"]) == 2 and found["written"] is None and path.read_text() == before
    assert any("4 validation rows" in warning for warning in found["warnings"])
    page = typed(capsys, monkeypatch, "tune", "--project", str(tmp_path), "--write")
    assert "lora of counter" in page and "default" in page and "written" in page and "next      atanor run" in page
    (report,) = (tmp_path / ".atanor" / "searches").glob("*.html")
    assert report.read_text().count("<svg") >= 5 and "Which" not in report.name
    text = path.read_text()
    assert "# what is searched" in text and "# short" in text and (tmp_path / "atanor.yaml.before-tune").is_file()
    project = atanor.Project.load(path)
    (winner,) = project.run(method="lora").reports
    assert winner.training is not None
    changed = {name: found["best"]["values"][name] for name in ("learning_rate", "rank", "batch")}
    assert {name: winner.training.settings[name] for name in changed} == changed
    assert min(loss for _, loss in winner.training.validation_loss) == found["best"]["loss"]
    trainings = list((tmp_path / ".atanor" / "training").iterdir())
    assert len(trainings) == 1, "the winner's, which the run found done; all that lost is removed"
    assert not (trainings[0] / "searched").exists(), "the run's own from now on"


def test_what_a_run_trained_is_neither_trained_again_nor_removed(tiny_base_folder: Path, tmp_path: Path) -> None:
    project = atanor.Project.load(write(tmp_path, tiny_base_folder))
    (report,) = project.run(method="lora").reports
    found = project.tune(trials=2)
    assert report.training is not None
    assert found.trials[0].loss == min(loss for _, loss in report.training.validation_loss)
    (folder,) = (path for path in (tmp_path / ".atanor" / "training").iterdir() if not (path / "searched").exists())
    assert any(folder.glob("checkpoint-*"))
    assert {run.id for run in project.runs()} == {report.run}, "a search makes no runs"


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_goes_on(tiny_base_folder: Path, tmp_path: Path) -> None:
    undisturbed = atanor.Project.load(write(tmp_path / "whole", tiny_base_folder, QUICK)).tune()
    path = write(tmp_path / "killed", tiny_base_folder, QUICK)
    program = "import sys, atanor; atanor.Project.load(sys.argv[1]).tune()"
    begun = subprocess.Popen([sys.executable, "-c", program, str(path)], start_new_session=True)
    _until(lambda: len(_checkpoints(tmp_path / "killed")) >= 3 or begun.poll() is not None)
    os.killpg(begun.pid, signal.SIGKILL)
    assert begun.wait() == -signal.SIGKILL
    found = atanor.Project.load(path).tune()
    assert told(found) == told(undisturbed)


@pytest.mark.slow
def test_a_worker_shares_the_study(tiny_base_folder: Path, tmp_path: Path) -> None:
    path = write(tmp_path, tiny_base_folder, QUICK)
    asked = searching(load_project_file(path), "counter", trials=2, storage=f"sqlite:///{tmp_path / 'shared.db'}")
    worker = Worker(path, asked, tmp_path / "worker.log", of=2)
    assert worker.process.wait(timeout=300) == 0, (tmp_path / "worker.log").read_text()
    worker.stop()
    assert "trial     2 of 2" in (tmp_path / "worker.log").read_text()
    found = atanor.Project.load(path).tune(trials=4, storage=asked.storage, workers=2)
    assert [one.number for one in found.trials] == list(range(4))
    assert all(one.state in (TrialState.FINISHED, TrialState.PRUNED, TrialState.FAILED) for one in found.trials)
    assert len(list((tmp_path / ".atanor" / "searches").glob("*/worker-2.log"))) == 1
    assert len(list((tmp_path / ".atanor" / "training").iterdir())) == 1


def test_another_space_is_another_study_and_a_run_is_the_same(tiny_base_folder: Path, tmp_path: Path) -> None:
    without = ROLE.partition("    search:")[0]
    (run,) = atanor.Project.load(write(tmp_path, tiny_base_folder, without)).run(method="lora").reports
    project = atanor.Project.load(write(tmp_path, tiny_base_folder))
    assert project.run(method="lora").reports[0].run == run.run, "a search decides nothing about a run"
    first = project.tune(trials=1)
    other = atanor.Project.load(write(tmp_path, tiny_base_folder, ROLE.replace("[2, 4]", "[4, 8]"))).tune(trials=1)
    assert first.study != other.study and other.trials[0].loss == first.trials[0].loss


@pytest.mark.parametrize(
    ("role", "told_of", "fix"),
    [
        ("    methods: [prompt]\n", "none of the role's methods trains", "Add `lora`"),
        ("    methods: [lora]\n    search: {method: prompt}\n", "no method `prompt`", "methods that train: lora"),
        ("    methods: [lora, prompt]\n    search: {method: prompt}\n", "`prompt` trains nothing", "Name one of lora"),
        ("    methods: [lora]\n    search: {space: {rnak: [4]}}\n", "no option `rnak`", "search: space"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    tiny_base_folder: Path, tmp_path: Path, role: str, told_of: str, fix: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        atanor.Project.load(write(tmp_path, tiny_base_folder, role)).tune()
    (problem,) = refused.value.problems
    assert told_of in problem.reason and fix in (problem.fix or "") and "search" in (problem.field or "")


def test_without_validation_rows_nothing_is_searched(tiny_base_folder: Path, tmp_path: Path) -> None:
    path = write(tmp_path, tiny_base_folder)
    path.write_text(path.read_text().replace("validation: 4", "validation: 0"))
    with pytest.raises((DataError, ConfigurationError), match="validation"):
        atanor.Project.load(path).tune()


def _checkpoints(folder: Path) -> list[Path]:
    return list((folder / ".atanor" / "training").glob("*/checkpoint-*"))


def _until(done: object, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():  # type: ignore[operator]
        time.sleep(0.02)
