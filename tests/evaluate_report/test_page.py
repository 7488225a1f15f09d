"""The report page: complete, well-formed, self-contained, and deaf to whatever a model answered."""

from __future__ import annotations

import base64
import hashlib
import math
import re

import pytest

from atanor.evaluate.html import render_html
from atanor.evaluate.items import Verdict
from atanor.evaluate.report import Report
from tests.evaluate_report.reports import (
    HOSTILE,
    ITEMS,
    comparison,
    data,
    forgetting,
    full_report,
    json_schema,
    perplexity,
    training,
)
from tests.evaluate_report.walk import Page


def walked(report: Report) -> Page:
    page = Page(render_html(report))
    assert page.loads() == []
    assert page.handlers() == []
    assert page.numbers()
    return page


def test_the_page_holds_everything_the_report_knows() -> None:
    report = full_report()
    page = walked(report)
    for needed in (
        "eternal-library / director",
        "▲ Better",
        report.headline,
        report.goal,
        "Apache-2.0",
        "director@1",
        "21 November 2026, 06:32 UTC",
        "48 in 12 groups",
        "< 0.001",
        "490 rows read = 480 used + 2 refused + 5 left out + 3 duplicates",
        "384 train · 48 validation · 48 test",
        "118,204, of which 48,464 supervised (41 %)",
        "412 of 8,192 tokens of context; nothing cut",
        ".atanor/quarantine/director.jsonl",
        "2 min 31 s",
        "4.88 M of 139 M parameters",
        "schedule.kind",
        "best: step 18, 0.29",
        "atanor run --role director --method lora",
        "pip install atanor==0.1.0",
        "Training was interrupted and went on from step 13.",
        "2.13.0+cpu",
        report.data.dataset_sha,
        report.base_sha,
    ):
        assert needed in page.text, needed
    assert report.project_file in "".join(text for tag, text in page.texts if tag == "pre")
    for found in report.comparisons:
        assert found.label in page.text
    for gate in report.gates:
        assert gate.gate in page.text and gate.reason in page.text
    assert "✓ pass" in page.text and "✗ fail" in page.text
    assert page.text.count("Scene 17: Inés opens the ledger.") >= 2, "in the list and in the item"
    assert all(item.id in page.text for item in report.items)


def test_numbers_have_a_sign_a_true_minus_and_few_digits() -> None:
    text = walked(full_report()).text
    assert re.search(r"\+0\.90 \[\+0\.80, \+0\.96\]", text)
    assert re.search(r"−11\.1 \[−12\.5, −9\.79\]", text)
    assert not re.search(r"[\[ ]-\d", text), "a hyphen is no minus"
    assert not re.search(r"\d\.\d{5}", text)


@pytest.mark.parametrize("field", ["project", "role", "run", "goal", "base", "headline", "candidate", "project_file"])
def test_a_text_of_the_report_stays_text(field: str) -> None:
    page = walked(full_report(**{field: HOSTILE}))
    assert "alert(2)" in page.text
    assert page.all("img") == [] and len(page.all("script")) == 1


def test_answers_are_shown_and_never_run() -> None:
    report = full_report()
    hostile = report.items[0].model_copy(
        update=dict.fromkeys(("id", "prompt", "reference", "baseline_answer", "candidate_answer"), HOSTILE)
    )
    document = render_html(report.model_copy(update={"items": [hostile, *report.items[1:]]}))
    page = Page(document)
    assert page.all("img") == [] and len(page.all("script")) == 1 and len(page.all("style")) == 1
    assert page.handlers() == [] and page.loads() == []
    assert "\x1b" not in document and "\x00" not in document, "control characters become visible signs"
    assert "␛[31m" in page.text


def test_labels_settings_versions_and_notes_are_escaped_too() -> None:
    report = full_report(
        comparisons=[comparison(HOSTILE, HOSTILE, [0.0] * ITEMS, [1.0] * ITEMS)],
        training=training(method=HOSTILE, settings={HOSTILE: [HOSTILE]}, precision=HOSTILE),
        data=data(sources=[HOSTILE], quarantine=HOSTILE),
        versions={"atanor": HOSTILE, HOSTILE: HOSTILE},
        notes=[HOSTILE],
        released=HOSTILE,
        created=HOSTILE,
        base_licence=HOSTILE,
    )
    page = walked(report)
    assert page.all("img") == [] and len(page.all("script")) == 1


