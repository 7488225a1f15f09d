"""What launches runs: one interface, whoever executes them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from atanor.launch.here import Here
from atanor.launch.options import LaunchKind
from atanor.launch.ray_train import RayTrain
from atanor.launch.specification import Specification
from atanor.launch.torchrun import Torchrun
from atanor.progress import Progress


class Submitted(Protocol):
    """A run that somebody executes."""

    def follow(self, progress: Progress) -> None:
        """Show its progress until all of its processes have ended.

        Raises:
            AtanorError: what it failed of, naming the process.
        """

    def ask_to_stop(self) -> None:
        """Have it save and end after the running step."""

    def end(self) -> None:
        """End it now; nothing where it has ended."""

    def fetch(self) -> Path:
        """Its folder on this machine, with what it made."""


class Launcher(Protocol):
    """One place where runs execute."""

    def submit(self, specification: Specification) -> Submitted:
        """Begin a run whose specification was written into its folder.

        Raises:
            MissingExtraError: what this place needs is not installed.
        """


LAUNCHERS: Mapping[LaunchKind, Launcher] = {
    LaunchKind.HERE: Here(),
    LaunchKind.TORCHRUN: Torchrun(),
    LaunchKind.RAY: RayTrain(),
}


def launch(launcher: Launcher, specification: Specification, progress: Progress) -> Path:
    """Execute a run and show its progress; returns its folder with what it made.

    The first ^C asks the run to stop after the running step; a second one ends it at once.

    Raises:
        Interrupted: the person stopped it; its state is saved.
        AtanorError: what it failed of, naming the process.
    """
    specification.write()
    submitted = launcher.submit(specification)
    try:
        with _asking_to_stop(submitted.ask_to_stop):
            submitted.follow(progress)
    finally:
        submitted.end()
    return submitted.fetch()


@contextmanager
def _asking_to_stop(ask: Callable[[], None]) -> Iterator[None]:
    """Within this context the first ^C calls `ask`; a second one is a `KeyboardInterrupt`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = threading.Event()

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        ask()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
