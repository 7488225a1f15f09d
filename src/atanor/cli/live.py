"""Long work on a screen: a bar with rate and remaining time on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from atanor.cli import figures
from atanor.progress import Activity

LINE_SECONDS = 10.0
"""Plain lines come at most this often, and at the end."""


class TerminalProgress:
    """Shows progress on stderr, so that stdout stays for results."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        if self.console.is_terminal:
            return _Bar(self.console, name, total, unit, done)
        return _Lines(self.console, name, total, unit, done)

    def say(self, message: str) -> None:
        self.console.print(Text(message))


def _shown(figure: float | str) -> str:
    if isinstance(figure, str):
        return figure
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def _joined(shown: dict[str, float | str]) -> str:
    return "  ".join(f"{name} {_shown(value)}" for name, value in shown.items())


class _Bar:
    """A rich progress bar."""

    def __init__(self, console: Console, name: str, total: int, unit: str, done: int) -> None:
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}  {task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
        )
        self.task: TaskID = self.bars.add_task(name, total=total, completed=done, unit=unit, figures="")

    def advance(self, count: int = 1, **shown: float | str) -> None:
        if shown:
            self.bars.update(self.task, advance=count, figures=_joined(shown))
        else:
            self.bars.update(self.task, advance=count)

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()


class _Lines:
    """Plain lines: at the start, every ten seconds, at the end."""

    def __init__(self, console: Console, name: str, total: int, unit: str, done: int) -> None:
        self.console = console
        self.name = name
        self.total = total
        self.unit = unit
        self.begun_with = done
        self.done = done
        self.started = self.last = time.monotonic()
        self.figures = ""

    def advance(self, count: int = 1, **shown: float | str) -> None:
        self.done += count
        if shown:
            self.figures = _joined(shown)
        if time.monotonic() - self.last >= LINE_SECONDS and self.done < self.total:
            self.last = time.monotonic()
            self._line()

    def __enter__(self) -> Self:
        self.console.print(Text(f"{self.name}: {self.total - self.begun_with} {self.unit}s"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line("stopped" if kind is not None else "done")

    def _line(self, end: str = "") -> None:
        elapsed = time.monotonic() - self.started
        rate = (self.done - self.begun_with) / elapsed if elapsed else 0.0
        left = f"left {figures.duration((self.total - self.done) / rate)}" if rate and not end else end
        parts = [
            f"{self.name} {self.done}/{self.total} {self.unit}s",
            self.figures,
            f"{rate:.2g} {self.unit}s/s",
            f"{figures.duration(elapsed)}",
            left,
        ]
        self.console.print(Text("  ".join(part for part in parts if part)))
