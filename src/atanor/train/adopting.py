"""Where a finished training stopped, and its last state as the first one of another folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from transformers import TrainerState

from atanor.progress import Progress
from atanor.store.files import writing_folder
from atanor.train.checkpoint import Checkpoint, checkpoints, newest_whole
from atanor.train.history import STATE, best_step


@dataclass(frozen=True)
class Left:
    """Where a training stopped: its last whole checkpoint, its best step, and windows an epoch."""

    checkpoint: Checkpoint
    best: int | None
    windows: int


def where_it_stopped(folder: Path, progress: Progress) -> Left | None:
    """The state after the last step of a training; None where no checkpoint is whole."""
    newest = newest_whole(folder, progress)
    if newest is None:
        return None
    state = TrainerState.load_from_json(str(newest.folder / STATE))
    return Left(newest, best_step(state), max(1, round(state.global_step / float(state.epoch or 1))))


def adopt(left: Left, folder: Path) -> None:
    """Begin a folder with the last checkpoint of a training and its best one; again, nothing is done twice.

    Raises:
        StoreError: they cannot be written.
    """
    if any(found.step >= left.checkpoint.step for found in checkpoints(folder)):
        return
    before = {found.step: found for found in checkpoints(left.checkpoint.folder.parent)}
    best = [] if left.best is None or left.best not in before else [before[left.best]]
    for found in (*best, left.checkpoint):  # the last one last: with it the folder is complete
        with writing_folder(folder / found.folder.name) as copy:
            shutil.copytree(found.folder, copy, dirs_exist_ok=True)
