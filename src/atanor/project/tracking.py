"""A run as trackers are told of it: what it is, its losses while it trains, and its verdict with its files.

The run's own `history.jsonl` is written from the same figures, whether or not the project names a tracker.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from atanor.errors import AtanorError
from atanor.evaluate.report import Report
from atanor.progress import Progress
from atanor.project.file import LoadedProject
from atanor.project.secrecy import Secrets
from atanor.store import RunRecord, Store
from atanor.store.files import remove, write_text
from atanor.tracking import Conclusion, Courier, HistoryFile, RunFacts, open_trackers
from atanor.tracking.history import points_of, read_history
from atanor.tracking.records import End
from atanor.train import Interrupted

MISSED = "untold"
"""A file of a run whose trackers were away at its end; `atanor run` tells them when it finds the run again."""
FILES = ("report.html", "report.json", "project.yaml", "candidate.json")


class RunTracking:
    """Tells every tracker of a project about one run.

    Args:
        loaded: the project.
        folder: of the run.
        facts: what the run is.
        progress: told when a tracker is away.
    """

    def __init__(self, loaded: LoadedProject, folder: Path, facts: RunFacts, progress: Progress) -> None:
        self._folder = folder
        self._secrets = Secrets.of(loaded.text)
        self._told = 0
        parameters = {key: self._secrets.masked(value) for key, value in facts.parameters.items()}
        facts = RunFacts(facts.project, facts.role, facts.method, facts.run, facts.key, parameters, facts.tags)
        chosen = {choice.name: choice.options for choice in loaded.file.track}
        trackers = open_trackers(chosen, loaded.root, facts.project, facts.role) if _first_process() else []
        self.history = HistoryFile(folder) if _first_process() else None
        if trackers:  # a kill at any instant leaves this, and the next `atanor run` tells what is missing
            write_text(folder / MISSED, "everything\n")
        self._couriers = [Courier(tracker, facts, progress) for tracker in trackers]

    def follow(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Tell what is new in a training's history."""
        points = list(points_of(history, self._told))
        self._told = len(history)
        if self.history is not None:
            self.history.add(points)
        for courier in self._couriers:
            courier.add(points)

    def again(self) -> None:
        """Tell the whole history of a run that is finished."""
        for courier in self._couriers:
            courier.add(read_history(self._folder))

    def conclude(self, report: Report) -> None:
        """Tell the verdict, with the run's files freed of secrets."""
        if not self._couriers:
            return
        with tempfile.TemporaryDirectory() as scratch:
            files = []
            for name in FILES:
                if (self._folder / name).is_file():
                    files.append(Path(scratch) / name)
                    text = (self._folder / name).read_text(encoding="utf-8")
                    files[-1].write_text(self._secrets.masked(text), encoding="utf-8")
            missed = self._close(conclusion_of(report, self._folder, files))
        if missed:
            write_text(self._folder / MISSED, f"{missed}\n")
        else:
            remove(self._folder / MISSED)

    def leave(self, end: End) -> None:
        """Tell that the process ends without a verdict."""
        self._close(end)

    def _close(self, last: Conclusion | End) -> int:
        return sum(courier.close(last) for courier in self._couriers)


@contextmanager
def tracked(
    loaded: LoadedProject, store: Store, run: RunRecord, parameters: Mapping[str, str], progress: Progress
) -> Iterator[RunTracking]:
    """Tell the trackers about a run as long as this context lasts; it ends with a verdict or is left.

    Raises:
        MissingExtraError: a tracker's library is not installed.
    """
    project = loaded.file.project
    facts = RunFacts(project, run.role, run.method, run.id, run.key, parameters, {"atanor.project": project})
    tracking = RunTracking(loaded, store.run_folder(run), facts, progress)
    try:
        yield tracking
    except (Interrupted, KeyboardInterrupt):
        tracking.leave(End.INTERRUPTED)
        raise
    except AtanorError:
        tracking.leave(End.FAILED)
        raise


def was_untold(folder: Path) -> bool:
    """Whether the trackers of a finished run were away at its end."""
    return (folder / MISSED).is_file()


def flat(options: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested options as text by dotted names; what is not set is `none`."""
    told: dict[str, str] = {}
    for key, value in options.items():
        name = f"{before}.{key}" if before else key
        if isinstance(value, Mapping) and value:
            told |= flat(value, name)
        else:
            told[name] = "none" if value is None else str(value)
    return told


def conclusion_of(report: Report, folder: Path, files: Sequence[Path]) -> Conclusion:
    """A report's verdict as figures, text and tags."""
    metrics: dict[str, float] = {}
    lines = ["| metric | base | candidate | change | interval | verdict |", "|---|---|---|---|---|---|"]
    for one in report.comparisons:
        figures = {
            "baseline": one.baseline,
            "candidate": one.candidate,
            "change": one.change,
            "change_low": one.low,
            "change_high": one.high,
        }
        metrics |= {f"verdict/{one.metric}/{name}": float(value) for name, value in figures.items()}
        lines.append(
            f"| {one.metric} | {one.baseline:.4g} | {one.candidate:.4g} | {one.change:+.4g} | "
            f"[{one.low:+.4g}, {one.high:+.4g}] | {one.verdict} |"
        )
    network = next((folder / name for name in ("adapter", "model") if (folder / name).is_dir()), None)
    return Conclusion(
        step=0 if report.training is None else report.training.steps,
        metrics={name: value for name, value in metrics.items() if math.isfinite(value)},
        text="\n".join([f"**{report.verdict}** {report.headline}", "", *lines]),
        tags={
            "atanor.verdict": str(report.verdict),
            "atanor.candidate": report.candidate,
            "atanor.base": report.base,
            "atanor.base_sha": report.base_sha,
            "atanor.released": report.released or "no",
        },
        files=files,
        network=network,
        alias="released" if report.released else None,
    )


def _first_process() -> bool:
    """Of the processes that train together, one speaks."""
    return os.environ.get("RANK", "0") == "0"
