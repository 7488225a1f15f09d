"""The report page is whole, safe and self-contained, whatever the answers are."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest

from atanor.evaluate import render_html
from atanor.evaluate.report import Report
from tests.reports import HOSTILE, report

VOID = {"meta", "img", "input", "br", "link", "hr"}


class Walker(HTMLParser):
    """Checks that tags are balanced and keeps elements, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def walk(made: Report) -> Walker:
    walker = Walker()
    walker.feed(render_html(made))
    walker.close()
    assert not walker.open, f"left open: {walker.open}"
    return walker


def test_every_number_a_reader_needs_is_there() -> None:
    made = report()
    words = " ".join(walk(made).words)
    for found in made.comparisons:
        assert found.label in words
    for gate in made.gates:
        assert gate.gate in words and gate.reason in words
    for item in made.items:
        assert item.id in words and item.candidate_answer is not None and item.candidate_answer in words
    for needed in (
        "+0.94 [+0.85, +0.98]",
        "−18.5 [−19.8, −17.5]",
        "48 in 8 clusters",
        "482 read = 478 used + 2 refused + 1 left out + 1 duplicates",
        "director@1",
        "kept: 30",
        made.data.split_sha,
        made.base_sha,
        made.headline,
        "went on from step 12",
        "2.13.0",
        "FAIL",
    ):
        assert needed in words, needed


def test_what_a_model_wrote_is_shown_and_never_run() -> None:
    page = render_html(report())
    walker = walk(report())
    assert HOSTILE in "".join(walker.words), "it is shown as it was written"
    assert "img" not in walker.tags
    assert page.count("<script") == 1 and page.count("</script>") == 1
    assert not [name for _, name, _ in walker.attributes if name.startswith("on")]


def test_the_page_loads_nothing_from_anywhere() -> None:
    walker = walk(report())
    assert not [value for _, name, value in walker.attributes if name in ("src", "href", "srcset", "action")]
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", render_html(report()))
    assert "link" not in walker.tags


@pytest.mark.parametrize(
    "changes",
    [
        {"training": None},
        {"comparisons": [], "gates": [], "items": []},
        {"released": None, "base_licence": None, "notes": []},
    ],
)
def test_a_report_with_parts_missing_is_still_a_page(changes: dict) -> None:
    assert walk(report(**changes)).tags


def test_without_answers_and_losses_it_is_still_a_page() -> None:
    full = report()
    items = [item.model_copy(update={"baseline_answer": None, "candidate_answer": None}) for item in full.items]
    training = full.training
    assert training is not None
    silent = training.model_copy(update={"train_loss": [], "validation_loss": [(3, math.nan)], "seconds": 0.0})
    words = " ".join(walk(report(items=items, training=silent)).words)
    assert "base says" not in words and "note 3" in words


def test_every_coordinate_is_a_finite_number() -> None:
    made = report()
    numbers = [
        value
        for _, name, value in walk(made).attributes
        if name in ("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "width", "height", "points", "viewbox")
    ]
    assert len(numbers) > 200
    for value in numbers:
        for part in re.split(r"[ ,]", value):
            if "device" not in part:
                assert math.isfinite(float(part)), value


def test_it_survives_being_written_and_read_as_json() -> None:
    made = report()
    again = Report.model_validate_json(made.model_dump_json())
    assert render_html(again)


def test_colour_is_never_the_only_sign() -> None:
    words = " ".join(walk(report()).words)
    assert "▲ better" in words and "= no difference" in words and "? cannot tell" in words
