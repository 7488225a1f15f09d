"""What training will take is said before a weight is loaded, and what to do where memory does not suffice."""

from __future__ import annotations

from pathlib import Path

import pytest

import atanor
from atanor.cli import tables
from atanor.compute import Architecture
from atanor.project import estimating
from atanor.project.estimating import Prediction
from atanor.project.events import Unwatched
from atanor.project.file import load_project_file
from tests.cli.screens import shown, words
from tests.journeys.projects import write_project


def predictions(tmp_path: Path, base: Path, **options: float) -> list[Prediction]:
    role = "    methods: [prompt, lora: {rank: 4, epochs: 4, batch: 4}]\n    metrics: [exact_match]\n"
    return atanor.Project.load(write_project(tmp_path, base, role=role)).estimate(**options)


def test_only_what_trains_here_is_estimated_and_no_weight_is_loaded(
    tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", None)
    (found,) = predictions(tmp_path, tiny_base_folder, price=3600.0)
    memory = found.estimate.memory
    assert (found.role, found.method, found.estimate.steps) == ("counter", "lora", 28)
    assert min(memory.process, memory.weights, memory.trained, memory.activations, memory.transient) > 0
    assert memory.total < found.available
    assert found.fits and found.advice is None
    assert found.cost == pytest.approx(found.estimate.seconds)
    assert 0 < found.estimate.executed <= found.estimate.logical


def test_where_memory_does_not_suffice_it_says_what_would(
    tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (roomy,) = predictions(tmp_path, tiny_base_folder)
    monkeypatch.setattr(estimating, "process_bytes", lambda _: 0)
    needed = roomy.estimate.memory.total - roomy.estimate.memory.process
    monkeypatch.setattr(estimating, "available_bytes", lambda _: needed - 1)
    (tight,) = predictions(tmp_path, tiny_base_folder)
    assert not tight.fits
    assert tight.fitting is not None and f"`tokens_per_pass: {tight.fitting}`" in str(tight.advice)

    monkeypatch.setattr(estimating, "available_bytes", lambda _: 1000)
    (hopeless,) = predictions(tmp_path, tiny_base_folder)
    assert "a smaller base" in str(hopeless.advice)


def test_a_family_that_cannot_be_predicted_is_told_and_a_run_goes_on(
    tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise AttributeError("no attribute `hidden_size`")

    monkeypatch.setattr(Architecture, "of", unreadable)
    with pytest.raises(atanor.AtanorError, match="cannot be predicted"):
        predictions(tmp_path, tiny_base_folder)
    (report,) = atanor.Project.load(tmp_path).run(method="prompt").reports
    assert report.training is None
    (report,) = atanor.Project.load(tmp_path).run(method="lora").reports
    assert report.training is not None and report.training.predicted_seconds is None


def test_the_screen_shows_the_parts_of_memory_time_and_cost(tmp_path: Path, tiny_base_folder: Path) -> None:
    text = words(shown(tables.estimates_view(predictions(tmp_path, tiny_base_folder, price=1.0))))
    for part in ("counter · lora", "libraries", "28 steps", "tokens", "cost"):
        assert part in text
    assert words(shown(tables.estimates_view([]))) == "there is no method here whose training can be predicted"


def test_a_method_that_was_not_measured_is_told_and_the_others_are_predicted(
    tmp_path: Path, tiny_base_folder: Path
) -> None:
    said: list[str] = []

    class Listener(Unwatched):
        def say(self, message: str) -> None:
            said.append(message)

    role = "    methods: [{qlora: {targets: [q_proj]}}, {lora: {rank: 4}}]\n    metrics: [exact_match]\n"
    loaded = load_project_file(write_project(tmp_path, tiny_base_folder, role=role))
    assert [one.method for one in estimating.estimate_role(loaded, "counter", Listener())] == ["lora"]
    assert any("nothing for `qlora`: its memory and time have not been measured" in one for one in said)


def test_a_technique_without_formulas_is_measured_on_a_few_blocks(tmp_path: Path, tiny_base_folder: Path) -> None:
    role = (
        "    methods: [adapter, {prefix_tuning: {tokens: 4}}, {full: {optimizer: lion}}]\n    metrics: [exact_match]\n"
    )
    found = atanor.Project.load(write_project(tmp_path, tiny_base_folder, role=role)).estimate()
    assert [one.method for one in found] == ["adapter", "prefix_tuning", "full"]
    for one in found:
        memory = one.estimate.memory
        assert one.fits and min(memory.weights, memory.trained, memory.activations) > 0
    assert found[1].estimate.executed == found[1].estimate.logical, "rows of virtual tokens share nothing"


def test_a_budget_is_in_the_forecast(tmp_path: Path, tiny_base_folder: Path) -> None:
    def steps(budget: str) -> int:
        role = f"    methods: [{{lora: {{rank: 4, epochs: 4, batch: 4{budget}}}}}]\n    metrics: [exact_match]\n"
        (found,) = atanor.Project.load(write_project(tmp_path, tiny_base_folder, role=role)).estimate()
        return found.estimate.steps

    assert steps("") == 28
    assert steps(", max_steps: 5") == 5
    assert steps(", max_minutes: 0.0001") == 1
