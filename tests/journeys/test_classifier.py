"""A role with classes: label as text, a classifier on the base and one on an encoder, on the same test by one rule."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import atanor
from atanor.errors import BaseModelError, DataError
from atanor.methods import DESCRIPTION
from tests.methods.test_classification import CLASSES, WORDS, save_encoder

ROLE = """\
project: topics
base: path:{base}
roles:
  topic:
    goal: Name the topic.
    task: label
    data: {{path: rows.jsonl, where: {{kept: true}}}}
    split: {{test: 9, validation: 6, stratify_by: label}}
    generate: {{max_new_tokens: 4}}
{more}"""
METHODS = """\
    methods:
      - lora: {epochs: 1, batch: 8, validate_every: 9}
      - classifier: {base: "path:ENCODER", train: full, epochs: 20, batch: 4, learning_rate: 0.01, validate_every: 9}
    metrics: [accuracy, macro_f1, perplexity]
    gates: [accuracy better, perplexity within 1]
"""


def write(folder: Path, base: Path, more: str, rows: list[dict[str, object]] | None = None) -> atanor.Project:
    folder.mkdir(exist_ok=True)
    if rows is None:
        rows = [
            {"text": f"about {WORDS[name][n % 3]} and {WORDS[name][n // 3 % 3]} and {n}", "label": name}
            for name in CLASSES
            for n in range(16)
        ]
    lines = [json.dumps({"kept": True, **row}) + "\n" for row in rows]
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "atanor.yaml").write_text(ROLE.format(base=base, more=more), encoding="utf-8")
    return atanor.Project.load(folder)


def test_a_classifier_and_label_as_text_are_marked_by_one_rule(tmp_path: Path, tiny_base_folder: Path) -> None:
    encoder = save_encoder(tmp_path / "encoder")
    project = write(tmp_path / "topics", tiny_base_folder, METHODS.replace("ENCODER", str(encoder)))
    written, classified = project.run().reports
    assert [one.metric for one in written.comparisons] == ["accuracy", "macro_f1", "perplexity", "forgetting"]
    assert [one.metric for one in classified.comparisons] == ["accuracy", "macro_f1"]
    assert written.comparisons[0].baseline == classified.comparisons[0].baseline, "one base, one test"
    assert classified.comparisons[0].candidate == 1.0, "the words tell the topic"
    assert {item.candidate_answer for item in classified.items} == set(CLASSES)
    assert set(classified.items[0].candidate_scores) == {"accuracy", "macro_f1"}
    notes = " ".join(classified.notes)
    assert "Not compared by perplexity: a classifier's likelihood is over its 3 classes" in notes
    assert "Forgetting is not defined for a classifier" in notes
    failed = {gate.gate: gate.reason for gate in classified.gates if not gate.passed}
    assert failed == {"perplexity within 1": "`perplexity` is not defined for a candidate that writes nothing"}
    assert classified.training is not None
    assert classified.training.total_parameters != written.training.total_parameters  # type: ignore[union-attr]
    assert classified.training.settings["class_weights"] == "none"
    assert [one.run for one in project.run().reports] == [written.run, classified.run], "nothing is trained twice"

    for item in classified.items[:3]:
        conversation = project.chat(classified.candidate)
        assert conversation.ask(item.prompt) == item.candidate_answer
        (likeliest, probability), *_ = conversation.probabilities  # type: ignore[union-attr]
        assert likeliest == item.candidate_answer and probability > 1 / 3
    asked = [sys.executable, "-m", "atanor", "chat", classified.candidate, "--message", classified.items[0].prompt]
    told = subprocess.run([*asked, "--project", str(tmp_path / "topics")], capture_output=True, text=True, check=True)
    first, second, *_ = told.stdout.splitlines()
    assert first == classified.items[0].candidate_answer and second.endswith(f"%  {first}"), "another process agrees"

    folder = project.store.run_folder(project.store.run(classified.run))
    description = json.loads((folder / DESCRIPTION).read_text())
    assert description["base"] == f"path:{encoder}" and description["classifier"]["classes"] == list(CLASSES)
    config = encoder / "config.json"
    config.write_text(config.read_text().replace('"gelu"', '"relu"'))
    with pytest.raises(BaseModelError, match="has changed"):
        project.chat(classified.candidate)


ONE_CLASS = [{"text": f"about brie and {n}", "label": "cheese"} for n in range(30)]
LISTS = [
    {"text": f"about {n * 7_919 % 30_011} and {n * 104_729 % 9_973}", "label": ["cheese", "weather"]} for n in range(30)
]
SINGLES = [{"text": f"about brie and {n}", "label": CLASSES[n % 3]} for n in range(30)]
SCARCE = [{"text": f"about brie and {n}", "label": "cheese" if n % 2 else "music"} for n in range(30)]


@pytest.mark.parametrize(
    ("rows", "options", "reason"),
    [
        (ONE_CLASS, "{}", "all 15 training rows have the class `cheese`"),
        (LISTS, "{}", "the row has 2 classes"),
        (SINGLES, "{multi_label: true}", "each of the 15 training rows has one class"),
        ([*SCARCE, {"text": "about rain", "label": "weather"}], "{}", "and of none of training"),
    ],
)
def test_classes_that_cannot_be_learned_are_refused_before_anything_is_asked(
    tmp_path: Path, tiny_base_folder: Path, rows: list[dict[str, object]], options: str, reason: str
) -> None:
    more = f"    methods: [classifier: {options}]\n    metrics: [accuracy]\n"
    project = write(tmp_path / "topics", tiny_base_folder, more, rows)
    if reason.startswith("and of none"):
        path = tmp_path / "topics" / "atanor.yaml"
        lines = "".join(json.dumps({"kept": True, "time": str(n), **row}) + "\n" for n, row in enumerate(rows))
        (tmp_path / "topics" / "rows.jsonl").write_text(lines)
        path.write_text(path.read_text().replace("stratify_by: label", "time_by: time"))
        project = atanor.Project.load(path)
    with pytest.raises(DataError, match="the classes cannot be learned") as raised:
        project.run()
    assert reason in raised.value.problems[0].reason and raised.value.problems[0].fix
    assert project.runs() == []


def test_an_encoder_writes_nothing(tmp_path: Path) -> None:
    encoder = save_encoder(tmp_path / "encoder")
    project = write(tmp_path / "topics", encoder, "    methods: [classifier]\n    metrics: [accuracy]\n")
    with pytest.raises(BaseModelError) as raised:
        project.run()
    (problem,) = raised.value.problems
    assert "reads in both directions and writes nothing" in problem.reason
    assert f"classifier: {{base: path:{encoder}}}" in (problem.fix or "")


def test_a_base_that_chooses_among_the_labels_answers_with_nothing_else(tmp_path: Path, tiny_base_folder: Path) -> None:
    more = (
        "    methods: [prompt, lora: {epochs: 1, batch: 8, validate_every: 9}]\n"
        "    metrics: [accuracy, perplexity, latency, tokens_used]\n"
    )
    project = write(tmp_path / "topics", tiny_base_folder, more)
    path = tmp_path / "topics" / "atanor.yaml"
    path.write_text(path.read_text().replace("{max_new_tokens: 4}", "{choices: labels}").replace("[acc", "[ece, acc"))
    project = atanor.Project.load(path)
    prompted, tuned = project.run().reports
    for report in (prompted, tuned):
        assert {item.baseline_answer for item in report.items} <= set(CLASSES)
        assert {item.candidate_answer for item in report.items} <= set(CLASSES)
        found = {one.metric: one for one in report.comparisons}
        assert "forgetting" in found, "it can still write"
        assert 0 <= found["ece"].candidate <= 1 and found["latency"].candidate > 0 < found["tokens_used"].candidate
        assert not found["latency"].target and found["ece"].target
    conversation = project.chat(tuned.candidate)
    item = tuned.items[0]
    assert conversation.ask(item.prompt) == item.candidate_answer == conversation.probabilities[0][0]
    assert sum(probability for _, probability in conversation.probabilities) == pytest.approx(1)
