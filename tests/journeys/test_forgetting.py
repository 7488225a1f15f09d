"""Remedies against forgetting as a project asks for them: in the plan, the report, and the training found again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import atanor
from atanor.errors import ConfigurationError
from atanor.project.events import Event, RunPlanned, Unwatched
from tests.journeys.projects import write_project

EVERYTHING = (
    "replay: {share: 0.2, path: general.jsonl}, self_written: {share: 0.1, max_new_tokens: 32, temperature: 1.5}, "
    "kl_to_base: {weight: 0.1}, l2_sp: 0.01, ewc: {weight: 10, rows: 4}, average: {decay: 0.9, last: 2}"
)
LORA = "rank: 4, epochs: 1, batch: 4, learning_rate: 0.01, validate_every: 3"


class Watching(Unwatched):
    """Keeps the plans and what is said."""

    def __init__(self) -> None:
        self.plans: list[str] = []
        self.said: list[str] = []

    def show(self, event: Event) -> None:
        if isinstance(event, RunPlanned):
            self.plans.append(event.plan)

    def say(self, message: str) -> None:
        self.said.append(message)


def project(folder: Path, base: Path, remedies: str) -> atanor.Project:
    role = f"    methods: [lora: {{{LORA}, against_forgetting: {{{remedies}}}}}]\n    metrics: [perplexity]\n"
    path = write_project(folder, base, role=role)
    general = [{"text": f"the lamp by the door number {number}"} for number in range(6)]
    (folder / "general.jsonl").write_text("".join(json.dumps(row) + "\n" for row in general))
    return atanor.Project.load(path)


def test_all_remedies_together(tiny_base_folder: Path, tmp_path: Path) -> None:
    watching = Watching()
    (report,) = project(tmp_path, tiny_base_folder, EVERYTHING).run(watcher=watching).reports
    (plan,) = watching.plans
    for words in ("20% general rows", "10% rows the base wrote", "KL to the base x 0.1", "L2-SP x 0.01", "EWC x 10"):
        assert words in plan
    assert "replay    6 rows of general.jsonl: 20% of every step's rows" in watching.said
    assert any("answers of the base: 10% of every step's rows" in line for line in watching.said)
    assert report.training is not None
    assert report.training.settings["against_forgetting"]["replay"]["share"] == 0.2
    cache = {file.name.partition("-")[0] for file in (tmp_path / ".atanor" / "cache").iterdir()}
    assert cache == {"fisher", "answers"}


def test_other_general_rows_are_another_training(tiny_base_folder: Path, tmp_path: Path) -> None:
    opened = project(tmp_path, tiny_base_folder, "replay: {path: general.jsonl}")
    (first,) = opened.run().reports
    (again,) = opened.run().reports
    assert again.run == first.run
    with (tmp_path / "general.jsonl").open("a") as file:
        file.write('{"text": "one more lamp"}\n')
    (other,) = opened.run().reports
    assert other.run != first.run


def test_a_missing_file_of_general_rows_is_told_before_anything_runs(tiny_base_folder: Path, tmp_path: Path) -> None:
    opened = project(tmp_path, tiny_base_folder, "replay: {path: none.jsonl}")
    with pytest.raises(ConfigurationError) as error:
        opened.check()
    (problem,) = error.value.problems
    assert problem.field == "roles.counter.methods[0].lora.against_forgetting.replay.path"
    assert problem.line


IMPOSSIBLE = [
    ("lora: {against_forgetting: {kl_to_base: {rows: general}}}", "has no rows"),
    ("lora: {against_forgetting: {replay: {share: 0.6}, self_written: {share: 0.6}}}", "leaves too little of the role"),
    ("lora: {against_forgetting: {average: {}}}", "it says nothing"),
    (
        "lora: {optimizer: schedule_free, against_forgetting: {average: {decay: 0.9}}}",
        "moving average of weights already",
    ),
    ("lora: {objective: dpo, against_forgetting: {replay: {}}}", "`dpo` learns otherwise"),
    ("prefix_tuning: {against_forgetting: {l2_sp: 0.1}}", "do not begin as the base"),
    ("prompt_tuning: {against_forgetting: {ewc: {}}}", "do not begin as the base"),
]


@pytest.mark.parametrize(("method", "reason"), IMPOSSIBLE)
def test_what_cannot_work_is_refused_with_the_reason(
    method: str, reason: str, tiny_base_folder: Path, tmp_path: Path
) -> None:
    role = f"    methods: [{method}]\n    metrics: [perplexity]\n"
    with pytest.raises(ConfigurationError) as error:
        atanor.Project.load(write_project(tmp_path, tiny_base_folder, role=role))
    (problem,) = error.value.problems
    assert reason in problem.reason
