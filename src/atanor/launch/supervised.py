"""A run whose processes a supervisor starts and watches, in a process and a session of its own.

The supervisor is apart, so that signals to this process reach its workers only as this process decides, and what its
library does to a process it does to that one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from atanor.launch.failure import Ended, error_of
from atanor.launch.relay import EVENTS, Follower
from atanor.launch.specification import Specification
from atanor.progress import Progress
from atanor.store.files import write_text

ENDED = "ended.json"
_PAUSE = 0.05
"""Seconds between two looks at what happened."""
_PATIENCE = 20.0
"""Seconds a supervisor has to end its workers when it is asked to."""


class Supervised:
    """A run under a supervisor.

    Args:
        specification: of the run.
        module: the supervisor, run as `python -m module FOLDER`.
    """

    def __init__(self, specification: Specification, module: str) -> None:
        self.specification = specification
        threads = max(1, torch.get_num_threads() // specification.processes)
        with (specification.control / "supervisor.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(specification.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
                start_new_session=True,
            )

    def follow(self, progress: Progress) -> None:
        """See `Submitted.follow`."""
        follower = Follower(self.specification.control / EVENTS, progress)
        try:
            while self._process.poll() is None:
                follower.catch_up()
                time.sleep(_PAUSE)
        finally:
            follower.close()
        if self._process.returncode != 0:
            raise error_of(self.specification.control, self._ended(), self.specification.processes)

    def ask_to_stop(self) -> None:
        """See `Submitted.ask_to_stop`."""
        self.specification.stop.touch()

    def end(self) -> None:
        """See `Submitted.end`."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()  # its workers end when it is gone
                self._process.wait()

    def fetch(self) -> Path:
        """See `Submitted.fetch`."""
        return self.specification.folder

    def _ended(self) -> list[Ended]:
        file = self.specification.control / ENDED
        if not file.is_file():
            return []
        told = json.loads(file.read_text(encoding="utf-8"))
        return [Ended(one["rank"], one["code"], Path(one["log"]) if one["log"] else None) for one in told]


def leave_ended(control: Path, ended: list[Ended]) -> None:
    """Write how workers ended, for `Supervised.follow`."""
    told = [{"rank": one.rank, "code": one.code, "log": None if one.log is None else str(one.log)} for one in ended]
    write_text(control / ENDED, json.dumps(told))
