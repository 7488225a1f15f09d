"""Refused rows are kept whole, or the old file stays."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from atanor.data import Refusal, write_quarantine
from atanor.errors import StoreError

REFUSAL = Refusal(
    "a.jsonl", 5, "`beat` is empty", "Fill it, or remove the row", "beat", "''", raw='{"beat": ""}\n\\xe9 ñ'
)


def test_a_refusal_is_one_line_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.quarantine.jsonl"
    write_quarantine([REFUSAL, REFUSAL], path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == {
        "source": "a.jsonl",
        "line": 5,
        "field": "beat",
        "value": "''",
        "reason": "`beat` is empty",
        "fix": "Fill it, or remove the row",
        "raw": REFUSAL.raw,
        "was": hashlib.sha256(REFUSAL.raw.encode()).hexdigest()[:16],
    }
    write_quarantine([], path)
    assert path.read_text() == ""


def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "quarantine.jsonl"
    write_quarantine([REFUSAL], path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="could not be written") as error:
        write_quarantine([], path)
    assert error.value.problems[0].file == str(path)
    assert "Free space" in str(error.value.problems[0].fix)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
