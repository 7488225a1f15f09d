"""Data sets of the `datasets` library: a folder that it saved is read without it, one on the hub fetched through it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from atanor.data.containers.arrow_rows import read_arrow_files
from atanor.data.records import Record
from atanor.data.rows import Refusal
from atanor.data.sources import Source
from atanor.errors import MissingExtraError, Problem

HUB = "hf:"


def read_dataset(source: Source) -> Iterator[Record | Refusal]:
    """The rows of all files of the data set, counted through.

    Raises:
        DataError: the data set cannot be found or read.
        MissingExtraError: it is on the hub, and the `datasets` library is not installed.
    """
    yield from read_arrow_files(source, dataset_files(source))


def dataset_files(source: Source) -> tuple[Path, ...]:
    """The Arrow files that hold the rows, in order; a data set on the hub is fetched into its cache first."""
    return _fetched(source) if source.options.path.startswith(HUB) else _saved(source)


def _saved(source: Source) -> tuple[Path, ...]:
    """The files that the `state.json` of a saved folder names."""
    written_by = "Save the data set again with save_to_disk"
    try:
        state = json.loads((source.path / "state.json").read_bytes())
        names = [entry["filename"] for entry in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise source.error(f"the folder's state.json cannot be read: {error}", fix=written_by) from error
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise source.error("the folder holds a selection of rows beside them", fix=written_by)
    if not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise source.error("state.json names files outside of its folder", fix=written_by)
    return tuple(source.path / name for name in names)


def _fetched(source: Source) -> tuple[Path, ...]:
    """The files in the cache of a data set on the hub, `hf:owner/name[:split][@revision]`."""
    if importlib.util.find_spec("datasets") is None:
        problem = Problem(
            "it is not installed",
            field=f"{source.field}.path",
            value=source.name,
            fix="Run `python -m pip install 'atanor[hub]'`, or download the files and name them",
        )
        raise MissingExtraError("reading a data set from the hub needs the `datasets` package", [problem])
    name, _, revision = source.name.removeprefix(HUB).partition("@")
    name, _, split = name.partition(":")
    found = _loaded(source, name, revision or None)
    if split not in found and (split or len(found) != 1):
        splits = ", ".join(sorted(found))
        what = f"no split `{split}`" if split else "several splits"
        raise source.error(f"{what}; splits there: {splits}", fix=f"Write hf:{name}:SPLIT")
    rows = found[split] if split else next(iter(found.values()))
    return tuple(Path(file["filename"]) for file in rows.cache_files)


def _loaded(source: Source, name: str, revision: str | None) -> dict[str, Any]:
    """Every split. Data sets that bring code of their own are not run: the library refuses them by itself."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    if Path(name).exists():
        # The library would read that instead.
        raise source.error(f"{name} is also a folder here", fix="Name the folder without hf:, or rename it")
    try:
        return dict(load_dataset(name, revision=revision))
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        fix = "Check the name and the connection, or download the files and name them"
        raise source.error(f"the data set cannot be fetched: {reason}", fix=fix) from error
