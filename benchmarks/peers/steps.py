"""One optimizer step at a time: how a measured process is told to go on, and what it says after each step.

A worker that runs `--stepwise` waits before every optimizer step for a line on its standard input and writes one line
of JSON after the step, so that two workers can take turns on one machine and never run at once. At the end of the input
it stops where it is. Without `--stepwise` it trains through and writes one line with all steps.

Only the standard library: peers import it without Atanor, in an environment of their own.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any


class Steps:
    """The turns of one worker.

    Args:
        stepwise: wait for a line on standard input before every step.
        about: what the result says of this worker besides its steps.
        packages: whose versions the result gives.
    """

    def __init__(self, stepwise: bool, about: dict[str, Any], packages: tuple[str, ...]) -> None:
        # Libraries print as they like; results have a channel of their own.
        self._results = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._stepwise = stepwise
        self._about = {**about, "versions": versions_of(packages)}
        self._born = time.perf_counter()
        self._started = self._worked = self._seconds = self._processor_seconds = 0.0
        self.steps: list[dict[str, Any]] = []

    def ready(self, **facts: Any) -> None:
        """Say that everything is loaded; the next thing is the first step."""
        self._about.update(facts, seconds_to_ready=round(time.perf_counter() - self._born, 2))
        if self._stepwise:
            self._write({"ready": self._about})

    def wait(self, first: Callable[[], None] | None = None) -> None:
        """Before a step: wait for one's turn, do what has to be done first, then start the clock."""
        if self._stepwise and not sys.stdin.readline():
            raise SystemExit(0)
        if first is not None:
            first()
        self._started, self._worked = time.perf_counter(), time.process_time()

    def stop_clock(self) -> None:
        """After the optimizer's update."""
        self._seconds = time.perf_counter() - self._started
        self._processor_seconds = time.process_time() - self._worked

    def done(self, loss: float, **figures: Any) -> None:
        """After a step: its figures, and how long it took up to `stop_clock`."""
        step = {
            "step": len(self.steps) + 1,
            "seconds": round(self._seconds, 4),
            "processor_seconds": round(self._processor_seconds, 2),
            "loss": loss,
            "peak_memory_bytes": peak_memory(),
            **figures,
        }
        self.steps.append(step)
        if self._stepwise:
            self._write({"step": step})

    def finish(self) -> None:
        """The one line of a worker that trained through."""
        if not self._stepwise:
            self._write({**self._about, "peak_memory_bytes": peak_memory(), "steps": self.steps})

    def _write(self, document: dict[str, Any]) -> None:
        print(json.dumps(document), file=self._results, flush=True)


def peak_memory() -> int:
    """Most bytes this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def versions_of(packages: tuple[str, ...]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
