"""One build of the workshop in a process of its own: `benchmarks.million_rows` measures it from outside.

    python -m benchmarks.one_build ROWS.jsonl FOLDER off

It imports no more than the workshop does, because its workers begin by importing it again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atanor.data.options import SourceOptions, SplitOptions
from atanor.data.sides import SIDES
from atanor.data.workshop.build import build_dataset
from atanor.data.workshop.dataset import LOG_FILE, Dataset
from atanor.data.workshop.options import CheckOptions, Copies
from atanor.data.workshop.recipe import Recipe
from atanor.progress import Activity, Silent


@dataclass
class _Watched(Silent):
    """Notes how much of the reading was there already when a build began."""

    found: dict[str, int] = field(default_factory=dict)

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        self.found.setdefault("kilobytes", total)
        self.found.setdefault("kilobytes_done_before", done)
        return super().start(name, total, unit, done)


def build_one(path: Path, folder: Path, copies: Copies) -> dict[str, Any]:
    """Build a dataset in this process and its workers.

    Args:
        path: file of rows.
        folder: folder of datasets.
        copies: `off` for exact checks alone; anything else looks for near-duplicates.

    Returns:
        Its name, rows, sides, what each rule did, a digest of its files, and how much of the reading was done before.
    """
    check = CheckOptions(near_duplicates=copies)
    recipe = Recipe(sources=(SourceOptions(path=str(path)),), split=SplitOptions(), check=check)
    watched = _Watched()
    dataset = build_dataset(recipe, path.parent, folder, confined=False, progress=watched)
    rules = {rule: count for stage in dataset.version.stages for rule, count in stage.rules.items()}
    return {
        "name": dataset.name,
        "rows": dataset.version.read,
        "sides": dict(dataset.version.sides),
        "rules": rules,
        "digest": _digest(dataset),
        **watched.found,
    }


def _digest(dataset: Dataset) -> str:
    """Hex SHA-256 of the rows and the log, file by file."""
    digest = hashlib.sha256()
    for name in (*(f"{side}.parquet" for side in SIDES), LOG_FILE):
        with (dataset.folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def main() -> None:
    path, folder, copies = sys.argv[1:]
    print(json.dumps(build_one(Path(path), Path(folder), Copies(copies))))


if __name__ == "__main__":
    main()