def test_only_the_pages_own_script_and_style_may_run() -> None:
    document = render_html(full_report())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', document)
    assert "default-src &#x27;none&#x27;" in policy
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", document, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src &#x27;sha256-{digest}&#x27;" in policy


def test_nothing_trained_nothing_generated_no_gates() -> None:
    items = [
        item.model_copy(update={"baseline_answer": None, "candidate_answer": None, "prompt": ""})
        for item in full_report().items
    ]
    page = walked(full_report(training=None, items=items, gates=[], notes=[], released=None, base_licence=None))
    assert "Nothing was trained" in page.text
    assert "none were generated" in page.text
    assert "The project sets no gate" in page.text
    assert "licence not stated" in page.text
    assert "--method" not in page.text


def test_one_answer_missing_is_said() -> None:
    report = full_report()
    items = [report.items[0].model_copy(update={"baseline_answer": None}), *report.items[1:]]
    assert "not generated" in walked(report.model_copy(update={"items": items})).text
    assert "(empty)" in walked(report).text


def test_no_loss_on_the_first_metric_is_said() -> None:
    alike = [0.0] * ITEMS
    report = full_report(
        comparisons=[comparison("json_schema", "schema-valid JSON", alike, [1.0] * ITEMS, yes_no=True)],
        items=[
            item.model_copy(update={"baseline_scores": {"json_schema": 0.0}, "candidate_scores": {"json_schema": 1.0}})
            for item in full_report().items
        ],
    )
    assert "The candidate did worse on no item, by schema-valid JSON." in walked(report).text


def test_gains_and_losses_stand_side_by_side_largest_first() -> None:
    text = walked(full_report()).text
    gains, losses = text.split("Largest losses")[-2:]
    assert "Largest gains" in gains
    assert losses.index("Scene 7:") < losses.index("All 48 items")


def test_scores_that_are_not_finite_are_counted_not_drawn() -> None:
    odd = [math.nan, math.inf, *([0.5] * (ITEMS - 2))]
    better = [0.5, 0.5, *([math.nan] * 3), *([0.7] * (ITEMS - 5))]
    report = full_report(
        comparisons=[
            comparison("custom", "own score", odd, better, low=-math.inf, high=math.inf, baseline=math.nan),
            comparison("none", "no score", [math.nan] * ITEMS, [math.nan] * ITEMS, low=math.nan, high=math.nan),
        ],
        items=[
            item.model_copy(update={"baseline_scores": {"custom": None}, "candidate_scores": {"custom": 0.5}})
            for item in full_report().items
        ],
    )
    text = walked(report).text
    assert "5 items without a score not drawn" in text
    assert "No item has a score of its own on this metric." in text
    assert "[−∞, +∞]" in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize(
    "losses",
    [
        {"train_loss": [], "validation_loss": []},
        {"train_loss": [(1, 0.5)], "validation_loss": []},
        {"train_loss": [(1, 2.0), (2, math.nan), (3, math.inf)], "validation_loss": [(3, math.nan)]},
        {"train_loss": [(step, 2.0) for step in range(1, 1001)], "validation_loss": [(1000, 2.0)], "best_step": 1000},
    ],
)
def test_every_kind_of_loss_curve_can_be_drawn(losses: dict[str, list[tuple[int, float]]]) -> None:
    text = walked(full_report(training=training(**losses))).text
    if not losses["train_loss"]:
        assert "No loss was recorded." in text
    if len(losses["train_loss"]) == 3:
        assert "3 values not finite and not drawn" in text
    if len(losses["train_loss"]) == 1000:
        assert "1,000 training steps drawn as means of 3 neighbours" in text


def test_many_items_are_drawn_as_differences() -> None:
    before = [float(number % 7) for number in range(500)]
    after = [float(number % 5) for number in range(500)]
    report = full_report(comparisons=[comparison("rouge_l", "ROUGE-L", before, after)], items=[])
    text = walked(report).text
    assert "Differences of 500 items" in text
    assert "There are no test items." in text


def test_rows_that_do_not_add_up_are_said() -> None:
    assert "not accounted for" not in walked(full_report()).text
    assert "7 rows are not accounted for." in walked(full_report(data=data(read=497))).text


def test_the_confidence_of_the_intervals_is_the_one_in_force() -> None:
    text = walked(full_report(confidence=0.9)).text
    assert "change [90 %]" in text and "95 %" not in text


