"""Does augmentation help: equal trainings, equal items, honest words, and nothing is done twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import atanor
from atanor.errors import ConfigurationError, NotFoundError
from atanor.evaluate.contamination.leaks import Leak, LeakKind
from atanor.evaluate.items import Item, Verdict
from atanor.project.ablation import Ablation, AblationPlan, Effect, _effect, counted
from atanor.project.events import Event, RunJudged, RunPlanned, Unwatched
from atanor.project.trials import Budget
from atanor.store import RunState
from tests.journeys.projects import write_project

ROLE = """\
    methods: [lora: {rank: 4, epochs: 1, batch: 4, learning_rate: 0.01}]
    metrics: [exact_match, perplexity]
    augment:
      techniques: [typos, eda: {operations: [random_swap], per_row: 2}]
      filter: {embedder: lexical, least_similarity: 0}
"""


class Seen(Unwatched):
    """Keeps the events; stops the work, if asked, after so many runs were judged."""

    def __init__(self, stop_after: int = 99) -> None:
        self.events: list[Event] = []
        self.stop_after = stop_after

    def show(self, event: Event) -> None:
        self.events.append(event)
        if sum(isinstance(one, RunJudged) for one in self.events) == self.stop_after:
            raise KeyboardInterrupt

    @property
    def begun(self) -> int:
        return sum(isinstance(one, RunPlanned) and not one.finished_before for one in self.events)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_base_folder: Path) -> atanor.Project:
    folder = tmp_path_factory.mktemp("ablation")
    write_project(folder, tiny_base_folder, role=ROLE)
    return atanor.Project.load(folder)


@pytest.fixture(scope="module")
def plan(project: atanor.Project) -> AblationPlan:
    return project.plan_ablation()


@pytest.fixture(scope="module")
def found(project: atanor.Project, plan: AblationPlan) -> Ablation:
    """An ablation that was interrupted after two of its four runs and went on."""
    with pytest.raises(KeyboardInterrupt):
        project.ablate(plan, Seen(stop_after=2))
    assert [run.state for run in project.runs()] == [RunState.INTERRUPTED, RunState.FINISHED]
    seen = Seen()
    ablation = project.ablate(plan, seen)
    assert seen.begun == 3 and len(project.runs()) == 4, "the first was found again, the second went on"
    return ablation


def test_the_plan_says_what_every_training_has_and_takes(plan: AblationPlan) -> None:
    assert [planned.arm.name for planned in plan.arms] == ["none", "typos", "eda", "all"]
    none, typos, eda, everything = plan.arms
    assert none.made == 0 and typos.made > 0 and everything.made > max(typos.made, eda.made)
    assert all(planned.rows == none.rows + planned.made for planned in plan.arms)
    assert len({planned.steps for planned in plan.arms}) == 1, "the same budget of optimizer steps"
    times = [planned.prediction.estimate.seconds for planned in plan.arms if planned.prediction]
    assert plan.seconds == pytest.approx(sum(times)) and min(times) > 0


def test_epochs_are_another_budget(project: atanor.Project) -> None:
    planned = project.plan_ablation("counter", techniques=["typos"], budget=Budget.EPOCHS).arms
    assert [one.arm.name for one in planned] == ["none", "typos"]
    assert planned[1].steps > planned[0].steps


def test_every_arm_is_compared_on_the_same_items(project: atanor.Project, found: Ablation) -> None:
    assert [measured.arm.name for measured in found.arms] == ["typos", "eda", "all"]
    assert (found.items, found.repetitions, found.budget) == (10, 1, Budget.STEPS)
    without = project.report(found.runs[0])
    for measured in found.arms:
        with_it = project.report(measured.runs[0])
        assert [item.id for item in with_it.items] == [item.id for item in without.items]
        assert with_it.data.test == without.data.test and with_it.data.augmented == measured.made
        first = measured.comparisons[0]
        scores = [[item.candidate_scores["exact_match"] for item in report.items] for report in (without, with_it)]
        assert [list(first.baseline_scores), list(first.candidate_scores)] == scores
        assert first.change == pytest.approx(np.mean(scores[1]) - np.mean(scores[0]))
        assert first.low <= first.change <= first.high and measured.p_value >= first.p_value
        assert [comparison.metric for comparison in measured.comparisons] == ["exact_match", "perplexity"]
        assert measured.steps == found.steps
        assert with_it.training is not None and without.training is not None
        assert with_it.training.settings["validate_every"] == without.training.settings["validate_every"]
    assert json.loads(json.dumps(found.arms[0].effect)) in list(Effect)


def test_trials_are_not_released_nor_offered(project: atanor.Project, found: Ablation) -> None:
    assert project.store.releases() == [] and project.store.candidates() == []
    assert {run.method for run in project.runs()} >= {"lora · augmentation none", "lora · augmentation all"}
    report = project.report(found.arms[0].runs[0])
    assert report.released is None
    assert report.notes[0] == "A trial, made to be compared and never released: augmentation typos."


def test_another_repetition_draws_anew_on_the_same_split(project: atanor.Project, found: Ablation) -> None:
    twice = project.ablate(project.plan_ablation(techniques=["typos"], seeds=2))
    (measured,) = twice.arms
    assert measured.runs[0] == found.arms[0].runs[0] and len(set(measured.runs)) == 2
    first, second = (project.report(run) for run in measured.runs)
    assert first.data.dataset_sha != second.data.dataset_sha, "other typing errors"
    assert [item.id for item in first.items] == [item.id for item in second.items]
    comparison = measured.comparisons[0]
    assert (comparison.items, comparison.clusters) == (20, 10), "an item's answers are one cluster"


def test_items_that_any_arm_learned_count_for_none(project: atanor.Project, found: Ablation) -> None:
    reports = [project.report(arm.runs[0]) for arm in found.arms]
    items = [Item(item.id, item.id, item.prompt, item.reference) for item in reports[0].items]
    assert counted(items, reports) == list(range(10))
    section = reports[1].contamination
    assert section is not None
    leak = Leak(item=items[3].id, test="", kind=LeakKind.EXACT, dataset="", train="", train_text="")
    reports[1] = reports[1].model_copy(update={"contamination": section.model_copy(update={"leaks": [leak]})})
    assert counted(items, reports) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_help_is_claimed_only_where_it_stands_the_adjustment() -> None:
    assert _effect(Verdict.BETTER, 0.01, 0.05) is Effect.HELPS
    assert _effect(Verdict.BETTER, 0.06, 0.05) is Effect.CANNOT_TELL
    assert _effect(Verdict.WORSE, 0.06, 0.05) is Effect.HARMS
    assert _effect(Verdict.NO_DIFFERENCE, 1.0, 0.05) is Effect.NO_DIFFERENCE
    assert _effect(Verdict.CANNOT_TELL, 1.0, 0.05) is Effect.CANNOT_TELL


def test_what_cannot_be_compared_is_said(project: atanor.Project, tmp_path: Path, tiny_base_folder: Path) -> None:
    with pytest.raises(NotFoundError, match="role counter has no technique `edaa`") as caught:
        project.plan_ablation(techniques=["edaa"])
    assert caught.value.problems[0].fix == "Did you mean `eda`? To compare: typos, eda, all"
    bare = atanor.Project.load(write_project(tmp_path / "bare", tiny_base_folder))
    with pytest.raises(ConfigurationError, match=r"Write techniques under `roles\.counter\.augment`"):
        bare.plan_ablation()
    judged = ROLE.replace("[exact_match, perplexity]", "[forgetting]")
    with pytest.raises(ConfigurationError, match="no metric looks at what the role should do"):
        atanor.Project.load(write_project(tmp_path / "judged", tiny_base_folder, role=judged)).plan_ablation()
    prompted = write_project(
        tmp_path / "prompted",
        tiny_base_folder,
        role=ROLE.replace("lora: {rank: 4, epochs: 1, batch: 4, learning_rate: 0.01}", "prompt"),
    )
    with pytest.raises(ConfigurationError, match="none of its methods trains on this machine"):
        atanor.Project.load(prompted).plan_ablation()
