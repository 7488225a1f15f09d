"""Files and a recipe become a dataset: blocks in several processes, then decisions over all rows, then three tables.

Memory is bounded: a process holds one block, the decisions hold a few numbers a row. An interrupted build goes on with
the blocks that are not done yet.
"""

from __future__ import annotations

import gc
import hashlib
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from atanor import __version__
from atanor.data.blocks import BLOCK_BYTES, Block
from atanor.data.opening import OpenSource, Wishes, open_source
from atanor.data.readers import digest_of
from atanor.data.rows import Refusal
from atanor.data.sides import SIDES
from atanor.data.sources import Source, locate
from atanor.data.workshop.blocks import LOG_FILE as BLOCK_LOG
from atanor.data.workshop.blocks import BlockReport, map_table, read_report, write_block
from atanor.data.workshop.dataset import LOG_FILE, SHORT, VERSION_FILE, Dataset, SourceRecord, Version, every_dataset
from atanor.data.workshop.decisions import Decisions, decide
from atanor.data.workshop.log import LOG, Fate, entries_of, log_table, refusals_of
from atanor.data.workshop.reading import read_rows
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.stages import StageReport, added_reports, added_tallies
from atanor.data.workshop.stock import Stock
from atanor.data.workshop.table import ROWS
from atanor.progress import Progress, Silent
from atanor.store.files import sha256_file, writing_folder

WORTH_A_BAR = 4 << 10
"""Kilobytes from which reading takes so long that people should see it go on."""

TOLD_BYTES = 8 << 20
"""Of larger files only a share of the rows has its language told: so many bytes are enough to count languages."""

WORK = ".work"
"""Folder of blocks of builds that are not finished."""

Judge = Callable[[Sequence[StageReport], Sequence[Refusal]], None]
"""Told the stages so far and the rows they refused."""


@dataclass(frozen=True)
class _Task:
    """One block to do: what a process is handed."""

    reading: OpenSource
    block: Block | None
    recipe: Recipe
    folder: Path
    told: float

    @property
    def kilobytes(self) -> int:
        """What the progress bar counts."""
        if self.block is None or self.block.stamp is None:
            return 1
        size = self.block.stamp.size if self.block.end is None else self.block.end - self.block.start
        return max(1, size >> 10)