@pytest.mark.parametrize("verdict", list(Verdict))
def test_each_verdict_has_a_sign_beside_its_colour(verdict: Verdict) -> None:
    signs = {"better": "▲", "worse": "▼", "no difference": "=", "cannot tell": "?"}
    text = walked(full_report(verdict=verdict)).text
    assert f"{signs[verdict]} {verdict.capitalize()}" in text


def test_a_reader_without_eyes_or_mouse_finds_the_way() -> None:
    page = walked(full_report())
    assert len(page.all("main")) == len(page.all("h1")) == len(page.all("nav")) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(link["href"] or "")[1:] for link in page.all("a")} <= set(ids)
    for section in page.all("section"):
        assert section["aria-labelledby"] in ids
    for drawing in page.all("svg"):
        assert drawing.get("aria-hidden") == "true" or drawing["aria-labelledby"] in ids
    assert len(page.all("caption")) == len(page.all("table"))
    for attributes in (attributes for _, attributes in page.elements if "scroll" in (attributes.get("class") or "")):
        assert attributes["tabindex"] == "0" and attributes["aria-label"]


def test_without_scripts_every_item_can_be_read() -> None:
    page = walked(full_report())
    entries = [element for element in page.all("details") if element.get("class") == "item"]
    assert len(entries) == ITEMS and not any("hidden" in entry for entry in entries)
    (form,) = page.all("form")
    assert "hidden" in form, "a filter that cannot filter is not shown"
    assert entries[7]["data-outcomes"].split()[0] == "loss"  # type: ignore[union-attr]
    assert entries[3]["data-outcomes"].split()[0] == "tie"  # type: ignore[union-attr]


def test_the_direction_of_a_metric_decides_what_a_gain_is() -> None:
    page = walked(full_report(comparisons=[perplexity(), forgetting(), json_schema()]))
    titles = [text for tag, text in page.texts if tag == "title"]
    assert any(f"{ITEMS} better, 0 equal, 0 worse" in title for title in titles)


def test_one_item_one_metric() -> None:
    report = full_report()
    walked(report.model_copy(update={"items": report.items[:1], "comparisons": report.comparisons[:1]}))
    text = walked(report.model_copy(update={"items": [], "comparisons": []})).text
    assert "Nothing was measured." in text


def test_the_same_report_makes_the_same_page() -> None:
    assert render_html(full_report()) == render_html(full_report())


def test_answers_stand_beside_each_other_word_by_word_and_stay_texts() -> None:
    first = (
        full_report()
        .items[0]
        .model_copy(
            update={"baseline_answer": f"the red door {HOSTILE}", "candidate_answer": f"the blue door {HOSTILE} opens"}
        )
    )
    document = render_html(full_report(items=[first]))
    page = Page(document)
    assert page.all("img") == [] and len(page.all("script")) == 1
    assert "<del> red</del><ins> blue</ins> door" in document and "<ins> opens</ins>" in document
    same = first.model_copy(update={"candidate_answer": first.baseline_answer})
    assert "word by word" not in render_html(full_report(items=[same]))


def test_the_gain_is_drawn_against_what_was_forgotten() -> None:
    titles = [text for tag, text in walked(full_report()).texts if tag == "title"]
    (title,) = [text for text in titles if "against" in text]
    assert title.startswith("schema-valid JSON +") and forgetting().label in title
    page = walked(full_report(comparisons=[json_schema()]))
    assert not [text for tag, text in page.texts if tag == "title" and "against" in text]


def test_answers_with_a_probability_are_drawn_by_how_often_they_were_right() -> None:
    right = (
        full_report()
        .items[0]
        .model_copy(update={"reference": "card lost", "baseline_answer": "age limit", "candidate_answer": "Card lost"})
    )
    sure = {"baseline_confidence": 0.85, "candidate_confidence": 0.62}
    document = render_html(full_report(items=[right.model_copy(update=sure)] * 3))
    assert 'id="calibration"' in document
    drawn = re.search(r"<svg[^>]*calibration-title.*?</svg>", document, re.DOTALL)
    assert drawn is not None
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"[^>]*class="dot (\w+)"', drawn[0])
    (base_x, base_y), (tuned_x, tuned_y) = [(float(x), float(y)) for x, y, _ in circles]
    assert [style for *_, style in circles] == ["base", "tuned"]
    assert base_x > tuned_x and base_y > tuned_y, "surer and never right; less sure and always right"
    assert 'id="calibration"' not in render_html(full_report(items=[right] * 3))
