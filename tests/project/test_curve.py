"""The learning curve of a role: nested sizes, the same items, nothing trained twice, and what cannot be asked."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import atanor
from atanor.cli.curve_command import curve
from atanor.errors import ConfigurationError, DataError
from atanor.models import BaseReference, resolve_base
from atanor.progress import Silent
from atanor.project.curve import CurvePlan, LearningCurve
from atanor.project.dataset import Reader, RoleData, prepare_role
from atanor.project.events import Event, RunPlanned, Unwatched
from atanor.project.sampling import with_share
from tests.journeys.projects import write_project

ROLE = """\
    methods: [lora: {rank: 2, epochs: 1, batch: 4, learning_rate: 0.01}]
    metrics: [exact_match, perplexity]
"""


class Seen(Unwatched):
    """Counts the runs that were begun."""

    def __init__(self) -> None:
        self.begun = 0

    def show(self, event: Event) -> None:
        self.begun += isinstance(event, RunPlanned) and not event.finished_before


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_base_folder: Path) -> atanor.Project:
    folder = tmp_path_factory.mktemp("curve")
    write_project(folder, tiny_base_folder, role=ROLE)
    return atanor.Project.load(folder)


@pytest.fixture(scope="module")
def data(project: atanor.Project, tiny_base_folder: Path) -> RoleData:
    local = resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), project.loaded.root, Silent())
    return prepare_role(project.loaded.file, "counter", project.loaded.root, Reader.of(local))


@pytest.fixture(scope="module")
def plan(project: atanor.Project) -> CurvePlan:
    return project.plan_curve(shares=[0.25, 0.5])


@pytest.fixture(scope="module")
def found(project: atanor.Project, plan: CurvePlan) -> LearningCurve:
    return project.learning_curve(plan)


def test_a_smaller_share_lies_within_a_larger_one_and_the_held_out_sides_stay(data: RoleData) -> None:
    sizes = [with_share(data, share, seed=3) for share in (0.2, 0.4, 0.8)]
    ids = [set(one.training.examples) for one in sizes]
    assert ids[0] < ids[1] < ids[2] < set(data.training.examples)
    for share, one in zip((0.2, 0.4, 0.8), sizes, strict=True):
        assert len(one.training.rows) == pytest.approx(share * len(data.training.rows), abs=1)
        assert {row.example_id for row in one.training.rows} == set(one.training.examples)
        assert (one.validation, one.test) == (data.validation, data.test)
        section, whole = one.section, data.section
        assert section.train == len(one.training.examples) == section.used - section.validation - section.test
        assert section.used + section.left_out == whole.used + whole.left_out
    assert set(with_share(data, 0.4, seed=4).training.examples) != ids[1]
    assert with_share(data, 1, seed=3) is data


def test_labels_keep_their_shares_and_rows_of_a_group_stay_together(data: RoleData) -> None:
    examples = list(data.training.examples.values())[:24]
    labelled = [replace(one, label="rare" if number % 8 == 0 else "usual") for number, one in enumerate(examples)]
    grouped = [replace(one, group=f"talk {number // 4}") for number, one in enumerate(examples)]
    rows = data.training.rows[:24]
    of_labels = replace(data, training=replace(data.training, rows=rows, examples={one.id: one for one in labelled}))
    half = with_share(of_labels, 0.5, seed=0).training.examples.values()
    assert Counter(one.label for one in half)["rare"] == 3, "the first of every label come first"
    of_groups = replace(data, training=replace(data.training, rows=rows, examples={one.id: one for one in grouped}))
    half = with_share(of_groups, 0.5, seed=0).training.examples.values()
    assert set(Counter(one.group for one in half).values()) == {4}
    with pytest.raises(DataError, match="1 labels have none"):
        with_share(of_labels, 0.04, seed=0)


def test_the_plan_says_what_every_size_takes(plan: CurvePlan, data: RoleData) -> None:
    assert [size.share for size in plan.sizes] == [0.25, 0.5, 1]
    assert plan.sizes[-1].rows == len(data.training_rows)
    assert plan.sizes[0].steps < plan.sizes[-1].steps and plan.seconds > 0


def test_every_size_is_judged_on_the_same_items_and_followed_to_twice_the_rows(
    project: atanor.Project, plan: CurvePlan, found: LearningCurve
) -> None:
    reports = [project.report(run) for (run,) in found.runs]
    assert len({tuple(item.id for item in report.items) for report in reports}) == 1
    assert [report.data.train for report in reports] == [size.rows for size in plan.sizes]
    for one in found.forecasts:
        scores = [next(c.candidate for c in report.comparisons if c.metric == one.metric) for report in reports]
        assert list(one.scores) == pytest.approx(scores)
        assert one.rows == 2 * plan.sizes[-1].rows and one.interval is not None
    assert [one.metric for one in found.forecasts] == ["exact_match", "perplexity"]
    assert project.store.releases() == [], "a size is tried, not released"


def test_what_was_trained_is_found_again_by_the_curve_and_by_a_run(
    project: atanor.Project, plan: CurvePlan, found: LearningCurve
) -> None:
    seen = Seen()
    assert project.learning_curve(plan, seen) == found and seen.begun == 0
    trainings = set((project.store.folder / "training").iterdir())
    project.run()
    assert set((project.store.folder / "training").iterdir()) == trainings, "all rows were the role's own training"


def test_it_is_shown_drawn_and_given_as_json(project: atanor.Project, found: LearningCurve) -> None:
    app = typer.Typer()
    app.command()(curve)
    words = ["--project", str(project.loaded.root), "--share", "0.25", "--share", "0.5"]
    screen = CliRunner().invoke(app, words, env={"COLUMNS": "110"})
    assert screen.exit_code == 0, screen.output
    told = " ".join(screen.stdout.split())
    assert f"{found.forecasts[0].rows}, by the law" in told and "outlook" in told
    page = (project.store.folder / "curves" / "counter-lora.html").read_text("utf-8")
    assert "twice the rows" in page and found.runs[0][0] in page and "<script src" not in page
    document = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert [one["rows"] for one in document["sizes"]] == [size.rows for size in found.sizes]
    assert document["forecasts"][0]["law"].keys() == {"level", "drop", "exponent"}


def test_what_cannot_be_asked_is_said(project: atanor.Project, tmp_path: Path, tiny_base_folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="a law needs 3 sizes"):
        project.plan_curve(shares=[0.5])
    with pytest.raises(ConfigurationError, match="two shares have the same number of rows"):
        project.plan_curve(shares=[0.5, 0.501])
    write_project(tmp_path, tiny_base_folder, role="    methods: [prompt]\n    metrics: [exact_match]\n")
    with pytest.raises(ConfigurationError, match="none of its methods trains"):
        atanor.Project.load(tmp_path).plan_curve()
