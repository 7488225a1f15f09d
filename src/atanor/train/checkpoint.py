"""Checkpoints that are whole, checksummed and found again.

A checkpoint is written into a temporary folder, every file and the folder synced, and renamed; only then are older ones
removed. `checksums.json` names every file's SHA-256. A kill in the middle of writing leaves no checkpoint of that step;
one damaged later (a failing disk, a flipped bit) is recognised, set aside as `damaged-…`, and the one before it used.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atanor.progress import Progress
from atanor.store.files import remove_folder, remove_leftovers, sha256_file, storage_error, writing_folder

CHECKSUMS = "checksums.json"
_NAME = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True)
class Checkpoint:
    """The state of training after `step` optimizer steps."""

    step: int
    folder: Path


@contextmanager
def writing_checkpoint(run: Path, step: int) -> Iterator[Path]:
    """Yield a folder to fill; on leaving without error it becomes the checkpoint of this step."""
    with writing_folder(run / f"checkpoint-{step}") as folder:
        yield folder
        sums = {
            str(file.relative_to(folder)): sha256_file(file) for file in sorted(folder.rglob("*")) if file.is_file()
        }
        (folder / CHECKSUMS).write_text(json.dumps(sums, indent=1), encoding="utf-8")


def checkpoints(run: Path) -> list[Checkpoint]:
    """All checkpoints of a run, oldest first, whether whole or not."""
    found = []
    for folder in run.glob("checkpoint-*"):
        if match := _NAME.fullmatch(folder.name):
            found.append(Checkpoint(int(match.group(1)), folder))
    return sorted(found, key=lambda checkpoint: checkpoint.step)


def newest_whole(run: Path, progress: Progress) -> Checkpoint | None:
    """The newest checkpoint whose files are all as they were written; damaged ones are set aside and told."""
    return first_whole(reversed(checkpoints(run)), run, progress)


def first_whole(candidates: Iterable[Checkpoint], run: Path, progress: Progress) -> Checkpoint | None:
    """The first of these checkpoints whose files are all as they were written; damaged ones are set aside and told."""
    for checkpoint in candidates:
        damage = _damage(checkpoint.folder)
        if damage is None:
            return checkpoint
        aside = run / f"damaged-{checkpoint.folder.name}"
        shutil.rmtree(aside, ignore_errors=True)
        checkpoint.folder.rename(aside)
        progress.say(f"checkpoint of step {checkpoint.step} is damaged ({damage}); set aside as {aside.name}")
    return None


def drop_old(run: Path, keep_newest: int, keep_steps: Collection[int | None]) -> None:
    """Remove checkpoints but the newest `keep_newest` and those of `keep_steps` (the best, those to be averaged)."""
    for checkpoint in checkpoints(run)[:-keep_newest]:
        if checkpoint.step not in keep_steps:
            try:
                remove_folder(checkpoint.folder)
            except OSError as error:
                raise storage_error(error, checkpoint.folder) from error


def sweep(run: Path) -> None:
    """Remove what a killed process left half written or half removed. Only for who holds the run's folder."""
    try:
        remove_leftovers(run)
    except OSError as error:
        raise storage_error(error, run) from error


def _damage(folder: Path) -> str | None:
    """What is wrong with a checkpoint's files, or None."""
    try:
        sums = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"{CHECKSUMS} is missing or unreadable"
    for name, expected in sums.items():
        file = folder / name
        if not file.is_file():
            return f"{name} is missing"
        if sha256_file(file) != expected:
            return f"{name} has changed"
    return None
