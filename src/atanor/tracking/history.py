"""The history of losses as figures for trackers, and as a file that a run writes while it trains."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from atanor.store.files import storage_error, write_text
from atanor.tracking.records import GRADIENT_NORM, LEARNING_RATE, SPEED, TRAIN_LOSS, VALIDATION_LOSS, Point

FILE = "history.jsonl"
_NAMES = {
    "loss": TRAIN_LOSS,
    "eval_loss": VALIDATION_LOSS,
    "learning_rate": LEARNING_RATE,
    "grad_norm": GRADIENT_NORM,
}


def points_of(history: Sequence[Mapping[str, Any]], start: int = 0) -> Iterator[Point]:
    """Figures of the entries from `start` on of a Trainer's history.

    Args:
        history: entries with `step`, and `loss` or `eval_loss`; `elapsed` seconds and `executed` tokens give the speed.
        start: entries before it were told already.
    """
    for place in range(start, len(history)):
        entry = history[place]
        values = {name: float(entry[key]) for key, name in _NAMES.items() if isinstance(entry.get(key), int | float)}
        before = history[place - 1].get("elapsed", 0.0) if place else 0.0
        seconds = entry.get("elapsed", 0.0) - before
        if "loss" in entry and seconds > 0:
            values[SPEED] = entry.get("executed", 0.0) / seconds
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        if finite:
            yield Point(int(entry["step"]), finite, time.time())


class HistoryFile:
    """`history.jsonl` of a run: one line a step, there as soon as the step is done.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._known: dict[str, int] = {}
        kept = read_history(folder)
        for point in kept:
            self._known.update(dict.fromkeys(point.values, point.step))
        # A killed writer leaves half a line.
        write_text(self._path, "".join(map(_line, kept)))

    def add(self, points: Sequence[Point]) -> None:
        """Append those that are not there yet.

        Raises:
            StoreError: the disk is full or the folder cannot be written.
        """
        new = [fresh for point in points if (fresh := beyond(point, self._known)) is not None]
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(map(_line, new))
        except OSError as error:
            raise storage_error(error, self._path) from error
        for point in new:
            self._known.update(dict.fromkeys(point.values, point.step))


def read_history(folder: Path) -> list[Point]:
    """What a run has written so far; half a line at the end is passed over."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return []
    found = [json.loads(line) for line in lines]
    return [Point(line.pop("step"), line, line.pop("at")) for line in found]


def beyond(point: Point, known: Mapping[str, int]) -> Point | None:
    """What of a point is not known yet; None where all of it is."""
    values = {name: value for name, value in point.values.items() if point.step > known.get(name, -1)}
    return Point(point.step, values, point.at) if values else None


def _line(point: Point) -> str:
    return json.dumps({"step": point.step, "at": point.at, **point.values}) + "\n"
