"""`atanor data ablate` and `atanor data outliers`: what they show, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from atanor.cli.ablate_command import ablate
from atanor.cli.outliers_command import outliers
from atanor.errors import AtanorError
from tests.journeys.projects import write_project

ROLE = """\
    methods: [lora: {rank: 2, epochs: 1, batch: 8, learning_rate: 0.01}]
    metrics: [exact_match]
    augment: {techniques: [typos], filter: {embedder: lexical}}
"""

app = typer.Typer()
app.command("ablate")(ablate)
app.command("outliers")(outliers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_base_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("trials")
    write_project(folder, tiny_base_folder, role=ROLE)
    return folder


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "100")
    yield


def said(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def words_of(screen: str) -> str:
    """The screen with its folds undone."""
    return " ".join(screen.split())


def test_the_cost_is_told_before_anything_is_trained(folder: Path) -> None:
    screen = words_of(said("ablate", str(folder), "--estimate"))
    for words in ("augmentation", "of them new", "predicted", "as many optimizer steps", "answering the test items"):
        assert words in screen, words
    plan = json.loads(said("ablate", str(folder), "--estimate", "--json"))
    assert [planned["arm"]["name"] for planned in plan["arms"]] == ["none", "typos"]
    assert plan["seconds"] > 0 and not (folder / ".atanor" / "runs").exists()


def test_an_ablation_is_shown_and_given_as_json(folder: Path) -> None:
    screen = words_of(said("ablate", str(folder), "--role", "counter"))
    for words in ("the base, untrained", "none", "typos", "change [95 %]", "10 test items", "1 seed", "--seeds 3"):
        assert words in screen, words
    found = json.loads(said("ablate", str(folder), "--json"))
    (measured,) = found["arms"]
    assert measured["effect"] in ("helps", "harms", "no difference", "cannot tell")
    assert measured["comparisons"][0]["items"] == 10 and len(found["runs"]) == 1


def test_a_slip_is_told_with_what_was_meant(folder: Path) -> None:
    for words, fix in (
        (["ablate", str(folder), "--budget", "stepz"], "Did you mean `steps`?"),
        (["ablate", str(folder), "--technique", "typo"], "Did you mean `typos`?"),
        (["outliers", str(folder), "--role", "countre"], "Roles: counter"),
    ):
        done = CliRunner().invoke(app, words)
        assert isinstance(done.exception, AtanorError) and fix in str(done.exception)


def test_outliers_are_shown_and_given_as_json(folder: Path) -> None:
    screen = words_of(said("outliers", str(folder), "-n", "2"))
    for words in ("most surprising", "least surprising", "rows.jsonl:", "median", "in nats a token"):
        assert words in screen, words
    found = json.loads(said("outliers", str(folder), "--json"))
    assert len(found["rows"]) > 20 and {"loss", "z", "outlier", "source", "line"} <= set(found["rows"][0])
