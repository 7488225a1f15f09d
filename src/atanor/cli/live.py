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
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.table import Column
from rich.text import Text

from atanor.cli import figures
from atanor.progress import Activity

LINE_SECONDS = 10.0
"""A plain line comes when so much time has passed since the last,"""

LINE_SHARE = 0.1
"""or so much of the work,"""

LEAST_SECONDS = 1.0
"""but never sooner than this: short work fills no log."""

ROOMY = 100
"""Columns from which the bar has its full width."""


class TerminalProgress:
    """Shows progress on stderr, so that stdout stays for results.

    Args:
        console: where to show it; default stderr.
        quiet: plain lines even on a terminal, for when a program reads the results.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._plain = quiet or not self.console.is_terminal
        self._screen = _Screen(self.console)

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        if self._plain:
            return _Lines(self.console, name, total, unit, done)
        return _Bar(self._screen, name, total, unit, done)

    def say(self, message: str) -> None:
        self.console.print(Text(message))


def _shown(figure: float | str) -> str:
    if isinstance(figure, str):
        return figure
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def _joined(shown: dict[str, float | str]) -> str:
    return "  ".join(f"{name} {_shown(value)}" for name, value in shown.items())


def _units(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def _stopped(name: str, done: float, total: float, unit: str) -> str:
    return f"{name} {done:,.0f}/{total:,.0f} {unit}s  stopped"


class _Clock(ProgressColumn):
    """Time spent and, while there is work left, time to go: `2:31  left 0:40`."""

    # Seldom enough to be calm, often enough to be seen to live.
    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        text = figures.duration(task.elapsed or 0.0)
        if not task.finished:
            remaining = task.time_remaining
            text += "  left " + ("…" if remaining is None else figures.duration(remaining))
        return Text(text)


class _Screen:
    """The one live display of a console: bars of nested activities stand under each other in it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bars: Progress | None = None
        self._open = 0

    def enter(self) -> Progress:
        """The display, started with the first bar."""
        if self._bars is None:
            self._bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24 if self.console.width >= ROOMY else 8),
                MofNCompleteColumn(),
                TextColumn("{task.fields[unit]}s", markup=False),
                _Clock(table_column=Column(no_wrap=True)),
                # Last, because on a narrow screen the end of the line is what gives way.
                TextColumn("{task.fields[figures]}", markup=False, table_column=Column(no_wrap=True)),
                console=self.console,
            )
            self._bars.start()
        self._open += 1
        return self._bars

    def leave(self) -> None:
        """One bar is closed; the display ends with the last."""
        self._open -= 1
        if self._open == 0 and self._bars is not None:
            self._bars.stop()
            self._bars = None


class _Bar:
    """One bar of the display."""

    def __init__(self, screen: _Screen, name: str, total: int, unit: str, done: int) -> None:
        self.screen = screen
        self.name, self.total, self.unit, self.done = name, total, unit, done
        self.bars: Progress | None = None
        self.task = TaskID(0)

    def advance(self, count: int = 1, **shown: float | str) -> None:
        self.done += count
        if self.bars is None:
            return
        if shown:
            self.bars.update(self.task, advance=count, figures=_joined(shown))
        else:
            self.bars.update(self.task, advance=count)

    def __enter__(self) -> Self:
        self.bars = self.screen.enter()
        self.task = self.bars.add_task(self.name, total=self.total, completed=self.done, unit=self.unit, figures="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bars is not None:
            self.bars.stop_task(self.task)
            self.bars = None
            self.screen.leave()
        if kind is not None:
            self.screen.console.print(Text(_stopped(self.name, self.done, self.total, self.unit)))


class _Lines:
    """Plain lines: at the start, now and then, at the end."""

    def __init__(self, console: Console, name: str, total: int, unit: str, done: int) -> None:
        self.console = console
        self.name = name
        self.total = total
        self.unit = unit
        self.begun_with = self.last_done = self.done = done
        self.started = self.last = time.monotonic()
        self.figures = ""

    def advance(self, count: int = 1, **shown: float | str) -> None:
        self.done += count
        if shown:
            self.figures = _joined(shown)
        waited = time.monotonic() - self.last
        enough = self.done - self.last_done >= LINE_SHARE * self.total and waited >= LEAST_SECONDS
        if (enough or waited >= LINE_SECONDS) and self.done < self.total:
            self.last, self.last_done = time.monotonic(), self.done
            self._line()

    def __enter__(self) -> Self:
        self.console.print(Text(f"{self.name}: {_units(self.total - self.begun_with, self.unit)}"), soft_wrap=True)
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
            f"{self.name} {self.done:,}/{self.total:,} {self.unit}s",
            self.figures,
            f"{_shown(rate)} {self.unit}s/s" if rate else "",
            figures.duration(elapsed),
            left,
        ]
        # A log is searched by line: no line is folded at the width of a screen that is not there.
        self.console.print(Text("  ".join(part for part in parts if part)), soft_wrap=True)
