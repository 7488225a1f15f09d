"""How long work tells what it is doing, without knowing who is looking.

A room calls `progress.start("training", total, "step")`, then `advance`, then `finish`. The faces decide how it looks:
a bar with rate and remaining time on a terminal, plain lines in a log, nothing in a library call.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self


class Activity(Protocol):
    """One piece of long work. Use as a context manager so that it is closed on errors too."""

    def advance(self, count: int = 1, **figures: float | str) -> None:
        """`count` more units are done; `figures` are shown beside the bar (loss, tokens a second)."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Progress(Protocol):
    """What a room needs of whoever is watching."""

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        """Begin `total` units of work of which `done` are already behind us (a resumed run)."""

    def say(self, message: str) -> None:
        """One line the person should read: a decision taken, a fallback, where something was written."""


class _SilentActivity:
    def advance(self, count: int = 1, **figures: float | str) -> None:
        del count, figures

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace


class Silent:
    """A `Progress` nobody looks at: the default of the Python API."""

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        del name, total, unit, done
        return _SilentActivity()

    def say(self, message: str) -> None:
        del message
