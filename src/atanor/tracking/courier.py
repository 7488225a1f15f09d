"""Brings figures to a tracker from a thread of its own, so that training waits for nobody.

A tracker that is away is said once and tried again, later and later; what waits is sent when it is back. What is there
already, from before a kill, is asked of the tracker itself and not sent again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from atanor.progress import Progress
from atanor.tracking.history import beyond
from atanor.tracking.records import Conclusion, End, Point, RunFacts, Tracker, Unreachable

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds until a tracker that is away is tried again: the first time, and at most."""
AT_ONCE = 150
"""Points a message; MLflow takes at most 1,000 figures."""


class Courier:
    """Keeps one tracker up to date.

    Args:
        tracker: whom to tell.
        facts: of the run.
        progress: told when the tracker is away, and when it is back.
        patience: seconds a run waits at its end for a tracker that is away.
    """

    def __init__(self, tracker: Tracker, facts: RunFacts, progress: Progress, patience: float = 10.0) -> None:
        self._tracker, self._facts, self._progress, self._patience = tracker, facts, progress, patience
        self._waiting: list[Point] = []
        self._last: Conclusion | End | None = None
        self._known: dict[str, int] | None = None
        self._away = self._closing = self._done = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"track {tracker.name}", daemon=True)
        self._thread.start()

    def add(self, points: Sequence[Point]) -> None:
        """Tell these figures soon."""
        with self._changed:
            self._waiting.extend(points)
            self._changed.notify_all()

    def close(self, last: Conclusion | End) -> int:
        """Tell the end and wait until everything is told, or the tracker has been away for too long.

        Returns:
            How many messages were not told: figures, and the end itself.
        """
        with self._changed:
            self._last = last
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._done or self._away or not self._thread.is_alive())
            deadline = time.monotonic() + self._patience
            while not self._done and self._thread.is_alive() and (not self._away or time.monotonic() < deadline):
                self._changed.wait(0.2)
            self._closing = True
            self._changed.notify_all()
            missed = 0 if self._done else len(self._waiting) + 1
        if missed:
            self._progress.say(f"track     {self._tracker.name} was not told {missed} messages; it is away")
        return missed

    def _work(self) -> None:
        """Send what waits until the end is told; what fails is tried again."""
        wait = FIRST_WAIT
        while not self._done:
            with self._changed:
                self._changed.wait_for(lambda: self._known is None or self._waiting or self._last or self._closing)
                if self._closing:
                    return
            try:
                self._send()
            except Unreachable as error:
                self._tell_away(error)
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, timeout=wait)
                wait = min(2 * wait, LONGEST_WAIT)
                continue
            wait = FIRST_WAIT
            self._tell_back()

    def _send(self) -> None:
        """One message."""
        if self._known is None:
            self._known = dict(self._tracker.begin(self._facts))
            return
        with self._changed:
            batch = self._waiting[:AT_ONCE]
            last = self._last
        if batch:
            known = dict(self._known)
            fresh = []
            for point in batch:
                if (new := beyond(point, known)) is not None:
                    fresh.append(new)
                    known.update(dict.fromkeys(new.values, new.step))
            if fresh:
                self._tracker.add(fresh)
            self._known = known
            with self._changed:
                del self._waiting[: len(batch)]
            return
        if isinstance(last, Conclusion):
            self._tracker.conclude(last)
        elif last is not None:
            self._tracker.leave(last)
        with self._changed:
            self._done = last is not None
            self._changed.notify_all()

    def _tell_away(self, error: Unreachable) -> None:
        with self._changed:
            before, self._away = self._away, True
            self._changed.notify_all()
        if not before:
            self._progress.say(
                f"track     {self._tracker.name} is away ({error}); the run goes on, and it is told later"
            )

    def _tell_back(self) -> None:
        with self._changed:
            before, self._away = self._away, False
        if before:
            self._progress.say(f"track     {self._tracker.name} is back; it is told what it missed")
