"""Projects that `atanor init` starts run as they are, and nothing is overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atanor.data import read_examples, split_examples
from atanor.errors import ConfigurationError, StoreError
from atanor.project.checking import check_project
from atanor.project.file import Task, load_project_file
from atanor.project.scaffold import TEMPLATES, init_project

FOLDER = Path(__file__).parents[2] / "src" / "atanor" / "project" / "templates"


def test_every_template_is_listed_and_there() -> None:
    assert sorted(TEMPLATES) == sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
    assert len(TEMPLATES) == 5


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_loads_checks_and_says_why(tmp_path: Path, template: str) -> None:
    written = init_project(tmp_path / "new" / "project", template)
    assert written[0] == tmp_path / "new" / "project" / "atanor.yaml"
    assert all(path.is_file() for path in written)
    loaded = load_project_file(written[0])
    assert check_project(loaded) == []
    assert loaded.text.count("# ") >= 5


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_rows_are_enough_whole_and_all_different(tmp_path: Path, template: str) -> None:
    (data,) = [path for path in init_project(tmp_path, template) if path.suffix == ".jsonl"]
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    assert 40 <= len(rows) <= 60 or template == "text"
    assert len({json.dumps(row, sort_keys=True) for row in rows}) == len(rows)
    assert all(all(row.values()) for row in rows)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_row_is_usable_and_the_split_leaves_rows_to_learn_from(tmp_path: Path, template: str) -> None:
    init_project(tmp_path, template)
    project = load_project_file(tmp_path).file
    (role,) = project.roles.values()
    read = read_examples(role.data, tmp_path, system=role.system, task_text=role.task is Task.TEXT, seed=project.seed)
    assert read.refusals == ()
    split = split_examples(read.examples, role.split, project.seed, None)
    assert (len(split.test), len(split.validation)) == (role.split.test, role.split.validation)
    assert len(split.train) >= 25


def test_the_orders_fit_their_schema(tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    init_project(tmp_path, "json")
    validator = Draft202012Validator(json.loads((tmp_path / "schema" / "order.json").read_text()))
    rows = [json.loads(line) for line in (tmp_path / "data" / "orders.jsonl").read_text().splitlines()]
    assert all(validator.is_valid(row["order"]) for row in rows)


def test_files_in_the_way_are_all_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "atanor.yaml").write_text("mine")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.jsonl").write_text("mine")
    with pytest.raises(ConfigurationError) as caught:
        init_project(tmp_path, "json")
    assert [problem.file for problem in caught.value.problems] == [
        str(tmp_path / "atanor.yaml"),
        str(tmp_path / "data" / "orders.jsonl"),
    ]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["atanor.yaml", "data", "orders.jsonl"]
    assert (tmp_path / "atanor.yaml").read_text() == "mine"


def test_an_unknown_template_lists_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        init_project(tmp_path, "jsn")
    (problem,) = caught.value.problems
    assert (problem.reason, problem.value) == ("no such template", "jsn")
    assert (problem.fix or "").startswith("Did you mean `json`? Templates: answer: a prompt")
    assert all(f"{name}: {about}" in (problem.fix or "") for name, about in TEMPLATES.items())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        init_project(tmp_path / "file" / "project")
    assert "could not be written" in str(caught.value)
