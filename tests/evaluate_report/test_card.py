"""The model card says what the report says, and a hub can read its head."""

from __future__ import annotations

import yaml

from atanor.evaluate.card import model_card
from atanor.evaluate.contamination.leaks import ContaminationSection, Leak, LeakKind
from atanor.evaluate.items import Verdict
from atanor.evaluate.report import ProbeSection
from tests.evaluate_report.reports import comparison, data, full_report


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
    for one in report.comparisons:
        assert f"| {one.label} (" in card
    assert "| forgetting within 0.005 | no |" in card
    assert f"- {report.notes[0]}" in card


def test_the_card_has_what_probes_found_and_what_was_learned_of_the_test() -> None:
    report = full_report()
    leak = Leak(item="a", test="t:1", kind=LeakKind.EXACT, dataset="the training rows", train="t:2", train_text="x")
    found = ContaminationSection(policy="exclude", items=48, looked_at=["the training rows (384 rows)"], leaks=[leak])
    bias = ProbeSection(title="Bias", about=["Pairs."], comparisons=[comparison("stereotypes", "stereotype", [0], [1])])
    card = model_card(report.model_copy(update={"contamination": found, "sections": [bias]}))
    assert "### Bias" in card and "| stereotype (" in card
    assert "- 1 of 48 test items stand in the training rows and do not count." in card
    assert "It was not looked whether test items" in model_card(report)


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    card = model_card(full_report(training=None, base_licence=None, verdict=Verdict.CANNOT_TELL, gates=[]))
    assert head_of(card) == {"library_name": "transformers", "tags": ["atanor"]}
    assert "Beside its base: **cannot tell**." in card
    assert "Nothing was trained" in card
    assert "not stated" in card
