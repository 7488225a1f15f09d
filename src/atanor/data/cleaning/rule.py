"""What a cleaning rule is: a name, a trace to look for in a whole batch, and a function for the texts that have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Treatment(StrEnum):
    """What is done with a text that a rule would write anew."""

    REWRITE = "rewrite"
    REPORT = "report"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Rule:
    """One rule of cleaning.

    Attributes:
        name: dotted name, as `clean.encoding`.
        trace: pattern in the syntax of RE2 that every text the rule would change matches; a text without it is not
            looked at. It may match more, at the price of time.
        rewrite: the text as it should be; a pure function. Equal to its argument where nothing is wrong.
        treatment: whether the text is written anew, reported or refused.
        reason: what is wrong, for findings; one sentence without a full stop.
        fix: what a person should do, for findings.
    """

    name: str
    trace: str
    rewrite: Callable[[str], str]
    treatment: Treatment = Treatment.REWRITE
    reason: str = ""
    fix: str = ""
