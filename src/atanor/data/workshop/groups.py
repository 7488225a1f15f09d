"""Who is named in rows, and rows in which the groups are exchanged: the bias room over tables and files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from atanor.data.bias import (
    BiasCounter,
    BiasOptions,
    BiasReport,
    CounterfactualOptions,
    Counterfactuals,
    counterfactuals,
)
from atanor.data.options import SourceOptions
from atanor.data.quarantine import write_quarantine
from atanor.data.sides import SIDES
from atanor.data.workshop.converting import every_example, own_format
from atanor.data.workshop.dataset import Dataset, Version
from atanor.data.workshop.more_rows import marked_row
from atanor.data.workshop.single import beside, made_dataset, one_stage, require_other_file
from atanor.data.workshop.texts import TextsOfRows
from atanor.data.writing.plain import write_rows
from atanor.progress import Progress
from atanor.store.files import remove


def bias_of(tables: Iterable[pa.Table], options: BiasOptions) -> BiasReport:
    """The bias of all texts of tables of rows: turns, plain texts, references and rejected answers; not of labels."""
    counter = BiasCounter(options)
    for rows in tables:
        texts = TextsOfRows(rows)
        counted = np.flatnonzero(~texts.is_label)
        roles = np.where(texts.is_answer, "answer", "prompt")
        counter.update(texts.values.take(pa.array(counted)), texts.row[counted], roles[counted].tolist())
    return counter.report()


def bias_of_dataset(dataset: Dataset, options: BiasOptions) -> BiasReport:
    """The bias of all rows of a dataset."""
    return bias_of((batch for side in SIDES for batch in dataset.batches(side)), options)


@dataclass(frozen=True)
class SwappedRows:
    """What exchanging groups made of a file.

    Attributes:
        version: how the rows were read.
        made: the new rows and the bias before and after.
        unswapped: the file with the rows that were not swapped and why, or None.
        written: rows in the new file.
    """

    version: Version
    made: Counterfactuals
    unswapped: Path | None
    written: int


def swap_file(
    source: SourceOptions, out: Path, options: CounterfactualOptions, seed: int, progress: Progress
) -> SwappedRows:
    """Write the rows of a file and their counterfactuals, with `parent` and `technique` of each new one.

    Raises:
        DataError: the file cannot be read or the rows cannot be written.
        ConfigurationError: `out` is the file itself.
    """
    require_other_file(source, out)
    with made_dataset(one_stage(source), progress) as dataset:
        originals = tuple(every_example(dataset))
        version = dataset.version
    made = counterfactuals(originals, options, seed=seed, progress=progress)
    kind = own_format(version.sources[0].shape, originals)
    path = beside(out, "unswapped")
    if made.unswapped:
        write_quarantine([one.refusal for one in made.unswapped], path)
    else:
        remove(path)
    written = write_rows([marked_row(example, kind) for example in (*originals, *made.examples)], out)
    return SwappedRows(version, made, path if made.unswapped else None, written)
