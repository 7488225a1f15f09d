"""The commands about groups of people: what they show, what they write, and what they say to wrong input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from atanor.cli.app import app
from atanor.errors import ConfigurationError

ROWS = [
    {"prompt": f"Tell me about the {who} of house {number}.", "completion": said}
    for number, (who, said) in enumerate(
        [
            ("baker", "He bakes his bread at night, and he sings."),
            ("smith", "He is strong. His hammer is heavy."),
            ("teacher", "She reads to her pupils."),
            ("guard", "He sleeps at the gate."),
            ("river", "It is long and cold."),
        ]
        * 4
    )
]


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def said(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["data", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def test_bias_shows_groups_and_json_has_the_same_numbers(rows: Path) -> None:
    del rows
    shown = said("bias", "rows.jsonl", "--dimensions", "gender")
    assert "gender" in shown and "male" in shown and "female" in shown
    report: dict[str, Any] = json.loads(said("bias", "rows.jsonl", "--dimensions", "gender", "--json"))
    (gender,) = report["dimensions"]
    mentions = {group["group"]: group["mentions"] for group in gender["groups"]}
    assert mentions["male"] == 4 * 6 and mentions["female"] == 4 * 2
    assert report["rows"] == len(ROWS)


def test_swapping_brings_the_groups_nearer_to_even_and_keeps_what_it_did_not_swap(rows: Path) -> None:
    del rows
    found: dict[str, Any] = json.loads(said("swap", "rows.jsonl", "out.jsonl", "--json"))
    after = {
        one["group"]: (one["share_before"], one["share_after"])
        for one in found["table"]
        if one["dimension"] == "gender"
    }
    assert abs(after["male"][1] - 0.5) < abs(after["male"][0] - 0.5)
    written = [json.loads(line) for line in Path("out.jsonl").read_text("utf-8").splitlines()]
    assert len(written) == found["written"] == len(ROWS) + found["made"]
    new = [row for row in written if "parent" in row]
    assert {row["technique"] for row in new} == {"counterfactual.gender"}
    assert "She bakes her bread at night, and she sings." in [row["completion"] for row in new]
    left = [json.loads(line) for line in Path(found["unswapped"]).read_text("utf-8").splitlines()]
    assert len(left) + found["made"] == len(ROWS) and all(entry["reason"] for entry in left)


def test_a_dimension_that_is_none_is_named_with_the_nearest(rows: Path) -> None:
    del rows
    result = CliRunner().invoke(app, ["data", "bias", "rows.jsonl", "--dimensions", "gendr"])
    assert isinstance(result.exception, ConfigurationError)
    (problem,) = result.exception.problems
    named = (problem.field, problem.value, problem.fix)
    assert named == ("--dimensions", "gendr", "Did you mean `gender`? Write one of gender, origin, age, religion")
