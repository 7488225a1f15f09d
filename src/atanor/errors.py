"""One exception hierarchy: every error says what happened, where, and what to do.

An error carries one or more `Problem` values. A `Problem` names the file, the line, the field and the value that are
wrong, says why, and says how to fix it, so that a face (terminal, page, API) can lay them out without parsing text.
Each class is also the built-in it specialises, so that plain Python code can catch it without knowing Atanor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where it is, and how to mend it.

    Attributes:
        reason: what is wrong, one sentence without a final full stop.
        file: path of the file as the user would type it.
        line: line in that file, counted from 1.
        field: dotted path of the option or column, as `roles.director.split.test` or `messages[2].role`.
        value: the offending value, shortened for reading.
        fix: what to do, one sentence in the imperative.
    """

    reason: str
    file: str | None = None
    line: int | None = None
    field: str | None = None
    value: str | None = None
    fix: str | None = None

    @property
    def place(self) -> str:
        """`file:line` or as much of it as is known."""
        if self.file is None:
            return "" if self.line is None else f"line {self.line}"
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        head = "  ".join(part for part in (self.place, self.field) if part)
        shown = f" (got {self.value})" if self.value is not None else ""
        text = f"{head}: {self.reason}{shown}" if head else f"{self.reason}{shown}"
        return f"{text}. {self.fix}" if self.fix else text


class AtanorError(Exception):
    """Base of everything Atanor raises on purpose. `exit_code` is what the command line returns."""

    exit_code = 2

    def __init__(self, summary: str, problems: Iterable[Problem] = ()) -> None:
        self.summary = summary
        self.problems = tuple(problems)
        super().__init__("\n".join([summary, *(f"  {problem}" for problem in self.problems)]))


class ConfigurationError(AtanorError, ValueError):
    """The project file or an option is wrong, or options contradict each other."""


class DataError(AtanorError, ValueError):
    """Rows cannot be read, are refused, or cannot be split or rendered."""


class BaseModelError(AtanorError, LookupError):
    """A base model, its tokenizer or its chat template cannot be found, loaded or used."""


class MissingExtraError(AtanorError, ImportError):
    """An optional dependency is needed; the fix says what to install."""


class StoreError(AtanorError, OSError):
    """Something could not be written or read: disk full, no permission, damaged file."""


class NotFoundError(AtanorError, KeyError):
    """A run, candidate or role of that name does not exist."""

    def __str__(self) -> str:
        # KeyError would print the repr of its argument.
        return str(self.args[0])


class TrainingError(AtanorError, RuntimeError):
    """Training cannot go on: a loss that is not finite, nothing to learn from, a damaged state."""


class MetricError(AtanorError, RuntimeError):
    """A metric failed on an item: the problem names the item and what the metric did."""


def shorten(value: object, limit: int = 60) -> str:
    """A value for an error message: its repr, cut in the middle of nowhere but never longer than `limit`."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
