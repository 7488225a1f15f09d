"""`atanor run` of a project that trains in two processes, and what crosses to them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import atanor
from atanor.launch import LaunchOptions, Specification
from atanor.methods import METHODS, Bench
from atanor.progress import Activity, Progress
from atanor.project import launching
from atanor.project.dataset import Reader, prepare_role
from atanor.project.events import Event, RunPlanned, Unwatched
from atanor.project.file import load_project_file
from atanor.project.options import MethodChoice
from atanor.train import Group, Interrupted
from tests.journeys.projects import write_project
from tests.train.jobs import tiny_base

ROLE = """\
    methods:
      - lora: {{rank: 4, epochs: 2, batch: 4, learning_rate: 0.01, validate_every: 6, loop: {loop}}}
      - full: {{epochs: 1, batch: 4, learning_rate: 0.001, validate_every: 6}}
      - prompt
    metrics: [exact_match, perplexity]
"""


class Seen(Unwatched):
    """Keeps plans, and counts the steps of training as they are shown."""

    def __init__(self) -> None:
        self.plans: list[str] = []
        self.steps = 0

    def show(self, event: Event) -> None:
        if isinstance(event, RunPlanned):
            self.plans.append(event.plan)

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        activity = super().start(name, total, unit, done)
        if name == "training":
            seen, advance = self, activity.advance

            def counted(count: int = 1, **figures: float | str) -> None:
                seen.steps += count
                advance(count, **figures)

            activity.advance = counted  # type: ignore[method-assign]
        return activity


@pytest.mark.slow
def test_a_project_trains_in_two_processes_and_is_judged_as_ever(tiny_base_folder: Path, tmp_path: Path) -> None:
    reports = {}
    for name, launch in (("one", ""), ("two", "launch: {kind: torchrun, processes: 2}\n")):
        file = write_project(tmp_path / name, tiny_base_folder, role=ROLE.format(loop="lightning"))
        file.write_text(file.read_text() + launch, encoding="utf-8")
        seen = Seen()
        reports[name] = atanor.Project.load(file).run(watcher=seen).reports
        assert seen.steps == 21, "14 and 7 steps, each shown once"
    assert seen.plans[0].endswith("14 steps of 4 rows · 2 processes under torchrun")
    assert seen.plans[2] == "prompt · nothing is trained"
    for alone, together in zip(reports["one"], reports["two"], strict=True):
        assert together.verdict is alone.verdict
        if alone.training is None or together.training is None:
            continue
        assert together.training.steps == alone.training.steps
        for (_, ours), (_, theirs) in zip(alone.training.train_loss, together.training.train_loss, strict=True):
            assert theirs == pytest.approx(ours, rel=1e-5)
        assert not any("interrupted" in note or "earlier run" in note for note in together.notes)
    again = atanor.Project.load(tmp_path / "two" / "atanor.yaml").run().reports
    assert [report.run for report in again] == [report.run for report in reports["two"]], "nothing is trained twice"


def test_what_lies_before_a_method_crosses_whole(
    tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_project_file(write_project(tmp_path, tiny_base_folder))
    base = tiny_base(tiny_base_folder)
    data = prepare_role(loaded.file, "counter", tmp_path, Reader.of(base.local))
    run = tmp_path / "run"
    run.mkdir()
    bench = Bench(
        base=base,
        goal="Answer.",
        training=data.training,
        validation=data.validation,
        seed=5,
        folder=run,
        versions={"atanor": "test"},
        root=tmp_path,
    )
    choice = MethodChoice.of("lora", rank=3, targets=["q_proj"])
    arrived: list[tuple[object, Bench]] = []

    class Method:
        def make(self, options: object, bench: Bench, progress: Progress) -> None:
            arrived.append((options, bench))

    launching._send(choice, bench)
    monkeypatch.setitem(METHODS, "lora", Method())
    group = Group(1, 2)
    launching.work(run, group, Seen())
    ((options, there),) = arrived
    assert options == choice.options.model_copy(update={"precision": "exact"})
    assert there.group is group
    assert there.base.local == base.local and there.base.model.dtype == base.model.dtype
    assert type(there.training.rows[0]) is type(bench.training.rows[0])
    carried = launching._carried()
    assert carried.keys() | {"base", "folder", "group", "teachers", "follow"} == {
        one.name for one in dataclasses.fields(Bench)
    }
    for name, adapter in carried.items():  # as they are written, because a sequence may arrive as a list
        ours, theirs = (adapter.dump_python(getattr(one, name), mode="json") for one in (bench, there))
        assert ours == theirs, name


def test_a_run_that_is_stopped_elsewhere_is_interrupted_here(
    tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(launcher: object, specification: Specification, progress: Progress) -> None:
        assert json.loads((specification.folder / launching.WORK).read_text())["choice"]["name"] == "lora"
        raise Interrupted("stopped after step 3 of 14")

    monkeypatch.setattr(launching, "launch", stopped)
    file = write_project(tmp_path, tiny_base_folder)
    file.write_text(file.read_text() + "launch: {kind: ray}\n", encoding="utf-8")
    project = atanor.Project.load(file)
    with pytest.raises(Interrupted):
        project.run()
    assert [run.state for run in project.runs()] == ["interrupted"]
    assert LaunchOptions(kind="ray").processes_in_force == 2
