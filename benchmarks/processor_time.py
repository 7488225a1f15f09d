"""Processor time of each piece of a run's long work.

Beside other work on the same machine the clock on the wall tells little; the seconds that processors spent tell nearly
the same as on a quiet one.
"""

from __future__ import annotations

import time
from collections import defaultdict
from types import TracebackType
from typing import Self

from atanor.cli.trials import TrialWatcher
from atanor.progress import Activity


class ProcessorTime(TrialWatcher):
    """Shows what a trial shows, and adds up the processor seconds of this process.

    Attributes:
        seconds: by the name of the activity, as `training`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        return _Timed(super().start(name, total, unit, done), name, self.seconds)


class _Timed:
    """An activity whose processor time is added to a counter when it ends."""

    def __init__(self, activity: Activity, name: str, seconds: defaultdict[str, float]) -> None:
        self._activity = activity
        self._name = name
        self._seconds = seconds
        self._started = 0.0

    def advance(self, count: int = 1, **figures: float | str) -> None:
        self._activity.advance(count, **figures)

    def __enter__(self) -> Self:
        self._activity.__enter__()
        self._started = time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seconds[self._name] += time.process_time() - self._started
        self._activity.__exit__(kind, error, trace)
