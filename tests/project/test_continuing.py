"""A finished run goes on: same optimizer, following epochs, a schedule of its own, a verdict and a parent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import atanor
from atanor.errors import ConfigurationError, NotFoundError, StoreError
from atanor.evaluate.report import Report
from atanor.store import Store
from atanor.train.options import Schedule, TrainOptions
from tests.journeys.projects import write_project

METHOD = "    methods: [lora: {rank: 4, epochs: 2, batch: 4, learning_rate: 0.01, validate_every: 6, patience: 0}]\n"


def rates(report: Report, root: Path) -> dict[int, float]:
    """The learning rate of each step, as the run's history has it."""
    lines = [json.loads(line) for line in (root / ".atanor/runs" / report.run / "history.jsonl").open()]
    return {line["step"]: line["train/learning_rate"] for line in lines if "train/learning_rate" in line}


@pytest.fixture(scope="module")
def finished(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("continuing")
    write_project(folder, tiny_base_folder, role=METHOD + "    metrics: [exact_match, perplexity]\n")
    atanor.Project.load(folder).run()
    return folder


def project_in(finished: Path, folder: Path) -> tuple[atanor.Project, Report]:
    shutil.copytree(finished, folder, dirs_exist_ok=True)
    project = atanor.Project.load(folder)
    return project, project.report(project.runs()[-1].id)


def weights(report: Report, root: Path) -> dict[str, torch.Tensor]:
    return load_file(root / ".atanor" / "runs" / report.run / "adapter" / "adapter_model.safetensors")


def test_it_goes_on_with_the_following_epochs_and_a_rate_that_rises_to_half(finished: Path, tmp_path: Path) -> None:
    project, first = project_in(finished, tmp_path)
    (second,) = project.continue_run(first.run, epochs=2).reports
    assert first.training is not None and second.training is not None
    before, after = first.training.steps, second.training.steps
    assert after == 2 * before and second.run != first.run
    assert second.training.train_loss[:before] == first.training.train_loss, "the history goes on"
    assert second.parent == first.candidate
    assert f"Training of {first.candidate} went on after step {before}" in second.notes[0]
    assert {one.id: one.parent for one in Store(tmp_path).candidates()}[second.candidate] == first.candidate
    told = rates(second, tmp_path)
    added = [told[step] for step in range(before + 1, after + 1)]
    assert max(added) == pytest.approx(0.5 * 0.01) and added[0] < max(added) and added[-1] < 0.1 * max(added)
    (again,) = project.continue_run(first.run, epochs=2).reports
    assert again.run == second.run, "the same once more is found finished"
    (third,) = project.continue_run(second.run, steps=3, peak=0.25).reports
    assert third.training is not None and third.training.steps == after + 3 and third.parent == second.candidate


def test_constant_rates_at_the_whole_peak_are_one_long_training(tiny_base_folder: Path, tmp_path: Path) -> None:
    """With nothing to warm up, optimizer and order of rows decide: N and M epochs are N + M, bit for bit."""
    options = "rank: 4, batch: 4, learning_rate: 0.01, validate_every: 9, patience: 0, warmup: 0, schedule: constant"
    reports = {}
    for name, epochs in (("long", 4), ("short", 2)):
        methods = f"    methods: [lora: {{{options}, epochs: {epochs}}}]\n    metrics: [perplexity]\n"
        write_project(tmp_path / name, tiny_base_folder, role=methods)
        (reports[name],) = atanor.Project.load(tmp_path / name).run().reports
    short = atanor.Project.load(tmp_path / "short")
    (went_on,) = short.continue_run(reports["short"].run, epochs=2, peak=1.0).reports
    long = reports["long"]
    assert long.training is not None and went_on.training is not None
    assert went_on.training.train_loss == long.training.train_loss
    last = f"checkpoint-{long.training.steps}/adapter_model.safetensors"
    (ours,) = (tmp_path / "short/.atanor/training").glob(f"*/{last}")
    (theirs,) = (tmp_path / "long/.atanor/training").glob(f"*/{last}")
    one, other = load_file(ours), load_file(theirs)
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_interrupted_in_the_added_steps_it_ends_with_the_same_bits(finished: Path, tmp_path: Path) -> None:
    whole, first = project_in(finished, tmp_path / "whole")
    (undisturbed,) = whole.continue_run(first.run, epochs=1).reports
    cut, _ = project_in(finished, tmp_path / "cut")

    class Stop(Exception):
        pass

    class Impatient(atanor.project.Unwatched):
        def start(self, name: str, total: int, unit: str, done: int = 0) -> Any:
            activity = super().start(name, total, unit, done)
            if name == "training":
                steps = iter(range(100))

                def advance(count: int = 1, **figures: float | str) -> None:
                    if count and next(steps) == 5:
                        raise Stop

                activity.advance = advance  # type: ignore[method-assign]
            return activity

    with pytest.raises(Stop):
        cut.continue_run(first.run, epochs=1, watcher=Impatient())
    (resumed,) = cut.continue_run(first.run, epochs=1).reports
    assert resumed.run == undisturbed.run
    ours, theirs = weights(resumed, tmp_path / "cut"), weights(undisturbed, tmp_path / "whole")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_what_cannot_go_on_is_refused_with_what_to_do(finished: Path, tmp_path: Path) -> None:
    project, first = project_in(finished, tmp_path)
    with pytest.raises(ConfigurationError, match="Write `--epochs N` or `--steps N`"):
        project.continue_run(first.run)
    with pytest.raises(ConfigurationError, match="Write `--epochs N` or `--steps N`"):
        project.continue_run(first.run, epochs=1, steps=3)
    with pytest.raises(NotFoundError):
        project.continue_run("zzzz", epochs=1)
    rows = (tmp_path / "rows.jsonl").read_text(encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text(rows + '{"prompt": "one more", "completion": "row"}\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"the rows was .* `start_from: {first.candidate}`"):
        project.continue_run(first.run, epochs=1)
    (tmp_path / "rows.jsonl").write_text(rows, encoding="utf-8")
    for folder in (tmp_path / ".atanor" / "training").iterdir():
        shutil.rmtree(folder)
    with pytest.raises(StoreError, match=f"its checkpoints are gone.*start_from: {first.candidate}"):
        project.continue_run(first.run, epochs=1)


@pytest.mark.parametrize("schedule", list(Schedule))
def test_every_schedule_has_its_added_steps(schedule: Schedule) -> None:
    from atanor.train.continuing import Continuation, build_continued

    options = TrainOptions(schedule=schedule, learning_rate=0.01, warmup=0.1)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=options.learning_rate)
    made = build_continued(optimizer, options, 60, Continuation(40, 0.5))
    told = []
    for _ in range(60):
        told.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made.step()
    assert max(told[40:]) == pytest.approx(0.005) and told[40] == 0.0
