"""YAML with lines: what is read, and how what is not YAML is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.errors import ConfigurationError, Problem
from atanor.project.document import read_document


def read_error(path: Path) -> Problem:
    with pytest.raises(ConfigurationError) as caught:
        read_document(path)
    (problem,) = caught.value.problems
    return problem


def written(root: Path, text: str | bytes) -> Path:
    path = root / "atanor.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    text = "a: 5e-4\nb: no\nc: 017\nd: 2024-01-02\ne: 10_000\nf: !!str 5\ng: '5'\nh:\ni: true\nj: 0x10\n1: on\n"
    assert dict(read_document(written(tmp_path, text)).value) == {
        "a": 0.0005,
        "b": "no",
        "c": 17,
        "d": "2024-01-02",
        "e": 10_000,
        "f": "5",
        "g": "5",
        "h": None,
        "i": True,
        "j": 16,
        "1": "on",
    }


def test_every_value_has_its_line_and_a_missing_one_that_of_its_group(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "a:\n  b:\n    - x\n    - c: 1\n\n      d: {e: 2}\nf: >\n  long\n"))
    assert document.lines == {
        "a": 1, "a.b": 2, "a.b[0]": 3, "a.b[1]": 4, "a.b[1].c": 4, "a.b[1].d": 6, "a.b[1].d.e": 6, "f": 7,
    }  # fmt: skip
    assert document.line_of("a.b[1].d.z") == 6
    assert document.line_of("a.b[7].q") == 2
    assert document.line_of("z") is None


def test_aliases_and_merged_keys(tmp_path: Path) -> None:
    text = "base: &b {x: 1, y: [1]}\nrole:\n  <<: *b\n  x: 2\nagain: *b\n"
    assert dict(read_document(written(tmp_path, text)).value) == {
        "base": {"x": 1, "y": [1]},
        "role": {"x": 2, "y": [1]},
        "again": {"x": 1, "y": [1]},
    }


@pytest.mark.parametrize(
    ("text", "line", "reason", "fix"),
    [
        ("goal: Answer: briefly\n", 1, "not YAML at column 13: a colon that cannot be here", "Quote a text"),
        ("a:\n\t- b\n", 2, "a tab", "Indent with spaces"),
        ("a: 'b\nc: d\n", 1, "a quote is never closed", "Close it"),
        ("a: [1, 2\nb: 3\n", 2, "a `[` is never closed, or a comma is missing; it opens on line 1", "Write [first"),
        ("a: {b: 1\nc: 2\n", 2, "a `{` is never closed, or a comma is missing; it opens on line 1", "Write {key"),
        ("a:\n  b: 1\n c: 2\n", 3, "not aligned with those above", "Indent all keys of a group alike"),
        ("a: `x`\n", 1, "cannot begin with this character", "Put the text between quotes"),
        ("a: *x\n", 1, "without its anchor", "between quotes"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here", "remove the line `---`"),
        ("a: 1\nb: \x01\n", 2, "a control character, 0x01", "Remove it"),
        ("a: &x [*x]\n", 1, "an alias contains itself", "Write the values out"),
        ("a: &x\n  b: &y\n    <<: *y\n", 2, "an alias contains itself", "Write the values out"),
        ("", 1, "the file is empty", "Run `atanor init`"),
        ("- a\n", 1, "made of `key: value` lines", "Run `atanor init`"),
    ],
)
def test_what_is_not_yaml_is_told_with_line_and_fix(
    tmp_path: Path, text: str, line: int, reason: str, fix: str
) -> None:
    path = written(tmp_path, text)
    problem = read_error(path)
    assert (problem.file, problem.line) == (str(path), line)
    assert reason in problem.reason
    assert fix in (problem.fix or "")


def test_the_line_is_shown(tmp_path: Path) -> None:
    assert read_error(written(tmp_path, "a: 1\n  goal: Answer: b\n")).value == "'goal: Answer: b'"


def test_a_key_written_twice_names_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n")
    twice = [(problem.field, problem.reason, problem.line) for problem in read_document(path).problems]
    assert twice == [
        ("a", "`a` is written twice, on lines 1 and 6", 6),
        ("b.c", "`c` is written twice, on lines 3 and 5", 5),
    ]


def test_python_tags_are_refused_and_nothing_runs(tmp_path: Path) -> None:
    (problem,) = read_document(written(tmp_path, "a: !!python/object/apply:os.getcwd []\n")).problems
    assert problem.reason == "the tag !!python/object/apply:os.getcwd is not allowed in a project file"


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert read_error(written(tmp_path, "\n".join(lines))).reason == "aliases make the file too large"


def test_a_file_too_large_a_foreign_encoding_a_missing_file(tmp_path: Path) -> None:
    assert "larger than 1024 KiB" in read_error(written(tmp_path, "a: " + "x" * (1 << 20))).reason
    latin = read_error(written(tmp_path, b"a: 1\nb: Jos\xe9\n"))
    assert (latin.line, latin.reason) == (2, "the file is not UTF-8 text: byte 0xe9")
    (tmp_path / "atanor.yaml").unlink()
    assert "atanor init" in (read_error(tmp_path).fix or "")
    (tmp_path / "atanor.yml").write_text("a: 1\n")
    assert read_error(tmp_path).fix == f"Did you mean `{tmp_path / 'atanor.yml'}`?"


def test_a_folder_stands_for_its_project_file(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffa: 1\n")
    document = read_document(tmp_path)
    assert (document.file, dict(document.value)) == (path, {"a": 1})


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        read_document(path)
    except ConfigurationError as error:
        assert all(problem.file == str(path) and problem.reason for problem in error.problems)
