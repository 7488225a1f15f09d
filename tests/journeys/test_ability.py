"""General ability in the main job: told first, asked of base and candidate, compared, gated, shown, remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import atanor
from atanor.cli.app import app
from atanor.errors import AtanorError, ConfigurationError
from atanor.evaluate import render_html
from atanor.evaluate.ability import tasks
from atanor.evaluate.report import Report
from tests.journeys.projects import write_project

ROLE = """\
    methods: [lora: {rank: 4, epochs: 1, batch: 8, learning_rate: 0.01}]
    metrics: [perplexity]
    evaluate:
      ability: small
      ability_files:
        - {kind: blimp, path: pairs.jsonl}
        - {kind: lambada, path: passages.jsonl}
        - {kind: wikitext, path: text.txt}
        - {kind: multiple_choice, path: questions.jsonl, prompt: continuation}
    gates: [blimp not worse by 0.9, kl_to_base at most 0.000001, questions_norm at least 0]
"""
SENTENCES = ["Who left the door open?", "The Director turns a scene note into one beat.", "Wait by the lamp."]


def write_probes(folder: Path) -> None:
    def lines(name: str, rows: list[dict[str, object]]) -> None:
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    texts = [f"{SENTENCES[number % 3]} {number}" for number in range(9)]
    lines("pairs.jsonl", [{"sentence_good": text, "sentence_bad": text[::-1]} for text in texts])
    lines("passages.jsonl", [{"text": f"{text} and so on"} for text in texts])
    questions = [{"question": text, "choices": ["yes", "no one", "three"], "answer": len(text) % 3} for text in texts]
    lines("questions.jsonl", questions)
    (folder / "text.txt").write_text("\n".join(f"{text} " * 12 for text in texts), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_base_folder: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("ability")
    write_project(folder, tiny_base_folder, role=ROLE)
    write_probes(folder)
    yield folder


@pytest.fixture(scope="module")
def report(project: Path) -> Report:
    (report,) = atanor.Project.load(project).run().reports
    return report


def test_every_probe_is_compared_and_is_no_target(report: Report) -> None:
    section = report.sections[0]
    assert section.title == "General ability"
    measured = {one.metric: one for one in section.comparisons}
    wanted = ["kl_to_base", "formats", "blimp", "lambada", "wikitext", "wikitext_bits", "questions", "questions_norm"]
    assert list(measured) == wanted
    assert measured["kl_to_base"].baseline == 0 < measured["kl_to_base"].candidate
    assert measured["wikitext"].baseline != measured["wikitext"].candidate
    assert measured["formats"].items == 20 and measured["blimp"].items == 9
    assert [one.metric for one in report.comparisons] == ["perplexity", "forgetting"]


def test_gates_may_ask_for_it(report: Report) -> None:
    passed = {gate.gate: gate.passed for gate in report.gates}
    assert passed["questions_norm at least 0"] and not passed["kl_to_base at most 0.000001"]
    assert report.released is None


def test_the_page_shows_it(report: Report) -> None:
    page = render_html(report)
    assert "General ability" in page and "blimp (pairs)" in page and "distance from the base (KL)" in page


def test_outcomes_are_remembered(project: Path, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("asked again")

    for name in ("generate_answers", "score_rows", "score_choices", "divergences_from"):
        monkeypatch.setattr(tasks, name, never)
    (again,) = atanor.Project.load(project).run(again=True).reports
    assert again.run != report.run and again.sections == report.sections


def test_what_is_asked_and_its_cost_are_told_before_training(project: Path, report: Report) -> None:
    del report  # remembered: nothing is asked now
    said = " ".join(CliRunner().invoke(app, ["run", str(project)]).output.split())
    assert "ability small: 76 items" in said and "minutes for the base, and for every candidate" in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("ability: small, ability_files: [{kind: blimp, path: nowhere.jsonl}]", "nowhere.jsonl does not exist"),
        ("ability_files: [{kind: blimp, path: pairs.jsonl}]", "write `ability: small`"),
        (
            "ability: small, ability_files: [{kind: blimp, path: pairs.jsonl}, {kind: blimp, path: pairs.jsonl}]",
            "two things are called `blimp`",
        ),
        ("ability: small, ability_files: [{kind: blimp, path: pairs.jsonl, prompt: letters}]", "remove it"),
        (
            "ability: small, ability_files: [{kind: blimp, path: pairs.jsonl, label: perplexity}]",
            "something else is called `perplexity`",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_at_load(
    tmp_path: Path, tiny_base_folder: Path, written: str, said: str
) -> None:
    write_project(tmp_path, tiny_base_folder, role=f"    metrics: [perplexity]\n    evaluate: {{{written}}}\n")
    write_probes(tmp_path)
    with pytest.raises(ConfigurationError) as refused:
        atanor.Project.load(tmp_path).check()
    assert said in str(refused.value.problems)


def test_a_row_that_is_no_probe_is_named(tmp_path: Path, tiny_base_folder: Path) -> None:
    write_project(tmp_path, tiny_base_folder, role=ROLE)
    write_probes(tmp_path)
    with (tmp_path / "questions.jsonl").open("a") as file:
        file.write(json.dumps({"question": "Who?", "choices": ["a", "b"], "answer": 2}) + "\n")
    with pytest.raises(AtanorError) as refused:
        atanor.Project.load(tmp_path).run()
    (problem,) = refused.value.problems
    assert (problem.file, problem.line, problem.field) == ("questions.jsonl", 10, "answer")
