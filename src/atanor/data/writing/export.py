"""Examples to a file: each is written or refused with its reason, and the two add up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from atanor.data.refusals import listed, refusal_of
from atanor.data.rows import Example, Refusal
from atanor.data.writing.containers import container_of, opened
from atanor.data.writing.kinds import WriteFormat
from atanor.data.writing.shapes import row_of
from atanor.data.writing.uploads import UPLOADS, UploadCheck
from atanor.errors import DataError
from atanor.store.files import writing


@dataclass(frozen=True)
class WriteReport:
    """What became of the examples. `written + len(refusals)` is their number.

    Attributes:
        path: the file.
        format: the format of its rows.
        written: rows in it.
        refusals: examples that the format cannot express, each with its reason.
        notes: what the platform of an upload says about such a file.
    """

    path: Path
    format: WriteFormat
    written: int
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()


def write_examples(examples: Iterable[Example], path: Path, kind: WriteFormat) -> WriteReport:
    """Write examples in the format of others; the file is whole or as it was.

    Args:
        examples: what to write, in order.
        path: the file; its suffixes tell the container: .jsonl, .json, .csv, .tsv or .parquet, all but the last also
            with .gz or .zst. An upload is always .jsonl.
        kind: the format of the rows.

    Raises:
        DataError: the container cannot hold the format, no example can be written, or too few for the platform.
        StoreError: the disk is full or the folder cannot be written.
    """
    container = container_of(path, kind, upload=kind in UPLOADS)
    check = UploadCheck(UPLOADS[kind], path) if kind in UPLOADS else None
    refusals: list[Refusal] = []
    written = 0
    with writing(path) as temporary:
        with opened(temporary, path, container, kind) as sink:
            for example in examples:
                try:
                    row = row_of(example, kind)
                except DataError as error:
                    refusals.append(_refused(example, error))
                    continue
                sink.write(row)
                written += 1
                if check is not None:
                    check.count(example)
        if check is not None:
            check.require_enough(tuple(refusals))
        if not written:
            reason = f"{path} was not written: none of the {len(refusals)} examples has a place in `{kind}`"
            raise DataError(reason, listed(refusals))
        size = temporary.stat().st_size
        temporary.chmod(0o644)
    notes = check.notes(size) if check is not None else ()
    return WriteReport(path, kind, written, tuple(refusals), notes)


def _refused(example: Example, error: DataError) -> Refusal:
    raw = json.dumps(dict(example.fields), ensure_ascii=False, default=str)
    return refusal_of(error, example.source, example.line, raw)
