"""TensorBoard: event files in one folder a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from atanor.tracking.records import Conclusion, End, Point, RunFacts, Unreachable

_FLUSH_SECONDS = 5


class TensorboardFiles:
    """A `Tracker` that writes event files.

    Args:
        directory: of all runs; a run has `ROLE/METHOD/RUN` in it.
    """

    name = "tensorboard"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._writer: SummaryWriter | None = None
        self._parameters: Mapping[str, str] = {}
        self._known: dict[str, int] = {}

    def begin(self, facts: RunFacts) -> Mapping[str, int]:
        """See `Tracker.begin`."""
        folder = self._directory / facts.role / facts.method / facts.run
        self._parameters = facts.parameters
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._known = _last_steps(folder)
            self._writer = SummaryWriter(str(folder), flush_secs=_FLUSH_SECONDS)
        except OSError as error:
            raise Unreachable(str(error)) from error
        return self._known

    def add(self, points: Sequence[Point]) -> None:
        """See `Tracker.add`."""
        writer = self._open
        try:
            for point in points:
                for name, value in point.values.items():
                    writer.add_scalar(name, value, point.step, walltime=point.at)
            writer.flush()
        except OSError as error:
            raise Unreachable(str(error)) from error

    def conclude(self, conclusion: Conclusion) -> None:
        """See `Tracker.conclude`: the verdict's figures as scalars and as metrics of the page of parameters."""
        writer = self._open
        try:
            new = {name: value for name, value in conclusion.metrics.items() if name not in self._known}
            if new:
                for name, value in new.items():
                    writer.add_scalar(name, value, conclusion.step)
                writer.add_text("verdict", conclusion.text, conclusion.step)
                page = hparams(dict(self._parameters), dict(conclusion.metrics))  # type: ignore[no-untyped-call]
                for summary in page:
                    writer._get_file_writer().add_summary(summary)  # type: ignore[no-untyped-call]
            writer.close()
        except OSError as error:
            raise Unreachable(str(error)) from error

    def leave(self, end: End) -> None:
        """See `Tracker.leave`."""
        del end
        self._open.close()

    @property
    def _open(self) -> SummaryWriter:
        assert self._writer is not None, "`begin` comes first"
        return self._writer


def _last_steps(folder: Path) -> dict[str, int]:
    """The last step of every scalar that is on the disk; a record cut off by a kill is passed over."""
    read = EventAccumulator(str(folder), size_guidance={SCALARS: 0})
    read.Reload()
    return {tag: max(event.step for event in read.Scalars(tag)) for tag in read.Tags()["scalars"]}
