"""The JSON schema accepts every project file that is shipped, short forms included, and refuses slips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from atanor.data.augmentation.options import TECHNIQUES
from atanor.evaluate.probing.options import PROBE_OPTIONS
from atanor.methods.options import METHOD_OPTIONS
from atanor.project.document import FieldPath, read_document
from atanor.project.scaffold import TEMPLATES, init_project
from atanor.project.schema import project_schema
from atanor.tracking import TRACKERS
from atanor.train.objectives.options import OBJECTIVE_OPTIONS
from tests.project.sample import FULL, SHORT, write_project

EXAMPLES = sorted(Path(__file__).parents[2].glob("examples/**/atanor.yaml"))


def errors(value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(project_schema()).iter_errors(value)]


def test_it_is_a_schema_of_the_2020_draft() -> None:
    schema = project_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("text", [FULL, SHORT])
def test_files_that_load_are_accepted(tmp_path: Path, text: str) -> None:
    assert errors(read_document(write_project(tmp_path, text)).value) == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_are_accepted(tmp_path: Path, template: str) -> None:
    init_project(tmp_path, template)
    assert errors(read_document(tmp_path).value) == []


@pytest.mark.skipif(not EXAMPLES, reason="no examples yet")
def test_examples_are_accepted() -> None:
    for path in EXAMPLES:
        assert errors(read_document(path).value) == [], path


FORMS: list[tuple[str, Any]] = [
    ("data", "rows.jsonl"),
    ("data", {"path": "rows.jsonl"}),
    ("data", ["rows.jsonl", {"path": "more.jsonl", "where": {"a": 1}}]),
    ("methods", ["lora", "prompt", {"lora": {"rank": 4}}, {"few_shot": None}]),
    ("metrics", ["perplexity", {"json_schema": "a.json"}, {"rouge_l": {"margin": 0.1}}, {"name": "rouge_l"}]),
    ("methods", [{"lora": {"objective": "dpo"}}, {"full": {"objective": {"dpo": {"beta": 0.2}}}}]),
    ("methods", [{"lora": {"objective": {"completion": None}}}]),
    ("metrics", None),
    ("augment", []),
    ("augment", ["synonyms", {"eda": {"per_row": 2}}, {"typos": None}, {"method": "paraphrase", "per_row": 2}]),
    (
        "augment",
        {"techniques": [{"paraphrase": {"engine": "endpoint", "endpoint": {"base_url": "http://a/v1", "model": "b"}}}]},
    ),
    ("augment", {"techniques": ["eda"], "filter": {"embedder": "lexical"}, "local": {"temperature": 0}}),
    ("split", {"test": 0.5, "validation": 3, "group_by": None}),
]


@pytest.mark.parametrize(("key", "value"), FORMS)
def test_short_forms_are_accepted(key: str, value: Any) -> None:
    role = {"goal": "x", "data": "y", key: value}
    assert errors({"project": "p", "base": "hf:a/b", "roles": {"r": role}}) == []


WRONG: list[tuple[FieldPath, Any]] = [
    (("projekt",), "x"),
    (("base",), "org/name"),
    (("roles", "a b"), {"goal": "x", "data": "y"}),
    (("roles", "r", "gaol"), "x"),
    (("roles", "r", "data"), {"path": "x", "promt": "y"}),
    (("roles", "r", "data"), 3),
    (("roles", "r", "task"), "anwser"),
    (("roles", "r", "split"), {"tests": 3}),
    (("roles", "r", "split"), {"test": 0}),
    (("roles", "r", "methods"), ["lroa"]),
    (("roles", "r", "methods"), [{"lora": {"rnk": 4}}]),
    (("roles", "r", "methods"), [{"lora": {"rank": 0}}]),
    (("roles", "r", "methods"), [{"prompt": {"rank": 4}}]),
    (("roles", "r", "methods"), [{"lora": {"objective": "dop"}}]),
    (("roles", "r", "methods"), [{"lora": {"objective": {"dpo": {"bet": 1}}}}]),
    (("roles", "r", "methods"), [{"lora": {"objective": {"dpo": {"beta": 0}}}}]),
    (("roles", "r", "methods"), [{"lora": {"objective": {"dpo": None, "completion": None}}}]),
    (("roles", "r", "methods"), [{"prompt": {"objective": "dpo"}}]),
    (("roles", "r", "methods"), [{"lora": None, "prompt": None}]),
    (("roles", "r", "augment"), "eda"),
    (("roles", "r", "augment"), ["edaa"]),
    (("roles", "r", "augment"), [{"eda": {"per_rwo": 2}}]),
    (("roles", "r", "augment"), [{"eda": None, "typos": None}]),
    (("roles", "r", "augment"), {"techniques": [{"method": "eda", "alpha": 0}]}),
    (("roles", "r", "augment"), {"filter": {"embeder": "lexical"}}),
    (("roles", "r", "metrics"), ["rougel"]),
    (("roles", "r", "metrics"), [{"rouge_l": {"margn": 1}}]),
    (("roles", "r", "gates"), "one"),
    (("roles",), {}),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_slips_are_refused(path: FieldPath, value: Any) -> None:
    project: dict[str, Any] = {"project": "p", "base": "pkg:x", "roles": {"r": {"goal": "x", "data": "y"}}}
    parent: Any = project
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = value
    assert errors(project)


def test_every_option_is_described() -> None:
    schema = project_schema()
    groups = [schema, *(group for group in schema["$defs"].values() if "properties" in group)]
    named = (TECHNIQUES, METHOD_OPTIONS, TRACKERS, OBJECTIVE_OPTIONS, PROBE_OPTIONS)
    assert len(groups) == 27 + sum(map(len, named))
    for group in groups:
        for key, field in group["properties"].items():
            assert field.get("description"), (group.get("title"), key)
