"""A file of rows to a file with more rows, made from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atanor.data.augmentation import AugmentationReport, AugmentOptions, Engines, augment
from atanor.data.options import SourceOptions
from atanor.data.quarantine import write_quarantine
from atanor.data.rows import Example, Refusal
from atanor.data.workshop.converting import every_example, own_format
from atanor.data.workshop.dataset import Version
from atanor.data.workshop.single import beside, made_dataset, one_stage, require_other_file
from atanor.data.writing import WriteFormat
from atanor.data.writing.plain import write_rows
from atanor.data.writing.shapes import row_of
from atanor.progress import Progress
from atanor.store.files import remove


@dataclass(frozen=True)
class MoreRows:
    """What augmentation made of a file.

    Attributes:
        version: how the rows were read.
        format: of the rows that were written.
        originals: rows of the file in it; 0 where only new ones were asked for.
        report: what every technique made and what was filtered.
        filtered: the file with candidates that are not used, or None.
        written: rows in the new file.
    """

    version: Version
    format: WriteFormat
    originals: int
    report: AugmentationReport
    filtered: Path | None
    written: int


def augment_file(
    source: SourceOptions,
    out: Path,
    options: AugmentOptions,
    seed: int,
    progress: Progress,
    *,
    engines: Engines | None = None,
    only_new: bool = False,
) -> MoreRows:
    """Write the rows of a file and those made from them, with `parent` and `technique` of each new one.

    Candidates that were not good enough are kept beside, each with its reason.

    Raises:
        DataError: the file cannot be read or the rows cannot be written.
        ConfigurationError, MissingExtraError: a technique lacks what it needs.
    """
    require_other_file(source, out)
    with made_dataset(one_stage(source), progress) as dataset:
        originals = tuple(every_example(dataset))
        version = dataset.version
    made = augment(originals, options, seed=seed, engines=engines, progress=progress)
    kind = own_format(version.sources[0].shape, originals)
    kept = () if only_new else originals
    written = write_rows([marked_row(example, kind) for example in (*kept, *made.examples)], out)
    return MoreRows(
        version=version,
        format=kind,
        originals=len(kept),
        report=made.report,
        filtered=_kept([one.refusal for one in made.filtered], beside(out, "filtered")),
        written=written,
    )


def marked_row(example: Example, kind: WriteFormat) -> dict[str, Any]:
    """A row in a format, with `parent` and `technique` where it was made from another."""
    marks = {} if example.parent is None else {"parent": example.parent, "technique": example.technique}
    return row_of(example, kind) | marks


def _kept(filtered: Sequence[Refusal], path: Path) -> Path | None:
    if not filtered:
        remove(path)
        return None
    write_quarantine(filtered, path)
    return path
