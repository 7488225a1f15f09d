"""A bad row as a `Problem` while it is found, as a `Refusal` once it is known where the row stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from atanor.data.rows import Refusal
from atanor.errors import AtanorError, DataError, Problem, shorten

MOST_LISTED = 10
"""Problems an error lists before it says how many more there are."""


def row_error(reason: str, *, fix: str, field: str | None = None, value: Any = None) -> DataError:
    """The error for a row that cannot be used; whoever reads the file adds file and line.

    Args:
        reason: what is wrong, one sentence without a full stop.
        fix: what to do, in the imperative.
        field: column or path inside it, as `messages[2].role`.
        value: the offending value; shortened here. None: nothing to show.
    """
    shown = None if value is None else shorten(value)
    return DataError("a row cannot be used", [Problem(reason, field=field, value=shown, fix=fix)])


def refusal_of(error: AtanorError, source: str, line: int, raw: str) -> Refusal:
    """The refusal of the row at `source:line` for the first problem of `error`; `raw` is the row's own text."""
    problem = error.problems[0] if error.problems else Problem(error.summary)
    return Refusal(
        source=source,
        line=line,
        reason=problem.reason,
        fix=problem.fix or "Mend or remove the row",
        field=problem.field,
        value=problem.value,
        raw=raw,
    )


def problem_of(refusal: Refusal) -> Problem:
    """The same refusal as errors and faces show it."""
    return Problem(
        refusal.reason,
        file=refusal.source,
        line=refusal.line,
        field=refusal.field,
        value=refusal.value,
        fix=refusal.fix,
    )


def listed(refusals: Iterable[Refusal]) -> tuple[Problem, ...]:
    """At most ten problems, then one that counts the rest: what an error can show of many refusals."""
    every = [problem_of(refusal) for refusal in refusals]
    more = len(every) - MOST_LISTED
    return (*every[:MOST_LISTED], *([Problem(f"and {more} more")] if more > 0 else []))
