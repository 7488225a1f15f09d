"""Rows of one prompt become one example with several references, as data-to-text sets are scored (E2E)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from atanor.data.formats.tally import Tally
from atanor.data.rows import Example, Message, Refusal


@dataclass
class _Gathered:
    """The first example of a prompt and the answers of the others."""

    first: Example
    answers: list[str] = field(default_factory=list)


def gathered(outcomes: Iterable[Example | Refusal], tally: Tally) -> Iterator[Example | Refusal]:
    """The refusals, then one example a prompt: the first row's, with the other rows' answers as references.

    Args:
        outcomes: examples, each with an answer, and refusals.
        tally: rows whose answer joined another's example are counted as `joined`.
    """
    by_prompt: dict[tuple[tuple[Message, ...], str | None], _Gathered] = {}
    for outcome in outcomes:
        if isinstance(outcome, Refusal):
            yield outcome
            continue
        found = by_prompt.setdefault((outcome.prompt, outcome.group), _Gathered(outcome))
        if found.first is not outcome:
            tally.joined += 1
            found.answers.append(outcome.reference)
        found.answers.extend(outcome.references)
    for one in by_prompt.values():
        yield replace(one.first, references=tuple(one.answers)) if one.answers else one.first
