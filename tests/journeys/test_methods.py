"""Every method that trains, in one project: the same verdict for all, one base for all, and each answers in chat."""

from __future__ import annotations

import json
from pathlib import Path

import atanor
from atanor.methods import METHODS
from atanor.methods.training import Trained
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
