"""Whether a role's data has what its objectives and metrics compare: told before a base is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from atanor.data import Example, PreferencePair, Side
from atanor.errors import DataError, Problem
from atanor.evaluate.metrics import PREFERENCE_METRICS
from atanor.project.options import RoleOptions
from atanor.train.objectives.declaring import LearnsFrom

_LEARNED = (Side.TRAIN, Side.VALIDATION)
_PAIRS = "Name the columns of both answers: `chosen:` and `rejected:`"
_COMPLETION = "or train by `objective: completion`"


@dataclass(frozen=True)
class _Lack:
    """Something that one side of the split does not have."""

    side: Side
    summary: str
    reason: str
    fix: str


def require_compared(
    role: RoleOptions, sides: Mapping[Side, Sequence[Example]], pairs: Mapping[Side, Sequence[PreferencePair]]
) -> None:
    """Stop where nothing is there to learn from, to choose the best checkpoint by, or to measure.

    Args:
        role: whose objectives and metrics ask.
        sides: the examples of each side of the split.
        pairs: the examples of each side that have a worse answer too, rendered.

    Raises:
        DataError: names the first row of the side that lacks it.
    """
    for lack in _lacks(role, sides, pairs):
        first = next(iter(sides[lack.side]))
        raise DataError(lack.summary, [Problem(lack.reason, first.source, first.line, "data", fix=lack.fix)])


def _lacks(
    role: RoleOptions, sides: Mapping[Side, Sequence[Example]], pairs: Mapping[Side, Sequence[PreferencePair]]
) -> Iterator[_Lack]:
    for objective in role.objectives:
        for side in _LEARNED:
            if objective.learns_from is LearnsFrom.PAIRS and not pairs[side]:
                summary = f"the objective `{objective.name}` learns from better and worse answers"
                yield _Lack(side, summary, f"no {side} row has a worse answer", f"{_PAIRS}, {_COMPLETION}")
            judged = any(example.desirable is not None for example in sides[side])
            if objective.learns_from is LearnsFrom.JUDGEMENTS and not pairs[side] and not judged:
                summary = f"the objective `{objective.name}` learns from judged answers"
                fix = f"Name the column that judges: `desirable:`, {_COMPLETION}"
                yield _Lack(side, summary, f"no {side} row has a judgement or a worse answer", fix)
    measured = next((metric.name for metric in role.metrics_in_force if metric.name in PREFERENCE_METRICS), None)
    if measured is not None and not pairs[Side.TEST]:
        summary = f"the metric `{measured}` compares better and worse answers"
        yield _Lack(Side.TEST, summary, f"no {Side.TEST} row has a worse answer", f"{_PAIRS}, or name other `metrics`")
