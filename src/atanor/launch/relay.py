"""Progress across processes: one writes what happens into a file, line by line; another reads it and shows it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from atanor.progress import Activity, Progress

EVENTS = "events.jsonl"


class Recorder:
    """A `Progress` that writes events into a file."""

    def __init__(self, file: Path) -> None:
        self._stream: TextIO = file.open("w", encoding="utf-8", buffering=1)
        self._numbers = itertools.count()

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        """See `Progress.start`."""
        number = next(self._numbers)
        self.tell("start", number, name=name, total=total, unit=unit, done=done)
        return _Recorded(self, number)

    def say(self, message: str) -> None:
        """See `Progress.say`."""
        self.tell("say", message=message)

    def tell(self, event: str, activity: int | None = None, **told: object) -> None:
        """Write one event."""
        self._stream.write(json.dumps({"event": event, "activity": activity, **told}) + "\n")


class _Recorded:
    def __init__(self, recorder: Recorder, number: int) -> None:
        self._recorder = recorder
        self._number = number

    def advance(self, count: int = 1, **figures: float | str) -> None:
        self._recorder.tell("advance", self._number, count=count, figures=figures)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recorder.tell("finish", self._number)


class Follower:
    """Shows the events of a file to a person, as far as they are written.

    Args:
        file: that a `Recorder` writes, or will write.
        progress: who is watching.
    """

    def __init__(self, file: Path, progress: Progress) -> None:
        self._file = file
        self._progress = progress
        self._read = 0
        self._open: dict[int, Activity] = {}

    def catch_up(self) -> None:
        """Show what was written since the last time; a half-written line waits."""
        if not self._file.is_file():
            return
        with self._file.open("rb") as stream:
            stream.seek(self._read)
            for line in stream:
                if line.endswith(b"\n"):
                    self._read += len(line)
                    self._show(**json.loads(line))

    def close(self) -> None:
        """End what the other process did not live to end."""
        self.catch_up()
        for activity in self._open.values():
            activity.__exit__(None, None, None)
        self._open.clear()

    def _show(self, event: str, activity: int | None, **told: Any) -> None:
        if event == "say":
            self._progress.say(told["message"])
            return
        assert activity is not None
        match event:
            case "start":
                self._open[activity] = self._progress.start(**told).__enter__()
            case "advance":
                self._open[activity].advance(told["count"], **told["figures"])
            case "finish":
                self._open.pop(activity).__exit__(None, None, None)
