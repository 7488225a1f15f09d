"""Commands as a user types them, what they print, and small files for them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from atanor.cli import main

PROJECT = """\
project: library
base: path:{base}
max_refused: 0.5
roles:
  guide:
    goal: Answer.
    data: talk.jsonl
    split: {{test: 3, validation: 3}}
"""
WORDS = (
    "moon volcano river map bread clock whale glass paper snow lamp bridge tower garden letter market mirror harbour "
    "violin island copper orchard thunder needle carpet lantern window pepper anchor feather candle marble saddle"
)


class Screen:
    """Types commands and reads what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.errors = ""

    def __call__(self, *words: str, code: int = 0) -> str:
        """What `atanor data …` prints, its folds undone; asserts the exit code."""
        self._monkeypatch.setattr(sys, "argv", ["atanor", "data", *words])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = self._capsys.readouterr()
        assert (left.value.code or 0) == code, out + err
        self.errors = " ".join(err.split())
        return out if "--json" in words else " ".join(out.split())

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self(*words, "--json", code=code))


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: list[dict[str, Any]], *raw: str) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows] + list(raw)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def talk(count: int = 20) -> list[dict[str, Any]]:
    """Rows that differ in every word that counts, with a column nobody reads."""
    drawn = [Random(number).sample(WORDS.split(), 15) for number in range(count)]
    return [
        {
            "prompt": f"Tell me about {' and '.join(words[:4])}",
            "completion": f"{' '.join(words[4:]).capitalize()}, so it is said.",
            "origin": f"page {number}",
        }
        for number, words in enumerate(drawn)
    ]


BOOK = "The Two Rivers\n\nby Ana Lopez\n\n\n\n" + "\n\n\n".join(
    f"CHAPTER {number}\n\n"
    + "\n\n".join(
        f"On day {day} the river Arno rose, and Marta walked along it to the mill. "
        f"She counted {day * 3 + 1} boats there, and spoke with the miller about the flood of the year before. "
        "The evening came, and the lamps of the bridge were lit one after the other, as they had always been."
        for day in range(6)
    )
    for number in ("I", "II", "III")
)
