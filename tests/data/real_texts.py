"""Rows of the real sets, which are no part of the project: a test that asks for an absent one is skipped, saying so."""

from __future__ import annotations

import csv
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def real_rows(name: str, pattern: str = "*.jsonl") -> list[dict[str, Any]]:
    """The rows of every file of a set that matches `pattern`: JSON lines, also gzipped, or CSV."""
    files = sorted((DATA / name).glob(pattern))
    if not files:
        pytest.skip(f"the real data set {name} is not in {DATA}; set ATANOR_DATA to the folder that has it")
    rows: list[dict[str, Any]] = []
    for file in files:
        content = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text("utf-8")
        if file.suffix == ".csv":
            rows += csv.DictReader(content.splitlines())
        else:
            rows += [json.loads(line) for line in content.split("\n") if line.strip()]
    return rows
