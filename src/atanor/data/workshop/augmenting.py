"""The stage of augmentation: a dataset becomes another one with more training rows, and nothing crosses its split.

New rows stand in the place of their parents, in their groups. They are cleaned and checked as rows of a file are, and
one that equals a held-out row, or nearly does, is not used. Everything that was made or not made is in the log.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from atanor import __version__
from atanor.data.augmentation import Augmented, AugmentOptions, Engines, Filtered, augment
from atanor.data.augmentation.meaning import find_embedder
from atanor.data.rows import Example
from atanor.data.sides import Side
from atanor.data.workshop.dataset import LOG_FILE, VERSION_FILE, Dataset, Version, every_dataset
from atanor.data.workshop.log import LOG, Entry, Fate, log_table
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.screening import Screening
from atanor.data.workshop.stages import StageReport, Tallies, added_tallies
from atanor.data.workshop.table import ROWS, concatenated, examples_of, table_of
from atanor.errors import shorten
from atanor.progress import Progress, Silent
from atanor.store.files import writing_folder

AUGMENT = "augment"
"""Name of the stage, and of what it adds to a recipe."""
NOT_MADE = f"{AUGMENT}.not_made"
FORMAT = 1
"""Raised when equal options over an equal dataset give other rows than before."""

_HELD_OUT = (Side.VALIDATION, Side.TEST)
_SHOWN = 200
"""Characters of a new text that the log shows."""


def augment_dataset(
    dataset: Dataset,
    options: AugmentOptions,
    folder: Path,
    *,
    seed: int,
    engines: Engines | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make a dataset with more training rows, or find it where it was made before.

    Args:
        dataset: whose training rows are the parents. Its other sides are those of the new one.
        options: the techniques and the filters; without a technique the dataset itself is given back.
        folder: folder of datasets; the new one is named by its content.
        seed: everything drawn at random follows from it.
        engines: the models and the folder that come from outside.
        progress: told about long work.

    Raises:
        DataError, ConfigurationError, MissingExtraError: a technique lacks what it needs; the fix says what to install.
        StoreError: the disk is full or the folder cannot be written.
    """
    if not options.techniques:
        return dataset
    engines = engines or Engines()
    key = _key(dataset, options, seed, engines)
    found = next((one for one in every_dataset(folder) if one.version.key == key), None)
    if found is not None:
        return found
    held_out = concatenated(dataset.rows(side) for side in _HELD_OUT)
    train = dataset.examples(Side.TRAIN)
    screening = Screening(_recipe(dataset), held_out, {example.id for example in train})
    made = augment(
        train,
        options,
        seed=seed,
        engines=engines,
        held_out=examples_of(held_out),
        screen=screening,
        progress=progress or Silent(),
    )
    told = [replace(entry, stage=AUGMENT) for entry in screening.told]
    entries = [*_made_entries(made), *map(_not_made_entry, made.filtered), *told]
    version = _version(dataset, made, key, {**options.model_dump(mode="json"), "seed": seed}, screening.tallies)
    return _written(folder / version.name, dataset, version, made, entries)


def _key(dataset: Dataset, options: AugmentOptions, seed: int, engines: Engines) -> str:
    """Hex SHA-256 of all that decides the new rows: the same key, the same dataset."""
    embedder = engines.embedder or find_embedder(options.filter.embedder, engines.root, Silent())
    content = {
        "format": FORMAT,
        "parent": [dataset.version.sha, dataset.version.key],
        "options": options.model_dump(mode="json"),
        "seed": seed,
        "embedder": embedder.name,
        "local": engines.local_name if options.asks_base else "",
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _recipe(dataset: Dataset) -> Recipe:
    """What was done to the rows, without what augmentation added to it."""
    return Recipe.model_validate({name: value for name, value in dataset.version.recipe.items() if name != AUGMENT})


def _version(
    dataset: Dataset, made: Augmented, key: str, recipe: Mapping[str, Any], tallies: Sequence[Tallies]
) -> Version:
    before = dataset.version
    rows = sum(before.sides.values())
    new = [f"{example.id} {example.parent} {example.technique}\n" for example in made.examples]
    rules = Counter(f"{AUGMENT}.{example.technique}" for example in made.examples)
    if made.filtered:
        rules[NOT_MADE] = len(made.filtered)
    stage = StageReport(AUGMENT, read=rows, kept=rows, added=len(made.examples), rules=dict(sorted(rules.items())))
    return before.model_copy(
        update={
            "sha": hashlib.sha256("".join([f"{before.sha}\n", *new]).encode()).hexdigest(),
            "key": key,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "atanor": __version__,
            "recipe": {**before.recipe, AUGMENT: recipe},
            "parents": (dataset.name,),
            "stages": (*before.stages, stage),
            "tallies": added_tallies([before.tallies, *tallies]),
            "sides": {**before.sides, str(Side.TRAIN): before.sides[str(Side.TRAIN)] + len(made.examples)},
            "notes": (*before.notes, _note(made)),
            "augmentation": json.loads(json.dumps(asdict(made.report))),
        }
    )


def _note(made: Augmented) -> str:
    return f"augmentation made {made.report.made:,} of {made.report.asked:,} rows that were asked for"


def _made_entries(made: Augmented) -> Iterator[Entry]:
    for example in made.examples:
        yield Entry(
            source=example.source,
            line=example.line,
            row=example.id,
            stage=AUGMENT,
            rule=f"{AUGMENT}.{example.technique}",
            fate=Fate.ADDED,
            field=None,
            before=example.parent,
            after=shorten(_question(example), _SHOWN),
            reason=f"made by {example.technique} of the row before it",
            fix=None,
            raw=None,
        )


def _not_made_entry(filtered: Filtered) -> Entry:
    refusal = filtered.refusal
    return Entry(
        source=filtered.source,
        line=filtered.line,
        row=filtered.parent,
        stage=AUGMENT,
        rule=NOT_MADE,
        fate=Fate.NOT_MADE,
        field=None,
        before=filtered.parent,
        after=shorten(filtered.text, _SHOWN) if filtered.text else None,
        reason=f"{refusal.reason} ({filtered.detail})" if filtered.detail else refusal.reason,
        fix=refusal.fix,
        raw=filtered.text or None,
    )


def _question(example: Example) -> str:
    """What a model is given in the new row: its last turn before the answer, or its text."""
    return example.prompt[-1].content if example.prompt else example.reference


def _written(folder: Path, dataset: Dataset, version: Version, made: Augmented, entries: Sequence[Entry]) -> Dataset:
    """The tables, the log and the description, all or nothing."""
    with writing_folder(folder) as new:
        for side in _HELD_OUT:
            shutil.copyfile(dataset.folder / f"{side}.parquet", new / f"{side}.parquet")
        with pq.ParquetWriter(new / f"{Side.TRAIN}.parquet", ROWS, compression="zstd") as writer:
            writer.write_table(dataset.rows(Side.TRAIN))
            writer.write_table(table_of(made.examples))
        with pq.ParquetWriter(new / LOG_FILE, LOG, compression="zstd") as log:
            log.write_table(pq.read_table(dataset.folder / LOG_FILE))
            log.write_table(log_table(entries))
        (new / VERSION_FILE).write_text(version.model_dump_json(indent=1), encoding="utf-8")
    return Dataset(folder, version)
