"""`atanor eval` tries a metric on answers there are and names every item it cannot mark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from atanor.cli.app import app
from atanor.errors import DataError, MetricError
from atanor.evaluate import build_metric
from atanor.evaluate.options import MetricSpec
from atanor.evaluate.trying import answers_of_report, metric_named, try_metric
from tests.evaluate_report.reports import full_report

CODE = """\
def place(answer: str, item) -> bool:
    return item.fields["place"] in answer
"""
ROWS = [
    {"prompt": "Where?", "reference": "In Rome", "answer": "She is in Rome.", "place": "Rome"},
    {"prompt": "Where?", "reference": "In Bern", "answer": "", "place": "Bern"},
    {"prompt": "Where?", "reference": "In Oslo", "answer": "In Oslo"},
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "metrics.py").write_text(CODE)
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n\n" for row in ROWS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_function_is_tried_on_rows_and_the_items_it_fails_on_are_named() -> None:
    result = CliRunner().invoke(app, ["eval", "answers.jsonl", "--metric", "metrics.py:place"])
    assert result.exit_code == 1
    assert "place: 0.50" in result.stdout and "2 of 3 items have a score" in result.stdout
    assert "line-5 (candidate): `place` raised KeyError: 'place'" in result.stdout


def test_a_metric_by_name_as_json() -> None:
    result = CliRunner().invoke(app, ["eval", "answers.jsonl", "-m", "exact_match", "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 0 and found["candidate"] == pytest.approx(1 / 3) and found["baseline"] is None
    assert [item["candidate"] for item in found["items"]] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("metric", "reason"),
    [("perplexity", "looks at likelihoods"), ("judge_pairwise", "needs `rubric`, `base_url` and `model`")],
)
def test_a_metric_that_answers_alone_do_not_suffice_for_is_refused(metric: str, reason: str) -> None:
    result = CliRunner().invoke(app, ["eval", "answers.jsonl", "-m", metric])
    assert isinstance(result.exception, MetricError) and reason in str(result.exception)


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "answers.jsonl").write_bytes(b'{"answer": "caf\xe9"}\n')
    result = CliRunner().invoke(app, ["eval", "answers.jsonl", "-m", "exact_match"])
    assert isinstance(result.exception, DataError) and "byte 15 is no UTF-8" in str(result.exception)


def test_rows_without_answers_are_refused_by_line(folder: Path) -> None:
    (folder / "answers.jsonl").write_text('{"answer": "x"}\n{"prompt": "x"}\n')
    result = CliRunner().invoke(app, ["eval", "answers.jsonl", "-m", "exact_match"])
    assert isinstance(result.exception, DataError) and "answers.jsonl:2" in str(result.exception)


def test_a_metric_is_named_as_the_project_would() -> None:
    assert metric_named("json_schema=a/b.json").argument == "a/b.json"
    assert (metric_named("shortness").name, metric_named("m.py:f").argument) == ("custom", "m.py:f")


def test_the_answers_of_a_finished_run_are_marked_for_base_and_candidate() -> None:
    report = full_report()
    tried = try_metric(build_metric(MetricSpec(name="json_valid"), Path()), answers_of_report(report))
    assert len(tried.items) == len(report.items) and tried.candidate is not None and tried.baseline is not None
    assert tried.unmarked == ()
    silent = [item.model_copy(update={"candidate_answer": None}) for item in report.items]
    with pytest.raises(MetricError, match="the run has no answers"):
        answers_of_report(report.model_copy(update={"items": silent}))
