"""A run whose metrics meet answers they cannot mark: its report names items, reasons and policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import atanor
from tests.endpoint import Server, said
from tests.journeys.projects import write_project

CODE = """\
seen = []

def long_enough(answer, item) -> bool:
    seen.append(item.id)
    if item.id == seen[0]:
        raise ValueError("this one I do not judge")
    return len(answer) > 3
"""
ROLE = """\
    methods: [lora: {{rank: 4, epochs: 1, batch: 8, learning_rate: 0.01}}]
    metrics:
      - custom: {{argument: "marks.py:long_enough", on_error: exclude}}
      - judge_pairwise: {{rubric: Is it kind, base_url: "{url}", model: small, api_key_env: null, retries: 0}}
      - distinct_1
      - latency
"""


def first_is_better(body: dict[str, Any], number: int) -> tuple[int, dict[str, str], Any]:
    del body, number
    return 200, {}, said('{"better": "first"}')


def test_a_report_tells_what_could_not_be_marked_and_what_a_judge_is_worth(
    tmp_path: Path, tiny_base_folder: Path
) -> None:
    server = Server(first_is_better)
    write_project(tmp_path, tiny_base_folder, role=ROLE.format(url=server.url))
    (tmp_path / "marks.py").write_text(CODE)
    project = atanor.Project.load(tmp_path)
    (report,) = project.run().reports
    found = {one.metric: one for one in report.comparisons}
    (unmarked,) = {one.item for one in found["custom"].unmarked}
    assert unmarked == report.items[0].id and found["custom"].items == len(report.items) - 1
    assert report.items[0].candidate_scores["custom"] is None
    assert found["judge_pairwise"].change == 0 and not found["latency"].target
    page = project.report_page(report.run).read_text("utf-8")
    for words in ("this one I do not judge", "on_error: exclude", "these count as ties", "has no `ratings`"):
        assert any(words in note for note in report.notes), words
        assert words in page
    asked = len(server.bodies)
    kept = list((tmp_path / ".atanor" / "judgements").iterdir())
    assert asked == len(kept) and json.loads(kept[0].read_text())["model"] == "small"
    assert project.report(report.run).comparisons == report.comparisons, "it is read back as it was"
