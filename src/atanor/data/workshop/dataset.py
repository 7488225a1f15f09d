"""A dataset on disk: three tables of rows, the log of everything done to them, and how it came to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from atanor.data.rows import Example, Refusal
from atanor.data.sides import Side
from atanor.data.workshop.log import Entry, Fate, entries_of, refusals_of
from atanor.data.workshop.stages import StageReport
from atanor.data.workshop.table import examples_of
from atanor.errors import NotFoundError, Problem, StoreError

VERSION_FILE = "dataset.json"
LOG_FILE = "log.parquet"
SHORT = 12
"""Digits of a dataset's hash that its folder is named by."""


class SourceRecord(BaseModel):
    """One file a dataset was made of: its path as written, the digest of its bytes, how it was read, rows in it, and
    its licence where the project states one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    sha256: str
    kind: str
    shape: str
    rows: int
    licence: str | None = None


class Version(BaseModel):
    """How a dataset came to be.

    Attributes:
        sha: hex SHA-256 of its rows' ids in order with their sides: equal content has an equal name.
        key: of the recipe and the files; see `Recipe.key`.
        created: when, in UTC, ISO 8601.
        atanor: version of Atanor that made it.
        recipe: see `Recipe`.
        sources: the files.
        parents: names of datasets it was made from.
        stages: what each stage did.
        tallies: what the rows are like, in counts.
        sides: rows on each side; without a split all are in `train`.
        split_sha: hex SHA-256 of the split, or None.
        frozen_sha: hex SHA-256 of the file the split is frozen in, or None.
        notes: what a reader should know, in sentences.
        augmentation: what every technique made and what was filtered (`AugmentationReport`), or None.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha: str
    key: str
    created: str
    atanor: str
    recipe: Mapping[str, Any]
    sources: tuple[SourceRecord, ...]
    parents: tuple[str, ...] = ()
    stages: tuple[StageReport, ...]
    tallies: Mapping[str, Mapping[str, int]]
    sides: Mapping[str, int]
    split_sha: str | None = None
    frozen_sha: str | None = None
    notes: tuple[str, ...] = ()
    augmentation: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The name people type."""
        return self.sha[:SHORT]

    @property
    def read(self) -> int:
        """Rows in the files."""
        return self.stages[0].read if self.stages else 0

    @property
    def changed(self) -> int:
        """Rows that were mended and are used; a row mended at two stages counts at both."""
        return sum(stage.changed for stage in self.stages)

    def stage(self, name: str) -> StageReport | None:
        """What the stage of that name did, or None."""
        return next((stage for stage in self.stages if stage.stage == name), None)


@dataclass(frozen=True)
class Dataset:
    """A dataset and the folder it lies in."""

    folder: Path
    version: Version

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open a dataset.

        Raises:
            NotFoundError: there is none in the folder.
            StoreError: its description cannot be read.
        """
        path = folder / VERSION_FILE
        if not path.is_file():
            problem = Problem("there is no dataset in it", file=str(folder), fix="`atanor data list` names those there")
            raise NotFoundError(f"no dataset {folder.name}", [problem])
        try:
            return cls(folder, Version.model_validate_json(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            fix = f"Remove {folder} and make the dataset again"
            raise StoreError("a dataset cannot be read", [Problem("damaged", file=str(path), fix=fix)]) from error

    @property
    def name(self) -> str:
        """The name people type."""
        return self.version.name

    def rows(self, side: Side, columns: list[str] | None = None) -> pa.Table:
        """The rows of one side, schema `ROWS`, in the order they were read."""
        return pq.read_table(self.folder / f"{side}.parquet", columns=columns)

    def batches(self, side: Side, size: int = 8192) -> Iterator[pa.Table]:
        """The rows of one side in batches of at most `size`."""
        with pq.ParquetFile(self.folder / f"{side}.parquet") as file:
            for batch in file.iter_batches(size):
                yield pa.Table.from_batches([batch])

    def examples(self, side: Side) -> tuple[Example, ...]:
        """The rows of one side as examples."""
        return tuple(examples_of(self.rows(side)))

    def log(self, *fates: Fate, stage: str | None = None) -> list[Entry]:
        """What was done to rows, in order: all of it, or what has one of these fates, at one stage."""
        table = pq.read_table(self.folder / LOG_FILE)
        if fates:
            table = table.filter(pc.is_in(table.column("fate"), pa.array([str(fate) for fate in fates])))
        if stage is not None:
            table = table.filter(pc.equal(table.column("stage"), stage))
        return entries_of(table)

    @property
    def refusals(self) -> list[Refusal]:
        """The rows that were refused, with their reasons."""
        return refusals_of(self.log(Fate.REFUSED))


def find_dataset(folder: Path, name: str) -> Dataset:
    """The dataset of a folder of datasets whose name begins with `name`.

    Raises:
        NotFoundError: none does, or several do.
    """
    found = sorted(path for path in folder.glob(f"{name}*") if (path / VERSION_FILE).is_file()) if name else []
    if len(found) == 1:
        return Dataset.open(found[0])
    there = ", ".join(sorted(path.parent.name for path in folder.glob(f"*/{VERSION_FILE}"))) or "none yet"
    reason = f"{len(found)} datasets begin with it" if found else "no dataset begins with it"
    raise NotFoundError(f"there is no dataset `{name}`", [Problem(reason, value=name, fix=f"Datasets: {there}")])


def every_dataset(folder: Path) -> list[Dataset]:
    """All datasets of a folder, newest first."""
    found = [Dataset.open(path.parent) for path in folder.glob(f"*/{VERSION_FILE}")]
    return sorted(found, key=lambda one: (one.version.created, one.name), reverse=True)
