"""A screen to type data commands at, and a small project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.typed import PROJECT, Screen, talk, write


@pytest.fixture
def atanor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Screen]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    yield Screen(capsys, monkeypatch)


@pytest.fixture
def project(tmp_path: Path, tiny_base_folder: Path) -> Path:
    write(tmp_path / "talk.jsonl", talk(), '{"prompt": "broken"', '{"prompt": "empty", "completion": ""}')
    (tmp_path / "atanor.yaml").write_text(PROJECT.format(base=tiny_base_folder), encoding="utf-8")
    return tmp_path
