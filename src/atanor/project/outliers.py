"""Training rows that the base finds stranger, or more obvious, than the others: by its own loss on them.

A row is judged by its mean loss a supervised token, in nats, against those of the role's other rows: the modified
z-score of Iglewicz and Hoaglin (1993, How to Detect and Handle Outliers) counts how far it lies from the median in
units of the median absolute deviation, which outliers do not stretch. Beyond 3.5 it is an outlier. Surprising rows are
often wrong, in another language or of another task; rows without surprise were memorised, or teach nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from atanor.compute import device_name
from atanor.data import Example, Speaker, TokenRow
from atanor.inference import score_rows
from atanor.models import load_base, resolve_base
from atanor.project.dataset import Reader, prepare_role
from atanor.project.events import Watcher
from atanor.project.file import LoadedProject
from atanor.train import Precision, train_dtype

OUTLIER = 3.5
"""Modified z-score from which a row is an outlier (Iglewicz and Hoaglin 1993)."""
_OF_MEDIAN_DEVIATION = 0.6745
_OF_MEAN_DEVIATION = 0.7979
"""What a normal distribution's median and mean absolute deviation are, in standard deviations."""


@dataclass(frozen=True)
class JudgedRow:
    """A training row and what the base makes of it.

    Attributes:
        id: of the example.
        source: its file.
        line: its line there, or its parent's.
        technique: what made it, or None for a row of the file.
        prompt: what the model is given, as readable text.
        answer: what it learns to say.
        tokens: tokens that carry loss.
        loss: mean loss of these tokens in nats.
        z: modified z-score; above 0 is more surprising than the median row.
    """

    id: str
    source: str
    line: int
    technique: str | None
    prompt: str
    answer: str
    tokens: int
    loss: float
    z: float

    @property
    def is_outlier(self) -> bool:
        """Whether it lies farther out than rows of one kind do."""
        return abs(self.z) > OUTLIER


@dataclass(frozen=True)
class Outliers:
    """A role's training rows by the base's loss.

    Attributes:
        role: the role.
        base: as the project file names it.
        median: of the rows' losses, in nats a token.
        deviation: median absolute deviation of them.
        rows: every training row, the most surprising first.
    """

    role: str
    base: str
    median: float
    deviation: float
    rows: tuple[JudgedRow, ...]

    @property
    def surprising(self) -> tuple[JudgedRow, ...]:
        """Outliers above the median, the most surprising first."""
        return tuple(row for row in self.rows if row.z > OUTLIER)

    @property
    def obvious(self) -> tuple[JudgedRow, ...]:
        """Outliers below the median, the least surprising first."""
        return tuple(row for row in reversed(self.rows) if row.z < -OUTLIER)


def find_outliers(loaded: LoadedProject, name: str, watcher: Watcher) -> Outliers:
    """Ask the untouched base about every training row of a role, new ones of augmentation included.

    Args:
        loaded: the checked project.
        name: of the role.
        watcher: shown the rows that are scored.

    Raises:
        DataError: the role's data cannot be used.
        BaseModelError: the base is not there or cannot be loaded.
    """
    local = resolve_base(loaded.file.base_of(name), loaded.root, watcher)
    data = prepare_role(loaded.file, name, loaded.root, Reader.of(local), watcher)
    base = load_base(local, dtype=train_dtype(Precision.AUTO), device=device_name())
    rows = [row for row in data.training_rows if row.supervised]
    nats = score_rows(base.model, rows, watcher, name="scoring the training rows")
    losses = np.array(nats) / np.array([row.supervised for row in rows])
    examples = data.training.examples
    judged = [
        _judged(examples[row.example_id], row, loss, z)
        for row, loss, z in zip(rows, losses.tolist(), modified_z_scores(losses).tolist(), strict=True)
    ]
    median = float(np.median(losses))
    return Outliers(
        role=name,
        base=str(local.reference),
        median=median,
        deviation=float(np.median(np.abs(losses - median))),
        rows=tuple(sorted(judged, key=lambda row: (-row.loss, row.source, row.line, row.id))),
    )


def modified_z_scores(values: npt.NDArray[np.float64] | Sequence[float]) -> npt.NDArray[np.float64]:
    """How far each value lies from the median, in robust standard deviations (Iglewicz and Hoaglin 1993).

    Where more than half of the values are equal their median deviation is 0 and the mean one stands in; where all are
    equal every score is 0.

    Args:
        values: (rows,) finite numbers.

    Returns:
        (rows,) scores.
    """
    apart = np.asarray(values, np.float64) - np.median(values)
    deviation = float(np.median(np.abs(apart)))
    unit = deviation / _OF_MEDIAN_DEVIATION if deviation else float(np.mean(np.abs(apart))) / _OF_MEAN_DEVIATION
    scores: npt.NDArray[np.float64] = apart / unit if unit else np.zeros_like(apart)
    return scores


def _judged(example: Example, row: TokenRow, loss: float, z: float) -> JudgedRow:
    prompt = "\n\n".join(turn.content for turn in example.prompt if turn.speaker is not Speaker.SYSTEM)
    return JudgedRow(
        id=example.id,
        source=example.source,
        line=example.line,
        technique=example.technique,
        prompt=prompt,
        answer=example.reference,
        tokens=row.supervised,
        loss=loss,
        z=z,
    )
