"""Test items that were trained on: shown, left out of the verdict, and refused by a gate, in the main job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import atanor
from atanor.evaluate.contamination.leaks import LeakKind
from atanor.evaluate.report import Report
from tests.journeys.projects import write_project

ROLE = (
    "    methods: [lora: {rank: 4, epochs: 1, batch: 8, learning_rate: 0.01}]\n"
    "    metrics: [perplexity]\n"
    "    check: {near_duplicates: off}\n"
)


def run(folder: Path, *, role: str | None = None) -> Report:
    (report,) = atanor.Project.load(folder).run(role).reports
    return report


def with_copies(folder: Path, base: Path, more: str = "") -> None:
    """Every row stands there twice, the second time in capitals: half of the test was trained on."""
    write_project(folder, base, role=ROLE + more)
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    copies = [{name: text.upper() for name, text in row.items()} for row in rows[:30]]
    lines = [json.dumps(row) for row in (*rows, *copies)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def contaminated(tmp_path_factory: pytest.TempPathFactory, tiny_base_folder: Path) -> Report:
    folder = tmp_path_factory.mktemp("copies")
    with_copies(folder, tiny_base_folder, "    gates: [clean data, perplexity better]\n")
    return run(folder)


def test_learned_items_are_shown_and_do_not_count(contaminated: Report) -> None:
    found = contaminated.contamination
    assert found is not None and 0 < len(found.learned) < 10
    (perplexity,) = (one for one in contaminated.comparisons if one.metric == "perplexity")
    assert perplexity.items == 10 - len(found.learned)
    (every,) = (one for one in found.otherwise if one.metric == "perplexity")
    assert every.items == 10
    assert {item.id for item in contaminated.items if item.learned} == found.learned
    assert all(item.baseline_scores["perplexity"] is not None for item in contaminated.items)
    assert "do not count; with them the verdict is" in contaminated.headline


def test_the_gate_clean_data_keeps_the_candidate_from_being_released(contaminated: Report) -> None:
    gate = contaminated.gates[0]
    assert gate.gate == "clean data" and not gate.passed and "stand in the training rows" in gate.reason
    assert contaminated.released is None


def test_the_page_shows_each_item_with_its_row(contaminated: Report) -> None:
    from atanor.evaluate import render_html

    assert contaminated.contamination is not None
    page = render_html(contaminated)
    for leak in contaminated.contamination.leaks:
        assert leak.test in page and leak.train in page


def test_kept_items_count_and_the_verdict_says_what_it_would_be_without(tmp_path: Path, tiny_base_folder: Path) -> None:
    with_copies(tmp_path, tiny_base_folder, "    evaluate: {contaminated: keep}\n")
    report = run(tmp_path)
    (perplexity,) = (one for one in report.comparisons if one.metric == "perplexity")
    assert perplexity.items == 10
    assert "count, as the project asks; without them the verdict is" in report.headline


def test_what_a_parent_was_trained_on_counts_too(tmp_path: Path, tiny_base_folder: Path) -> None:
    """The second role tests on rows of its own; its candidate begins from one that learned most of them."""
    write_project(tmp_path, tiny_base_folder, role=ROLE)
    text = (tmp_path / "atanor.yaml").read_text(encoding="utf-8")
    first = text.partition("roles:\n")[2]
    second = first.replace("  counter:", "  second:").replace("rank: 4", "rank: 4, start_from: counter")
    second = second.replace("data: rows.jsonl", "data: more.jsonl").replace("test: 10", "test: 30")
    (tmp_path / "atanor.yaml").write_text(text + second, encoding="utf-8")
    rows = (tmp_path / "rows.jsonl").read_text().splitlines()
    new = [json.dumps({"prompt": f"name {number}", "completion": f"reply {number * 3}"}) for number in range(20)]
    (tmp_path / "more.jsonl").write_text("\n".join([*rows, *new]) + "\n", encoding="utf-8")
    parent = run(tmp_path, role="counter")
    assert parent.contamination is not None
    report = run(tmp_path, role="second")
    found = report.contamination
    assert found is not None and found.learned
    assert f"what {parent.candidate} was trained on" in {leak.dataset for leak in found.leaks if leak.learned}
    assert {leak.kind for leak in found.leaks if parent.candidate in leak.dataset} >= {LeakKind.EXACT}
    assert len(found.looked_at) == 2
