"""The house stays as it is drawn: public names, the words of the README, examples, no forgotten files."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

import atanor

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "atanor"
ROOMS = (
    "cli",
    "compute",
    "data",
    "evaluate",
    "inference",
    "launch",
    "methods",
    "models",
    "page",
    "project",
    "store",
    "tracking",
    "train",
)


def test_every_room_says_what_it_is_for() -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert rooms == set(ROOMS)
    for room in ROOMS:
        docstring = ast.get_docstring(ast.parse((SOURCE / room / "__init__.py").read_text("utf-8")))
        assert docstring and "In:" in docstring and re.search(r"Out\b", docstring), f"{room}: what goes in and out?"


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "cli"])
def test_every_public_name_is_there(room: str) -> None:
    module = importlib.import_module(f"atanor.{room}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_the_readme_names_every_command_and_no_other() -> None:
    from atanor.cli.app import app, data_app

    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    commands |= {f"data {command.name}" for command in data_app.registered_commands}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("| command |") :]
    named = {re.match(r"(data \w+|\w+)", cell).group(1) for cell in re.findall(r"^\| `atanor ([^`]+)`", table, re.M)}  # type: ignore[union-attr]
    assert named == commands - {"version"}


def test_every_command_that_reports_has_json() -> None:
    from atanor.cli.app import app

    without = {
        command.callback.__name__
        for command in app.registered_commands
        if command.callback and "as_json" not in command.callback.__annotations__
    }
    assert without == {"schema", "version"}, "the schema is JSON already"


def test_the_figures_in_the_readme_are_the_committed_results() -> None:
    import json

    from atanor.cli.figures import score, signed

    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    results = json.loads((ROOT / "benchmarks" / "results" / "real_data.json").read_text("utf-8"))["results"]
    assert len(results) == 3
    for name, result in results.items():
        for found in result["comparisons"]:
            change = f"{signed(found['change'])} [{signed(found['low'])}, {signed(found['high'])}]"
            scores = f"{score(found['baseline'])} | {score(found['candidate'])}"
            assert f"| {found['metric']} | {scores} | {change} | {found['verdict']} |" in readme, name


def test_the_version_is_one() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == atanor.__version__


def test_every_example_checks() -> None:
    examples = sorted((ROOT / "examples").glob("**/atanor.yaml"))
    assert len(examples) >= 1
    for example in examples:
        atanor.Project.load(example).check()


def test_functions_fit_a_screen_and_modules_are_short() -> None:
    found = list(SOURCE.rglob("*.py"))
    assert len(found) > 60
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 450, f"{path.name} does more than one thing"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 70, f"{path.name}: {node.name} is longer than a screen"
