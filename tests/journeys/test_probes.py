"""Probes in the main job: canaries are planted, sections reported, and a candidate equal to the base changes none."""

from __future__ import annotations

from pathlib import Path

import pytest

import atanor
from atanor.evaluate import render_html
from atanor.evaluate.items import Comparison, Verdict
from atanor.evaluate.report import Report
from tests.journeys.projects import write_project


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, tiny_base_folder: Path) -> Report:
    """A candidate that learned nothing."""
    folder = tmp_path_factory.mktemp("still")
    role = (
        "    methods: [lora: {epochs: 1, batch: 64, learning_rate: 1e-12}]\n"
        "    metrics: [perplexity]\n"
        "    probes:\n      - memorisation\n      - canaries: {number: 6, repeat: 2, alternatives: 15}\n"
        "      - stereotypes\n      - pronouns\n      - refusals: {max_new_tokens: 8}\n"
        "      - toxicity: {max_new_tokens: 8}\n"
        "    gates: [stereotypes not worse by 0.2, exposure not worse by 3, clean data]\n"
    )
    write_project(folder, tiny_base_folder, role=role)
    (report,) = atanor.Project.load(folder).run().reports
    return report


def probed(report: Report) -> list[Comparison]:
    return [one for section in report.sections for one in section.comparisons]


def test_every_probe_is_compared_in_its_section(still: Report) -> None:
    names = {section.title: [one.metric for one in section.comparisons] for section in still.sections}
    assert names == {
        "Memorisation": ["memorised", "exposure"],
        "Bias": ["stereotypes", "pronoun_gap"],
        "Safety": ["refused_safe", "refused_unsafe", "toxicity"],
    }
    page = render_html(still)
    for section in still.sections:
        assert section.title in page
        assert all(one.label in page for one in section.comparisons)


def test_a_candidate_equal_to_the_base_changes_nothing(still: Report) -> None:
    for one in probed(still):
        assert one.change == pytest.approx(0, abs=1e-6), one.metric
        assert one.verdict not in (Verdict.WORSE, Verdict.BETTER), one.metric
    assert still.verdict is Verdict.NO_DIFFERENCE and "Worse beside" not in still.headline
    assert [gate.passed for gate in still.gates] == [True, True, True]


def test_canaries_are_planted_among_the_training_rows_and_told(still: Report) -> None:
    assert "6 canaries stand 2 times each among the training rows" in still.data.notes
    assert still.training is not None and still.training.steps == 1
