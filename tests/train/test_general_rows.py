"""General rows: those shipped are not the probe's, a file's are read and counted, and the base writes its own."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from atanor.data.rows import Example
from atanor.errors import BaseModelError, DataError
from atanor.inference import Decoding
from atanor.progress import Silent
from atanor.train.remedies.general import INSTRUCTIONS, PASSAGES, GeneralSource, general_rows, shipped
from atanor.train.remedies.self_written import self_written_rows
from tests.train.jobs import tiny_base

GREEDY = Decoding(48)


def source(root: Path, path: str | None = None, held_out: frozenset[str] = frozenset()) -> GeneralSource:
    return GeneralSource("against_forgetting.replay", path, root, False, held_out)


def texts(example: Example) -> str:
    return example.text or " ".join(message.content for message in example.messages)


def pieces(text: str, words: int) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return {tuple(found[start : start + words]) for start in range(len(found) - words + 1)}


def test_what_is_shipped_has_nothing_in_common_with_the_probe_for_forgetting() -> None:
    probe = (files("atanor.evaluate") / "general_text" / "passages.jsonl").read_text("utf-8").splitlines()
    held_out = set.union(*(pieces(json.loads(line)["text"], 6) for line in probe))
    every = [*shipped(PASSAGES), *shipped(INSTRUCTIONS)]
    assert (len(shipped(PASSAGES)), len(shipped(INSTRUCTIONS))) == (28, 40)
    for example in every:
        assert not pieces(texts(example), 6) & held_out, texts(example)
    assert len({example.id for example in every}) == len(every)


def test_a_file_is_read_in_its_format_and_what_is_left_out_is_told(tiny_base_folder: Path, tmp_path: Path) -> None:
    lines = [{"text": "the lamp by the door"}, {"text": "the lamp by the door"}, {"text": ""}, {"text": "a map " * 60}]
    held = {"text": "wait by the lamp"}
    (tmp_path / "general.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*lines, held]))
    example = Example((), "wait by the lamp", "general.jsonl", 5)
    found = general_rows(
        tiny_base(tiny_base_folder), source(tmp_path, "general.jsonl", frozenset({example.id})), max_tokens=40
    )
    assert len(found.rows) == 2 and max(len(row.tokens) for row in found.rows) == 40
    assert [note.partition(" rows of general.jsonl ")[::2] for note in found.notes] == [
        ("1", "are left out: refused"),
        ("1", "are left out: equal to others"),
        ("1", "are left out: held out for validation or the test"),
        ("1", "are cut to 40 tokens"),
    ]


def test_a_missing_file_names_the_key(tiny_base_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="general rows cannot be read") as error:
        general_rows(tiny_base(tiny_base_folder), source(tmp_path, "none.jsonl"), 64)
    assert error.value.problems[0].field == "against_forgetting.replay.path"


def test_a_base_without_a_template_gets_the_passages(tiny_base_folder: Path, tmp_path: Path) -> None:
    base = tiny_base(tiny_base_folder)
    assert len(general_rows(base, source(tmp_path), 256).rows) == 68
    base.tokenizer.chat_template = None
    assert len(general_rows(base, source(tmp_path), 256).rows) == 28
    with pytest.raises(BaseModelError, match="cannot write rows itself"):
        self_written_rows(base, source(tmp_path), GREEDY, tmp_path, Silent())


def test_the_base_writes_rows_once(tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tiny_base(tiny_base_folder)
    sampled = Decoding(48, temperature=1.5, seed=3)
    found = self_written_rows(base, source(tmp_path), sampled, tmp_path, Silent())
    assert found.rows and all(row.supervised for row in found.rows)
    left = 40 - len(found.rows)
    assert any(note.startswith(f"{left} of 40 answers") for note in found.notes)
    (file,) = tmp_path.glob("answers-*.json")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("asked again")

    with monkeypatch.context() as patched:
        patched.setattr("atanor.train.remedies.self_written.generate_answers", never)
        assert self_written_rows(base, source(tmp_path), sampled, tmp_path, Silent()) == found
    file.write_text(file.read_text().replace("true", "false", 1))
    assert self_written_rows(base, source(tmp_path), sampled, tmp_path, Silent()) == found, "a damaged file is not used"


def test_no_answer_that_ended_is_an_error_with_a_way_out(tiny_base_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no answer of the base") as error:
        self_written_rows(tiny_base(tiny_base_folder), source(tmp_path), Decoding(1), tmp_path, Silent())
    assert "max_new_tokens" in (error.value.problems[0].fix or "")