def build_dataset(
    recipe: Recipe,
    root: Path,
    folder: Path,
    *,
    frozen: Path | None = None,
    confined: bool = True,
    judge: Judge | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make the dataset of a recipe, or find it where it was made before.

    Args:
        recipe: what is read and what is done to it.
        root: folder that relative paths start from.
        folder: folder of datasets; the new one is named by its content.
        frozen: file of the frozen split, written when it is not there. None: the split is not frozen.
        confined: refuse paths that lead out of `root`.
        judge: told what reading, cleaning and checking refused, before anything is decided; it may raise to stop.
        processes: how many work at once; default one a core, and one for little data.
        progress: told about long work.

    Raises:
        DataError: a file is missing, unreadable or not recognised, or the rows cannot be split.
        StoreError: the disk is full or the folder cannot be written.
    """
    watching = progress or Silent()
    sources = locate(recipe.sources, root, confined=confined)
    digests = [digest_of(source) for source in sources]
    key = recipe.key(digests)
    found = _made_before(folder, key, frozen)
    if found is not None:
        return found
    work = folder / WORK / key[:SHORT]
    wishes = Wishes(root, recipe.column_of_groups, recipe.system, recipe.task_text)
    opened = [open_source(source, wishes) for source in sources]
    told = min(1.0, TOLD_BYTES / max(1, sum(map(_size_of, sources))))
    tasks = [
        _Task(one, block, recipe, work / f"{index:03}-{number:05}", told)
        for index, one in enumerate(opened)
        for number, block in enumerate(one.blocks(BLOCK_BYTES))
    ]
    reports = _work(tasks, processes, watching)
    stages = _stages(reports)
    if judge is not None:
        judge(stages, _refusals(tasks))
    stock = Stock([task.folder for task in tasks], work)
    decisions = decide(stock, recipe, frozen, watching)
    version = Version(
        sha=_content_sha(decisions),
        key=key,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        atanor=__version__,
        recipe=recipe.model_dump(mode="json"),
        sources=tuple(_record(one, digest, tasks, reports) for one, digest in zip(opened, digests, strict=True)),
        stages=(*stages, *decisions.reports),
        tallies=added_tallies(report.tallies for report in reports),
        sides={str(side): int((decisions.sides == code).sum()) for code, side in enumerate(SIDES)},
        split_sha=decisions.split_sha,
        frozen_sha=None if frozen is None else sha256_file(frozen),
        notes=tuple(decisions.notes),
    )
    made = folder / version.name
    _write(made, version, decisions, [task.folder for task in tasks])
    shutil.rmtree(work)
    return Dataset(made, version)


def _size_of(source: Source) -> int:
    """Bytes of a file; 0 where it is not on this disk."""
    return source.path.stat().st_size if source.path.is_file() else 0


def _made_before(folder: Path, key: str, frozen: Path | None) -> Dataset | None:
    """The dataset that this recipe made of the same files, if the frozen split is still the one it was made with."""
    now = sha256_file(frozen) if frozen is not None and frozen.exists() else None
    return next(
        (one for one in every_dataset(folder) if one.version.key == key and one.version.frozen_sha == now), None
    )


def _work(tasks: Sequence[_Task], processes: int | None, progress: Progress) -> list[BlockReport]:
    """Do every block that is not done yet, the reports in the order of the blocks."""
    reports = {task.folder: report for task in tasks if (report := read_report(task.folder)) is not None}
    left = [task for task in tasks if task.folder not in reports]
    total = sum(task.kilobytes for task in tasks)
    done = total - sum(task.kilobytes for task in left)
    # Starting a process takes seconds, in which one alone is done with little data.
    cores = os.cpu_count() or 1
    workers = min(len(left), processes or (cores if total > WORTH_A_BAR else 1))
    rows, started = 0, time.monotonic()
    watching = progress if total > WORTH_A_BAR else Silent()
    with watching.start("reading and checking", total, "kB", done) as activity:
        for task, report in _in_processes(left, workers) if workers > 1 else ((task, _do(task)) for task in left):
            reports[task.folder] = report
            rows += report.stages[0].read
            rate = rows / max(time.monotonic() - started, 1e-3)
            activity.advance(task.kilobytes, rows=f"{rows:,}", rate=f"{rate:,.0f} rows/s")
    return [reports[task.folder] for task in tasks]


def _in_processes(tasks: Sequence[_Task], workers: int) -> Iterator[tuple[_Task, BlockReport]]:
    """The blocks as they are finished; few wait at once, so that an error stops the rest soon."""
    # Forking after torch's or Arrow's threads have started can hang; a fresh process cannot.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_settle) as pool:
        waiting = iter(tasks)
        running: dict[Future[BlockReport], _Task] = {}
        try:
            while True:
                for task in itertools.islice(waiting, 2 * workers - len(running)):
                    running[pool.submit(_do, task)] = task
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _settle() -> None:
    """A worker makes millions of small objects that live for one block: the collector need not look so often."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)


def _do(task: _Task) -> BlockReport:
    return write_block(
        read_rows(task.reading, task.block), task.reading.source.options, task.recipe, task.folder, task.told
    )


def _stages(reports: Sequence[BlockReport]) -> tuple[StageReport, ...]:
    """Each stage over all blocks."""
    return tuple(added_reports(parts) for parts in zip(*(report.stages for report in reports), strict=True))


def _refusals(tasks: Sequence[_Task]) -> list[Refusal]:
    """The rows refused in all blocks."""
    logs = (map_table(task.folder / BLOCK_LOG) for task in tasks)
    refused = (log.filter(pc.equal(log.column("fate"), str(Fate.REFUSED))) for log in logs)
    return [refusal for log in refused for refusal in refusals_of(entries_of(log))]


def _record(reading: OpenSource, digest: str, tasks: Sequence[_Task], reports: Sequence[BlockReport]) -> SourceRecord:
    rows = sum(report.stages[0].read for task, report in zip(tasks, reports, strict=True) if task.reading is reading)
    return SourceRecord(
        path=reading.source.name,
        sha256=digest,
        kind=str(reading.source.kind),
        shape=reading.columns.told,
        rows=rows,
        licence=reading.source.options.licence,
    )


def _content_sha(decisions: Decisions) -> str:
    """Hex SHA-256 of every row's id and side, in order."""
    digest = hashlib.sha256()
    names = decisions.stock.column("id")
    place = 0
    for chunk in names.chunks:
        sides = decisions.sides[place : place + len(chunk)].tolist()
        place += len(chunk)
        lines = [f"{name} {side}\n" for name, side in zip(chunk.to_pylist(), sides, strict=True) if side >= 0]
        digest.update("".join(lines).encode())
    return digest.hexdigest()


def _write(folder: Path, version: Version, decisions: Decisions, blocks: Sequence[Path]) -> None:
    """The tables, the log and the description, all or nothing."""
    with writing_folder(folder) as new:

        def write_side(code: int) -> None:
            with _writer(new / f"{SIDES[code]}.parquet", ROWS) as writer:
                for start, rows in decisions.stock.blocks():
                    writer.write_table(rows.filter(pa.array(decisions.sides[start : start + len(rows)] == code)))

        # Packing takes most of the time, and Arrow does it outside the interpreter's lock.
        with ThreadPoolExecutor(len(SIDES)) as pool:
            for done in [pool.submit(write_side, code) for code in range(len(SIDES))]:
                done.result()
        with _writer(new / LOG_FILE, LOG) as log:
            for block in blocks:
                log.write_table(map_table(block / BLOCK_LOG))
            log.write_table(log_table(decisions.entries))
        (new / VERSION_FILE).write_text(version.model_dump_json(indent=1), encoding="utf-8")


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Only columns of few values are worth a dictionary."""
    few = [name for name in ("source", "label", "stage", "rule", "fate") if name in schema.names]
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=few)
