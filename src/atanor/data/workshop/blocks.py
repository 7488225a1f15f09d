"""One block of a source from bytes to checked rows: the part of the work that runs in several processes at once.

A block's folder is written whole or not at all, so an interrupted build finds the blocks that were done.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.duplicates.exact import Keys, content_keys, folded_keys
from atanor.data.duplicates.minhash import signatures
from atanor.data.options import SourceOptions
from atanor.data.workshop.books import book_rows, measured_by
from atanor.data.workshop.checking import check_rows
from atanor.data.workshop.cleaning import clean_rows
from atanor.data.workshop.options import Copies
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.split_marks import split_marks
from atanor.data.workshop.stages import StageReport, StageResult, Tallies, added_tallies
from atanor.data.workshop.texts import answers_of, prompts_of
from atanor.store.files import writing_folder

MARKS = ("content", "prompt", "answer")
"""What the decisions over all rows are made on: 128-bit keys of each row's id, prompt and answer, (rows, 2). Prompts
and answers are compared of rows with a label alone; the keys of others are 0."""

ROWS_FILE, SIGNATURES_FILE, SPLIT_FILE, LOG_FILE, REPORT_FILE = (
    "rows.arrow",
    "signatures.npy",
    "split.arrow",
    "log.arrow",
    "report.json",
)


@dataclass(frozen=True)
class BlockReport:
    """What became of a block: a report for each stage, counts, and the rows that went on."""

    rows: int
    stages: tuple[StageReport, ...]
    tallies: Tallies


def write_block(
    read: StageResult, source: SourceOptions, recipe: Recipe, folder: Path, told: float = 1.0
) -> BlockReport:
    """Clean and check the rows that were read of a block of a source and write what is left with its marks.

    Args:
        read: the rows.
        source: options of the file they are from.
        recipe: what is done to them.
        folder: where the block goes.
        told: see `check_rows`.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    stages = [read]
    if recipe.clean is not None:
        stages.append(clean_rows(read.rows, recipe.clean, recipe.control_tokens))
    if recipe.has_books:
        stages.append(book_rows(stages[-1].rows, source, measured_by(recipe.tokenizer), recipe.seed))
    stages.append(check_rows(stages[-1].rows, recipe.check, told))
    rows = stages[-1].rows
    report = BlockReport(
        len(rows), tuple(stage.report for stage in stages), added_tallies(stage.tallies for stage in stages)
    )
    with writing_folder(folder) as new:
        write_table(rows, new / ROWS_FILE)
        for name, keys in marks_of(rows).items():
            np.save(new / f"{name}.npy", keys, allow_pickle=False)
        write_table(pa.concat_tables(stage.log for stage in stages), new / LOG_FILE)
        if recipe.split is not None:
            write_table(split_marks(rows, recipe.split), new / SPLIT_FILE)
        if recipe.check.near_duplicates is not Copies.OFF:
            np.save(new / SIGNATURES_FILE, signatures(texts_compared(rows)), allow_pickle=False)
        (new / REPORT_FILE).write_text(json.dumps(asdict(report)), encoding="utf-8")
    return report


def read_report(folder: Path) -> BlockReport | None:
    """The report of a block that was written before, or None."""
    path = folder / REPORT_FILE
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return BlockReport(content["rows"], tuple(StageReport(**stage) for stage in content["stages"]), content["tallies"])


def marks_of(rows: pa.Table) -> dict[str, Keys]:
    """The marks of every row, by name."""
    labelled = np.flatnonzero(rows.column("label").is_valid().to_numpy())
    marks = {
        "content": content_keys(rows.column("id").combine_chunks()),
        "prompt": np.zeros((len(rows), 2), np.uint64),
        "answer": np.zeros((len(rows), 2), np.uint64),
    }
    if len(labelled):
        compared = rows.take(pa.array(labelled))
        marks["prompt"][labelled] = folded_keys(prompts_of(compared))
        marks["answer"][labelled] = folded_keys(answers_of(compared))
    return marks


def texts_compared(rows: pa.Table) -> pa.StringArray:
    """What makes two rows nearly the same: what the model is given and what it should say."""
    return pc.binary_join_element_wise(prompts_of(rows), answers_of(rows), "\n")


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table so that it can be mapped into memory."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def map_table(path: Path) -> pa.Table:
    """A table of `write_table`, mapped: only what is looked at is read."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
