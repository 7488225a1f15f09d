"""What is shown of runs that are made to be compared: their long work, and one line when each is done."""

from __future__ import annotations

from atanor.cli import figures
from atanor.cli.live import TerminalProgress
from atanor.project.events import Event, RunJudged, RunPlanned


class TrialWatcher(TerminalProgress):
    """Shows progress, and of the stages only that a run was found or done; the comparison comes at the end."""

    def show(self, event: Event) -> None:
        match event:
            case RunPlanned(finished_before=True):
                self.say(f"run       {event.run} was finished before")
            case RunPlanned():
                self.say(f"run       {event.run}: {event.plan}")
            case RunJudged():
                first = event.report.comparisons[0]
                self.say(f"          {first.label} {figures.score(first.candidate)}")
