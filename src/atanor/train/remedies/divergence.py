"""A penalty on how far the tuned model's predictions are from the base's."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from atanor.compute import Engine, Matching, Teacher
from atanor.data.rows import TokenRow
from atanor.models import Tuned
from atanor.progress import Progress
from atanor.train.remedies.options import KlRows


class KlToBase:
    """weight x mean over supervised places of KL(base || tuned), over the whole vocabulary, in nats.

    The base is the same network with what trains taken off, so no second one is in memory. What a step's rows have in
    common is computed once for it, as it is for the tuned model. (Li and Hoiem 2016, "Learning without forgetting",
    arXiv:1606.09282, hold old outputs in this way.)

    Args:
        tuned: what trains.
        weight: of the penalty.
        rows: at which of a step's rows.
        general: ids of the rows that are replayed.
    """

    name = "kl_to_base"

    def __init__(self, tuned: Tuned, weight: float, rows: KlRows, general: Collection[str]) -> None:
        self._tuned = tuned
        self._how = Matching(divergence_weight=weight)
        self._rows = rows
        self._general = general
        self._base: Teacher | None = None

    def begin(self, engine: Engine, progress: Progress) -> None:
        """See `Regulariser.begin`."""
        del progress
        self._base = Teacher(engine, self._tuned.untouched)

    def backward(self, engine: Engine, rows: Sequence[TokenRow]) -> float:
        """See `Regulariser.backward`."""
        chosen = [row for row in rows if row.supervised and self._counts(row)]
        if not chosen:
            return 0.0
        assert self._base is not None
        return engine.backward_matching(chosen, self._base(chosen), self._how)

    def _counts(self, row: TokenRow) -> bool:
        return self._rows is KlRows.ALL or (row.example_id in self._general) is (self._rows is KlRows.GENERAL)
