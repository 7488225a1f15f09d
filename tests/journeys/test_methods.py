"""Every method that trains, in one project: the same verdict for all, one base for all, and each answers in chat."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import atanor
from atanor.errors import ConfigurationError
from atanor.methods import METHODS
from atanor.methods.training import Trained
from atanor.project.encoder_decoder import refuse_unsuitable
from tests.journeys.projects import write_project

TRAINED = {
    "lora": "rank: 4, dora: true",
    "qlora": "rank: 4",
    "full": "optimizer: adafactor",
    "last_layers": "layers: 1, optimizer: sgd",
    "ia3": "optimizer: lion",
    "adapter": "width: 8, optimizer: muon",
    "prefix_tuning": "tokens: 4, schedule: stable",
    "prompt_tuning": "tokens: 4, schedule: linear",
}


def test_every_method_is_trained_judged_and_asked_in_one_project(tmp_path: Path, tiny_base_folder: Path) -> None:
    assert TRAINED.keys() == {name for name, made in METHODS.items() if isinstance(made, Trained)}
    methods = "".join(
        f"      - {name}: {{{options}, epochs: 2, batch: 8, validate_every: 2}}\n" for name, options in TRAINED.items()
    )
    role = f"    methods:\n{methods}    metrics: [rouge_l, perplexity]\n"
    project = atanor.Project.load(write_project(tmp_path, tiny_base_folder, role=role))
    reports = project.run().reports
    assert [report.training.method for report in reports if report.training] == list(TRAINED)
    for report in reports:
        rouge, perplexity, _ = report.comparisons
        assert (rouge.baseline, perplexity.baseline) == (
            reports[0].comparisons[0].baseline,
            reports[0].comparisons[1].baseline,
        ), "the base is the same for all, whatever was trained before"
        assert perplexity.candidate != perplexity.baseline, report.training
        for item in report.items[:3]:  # of different lengths, so that a batch would be padded
            assert project.chat(report.candidate).ask(item.prompt).strip() == (item.candidate_answer or "").strip()
    assert "the base in 4 bits (NF4, double quantisation) with the adapter" in reports[1].notes[0]
    described = json.loads((tmp_path / ".atanor" / "runs" / reports[1].run / "candidate.json").read_text("utf-8"))
    assert described["quantisation"] == {"levels": "nf4", "double": True}
    again = project.run().reports
    assert [report.run for report in again] == [report.run for report in reports], "nothing is trained twice"


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_a_base_of_an_encoder_and_a_decoder_goes_the_same_way(
    family: str, tmp_path: Path, tiny_bases: dict[str, Path]
) -> None:
    trained = "{epochs: 2, batch: 8, validate_every: 2, learning_rate: 0.02}"
    anchored = trained[:-1] + ", against_forgetting: {l2_sp: 1.0e-6}}"
    role = (
        "    system: Answer briefly.\n"
        f"    methods: [prompt, few_shot: {{shots: 2}}, lora: {anchored}, prompt_tuning: {trained}]\n"
        "    metrics: [rouge_l, perplexity]\n"
    )
    project = atanor.Project.load(write_project(tmp_path, tiny_bases[family], role=role))
    reports = project.run().reports
    assert len(reports) == 4
    for report in reports:
        names = [one.metric for one in report.comparisons]
        assert names == ["rouge_l", "perplexity", "forgetting"]
        item = report.items[0]
        assert project.chat(report.candidate).ask(item.prompt).strip() == (item.candidate_answer or "").strip()
    prompted, shown, tuned, virtual = reports
    assert shown.comparisons[1].candidate != prompted.comparisons[1].candidate, "the shots are read"
    assert tuned.comparisons[1].candidate < tuned.comparisons[1].baseline, "the answers are learned"
    assert virtual.training is not None and virtual.training.predicted_memory_bytes is None


def test_what_an_encoder_makes_impossible_is_refused_before_anything_is_made(
    tmp_path: Path, tiny_bases: dict[str, Path]
) -> None:
    role = (
        "    render: {train_on: all_assistant_turns, too_long: split}\n"
        "    methods: [adapter, lora: {compile: true, against_forgetting: {kl_to_base: {}}}]\n"
    )
    project = atanor.Project.load(write_project(tmp_path, tiny_bases["t5"], role=role))
    fields = [
        "roles.counter.render.train_on",
        "roles.counter.render.too_long",
        "roles.counter.methods[0]",
        "roles.counter.methods[1].lora.compile",
        "roles.counter.methods[1].lora.against_forgetting.kl_to_base",
    ]
    with pytest.raises(ConfigurationError, match="nothing was started") as refused:
        project.check()
    assert {problem.field for problem in refused.value.problems} >= set(fields)
    assert all(problem.line for problem in refused.value.problems)
    with pytest.raises(ConfigurationError, match="has an encoder and a decoder") as late:
        refuse_unsuitable(project.loaded.file.roles["counter"], "counter")
    assert [problem.field for problem in late.value.problems] == fields
