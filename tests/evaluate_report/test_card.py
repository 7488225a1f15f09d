"""The model card says what the report says, and a hub can read its head."""

from __future__ import annotations

import yaml

from atanor.evaluate.card import model_card
from atanor.evaluate.items import Verdict
from tests.evaluate_report.reports import data, full_report


def head_of(card: str) -> dict[str, object]:
    _, head, _ = card.split("---\n", 2)
    read: dict[str, object] = yaml.safe_load(head)
    return read


def test_the_card_has_data_licences_method_results_and_limits() -> None:
    report = full_report(
        data=data().model_copy(update={"licences": {data().sources[0]: "CC-BY-4.0"}}), base="hf:owner/small@main"
    )
    card = model_card(report)
    assert head_of(card) == {
        "library_name": "peft",
        "license": "apache-2.0",
        "base_model": "owner/small",
        "tags": ["atanor", "lora"],
    }
    assert [line for line in card.splitlines() if line.startswith("## ")] == [
        "## Data",
        "## Method",
        "## Results",
        "## Limits",
    ]
    assert f"| {data().sources[0]} | CC-BY-4.0 |" in card
    for comparison in report.comparisons:
        assert f"| {comparison.label} (" in card
    assert "| forgetting within 0.005 | no |" in card
    assert f"- {report.notes[0]}" in card


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    card = model_card(full_report(training=None, base_licence=None, verdict=Verdict.CANNOT_TELL, gates=[]))
    assert head_of(card) == {"library_name": "transformers", "tags": ["atanor"]}
    assert "**Cannot tell**" in card
    assert "Nothing was trained" in card
    assert "not stated" in card
