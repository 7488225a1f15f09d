"""A run in this very process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atanor.errors import ConfigurationError, Problem
from atanor.launch.specification import Specification
from atanor.progress import Progress
from atanor.train.group import Group


class Here:
    """Executes runs of one process in this one."""

    def submit(self, specification: Specification) -> RunningHere:
        """See `Launcher.submit`."""
        if specification.processes != 1:
            problem = Problem(
                "this process is one", field="launch.processes", value=str(specification.processes), fix="Write 1"
            )
            raise ConfigurationError("several processes need something that starts them", [problem])
        return RunningHere(specification)


@dataclass(frozen=True)
class RunningHere:
    """A run that executes while it is followed."""

    specification: Specification

    def follow(self, progress: Progress) -> None:
        """See `Submitted.follow`."""
        group = Group(stop_requested=self.specification.stop.exists)
        self.specification.function()(self.specification.folder, group, progress)

    def ask_to_stop(self) -> None:
        """See `Submitted.ask_to_stop`."""
        self.specification.stop.touch()

    def end(self) -> None:
        """See `Submitted.end`: it has ended when nobody follows it."""

    def fetch(self) -> Path:
        """See `Submitted.fetch`."""
        return self.specification.folder
