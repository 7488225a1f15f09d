"""What looking at texts finds: places, the rule that found them, and what is done about each rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What happens where a rule finds something. Whatever it is, it is counted and kept."""

    OFF = "off"
    """The rule is not asked."""
    REPORT = "report"
    """The row stays as it is, and the report tells."""
    MASK = "mask"
    """The place is written over, as `[email]`; the row counts as changed."""
    REFUSE = "refuse"
    """The row is not used and goes into quarantine."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of one text that a rule found.

    Attributes:
        text: index of the text in the batch that was looked at.
        rule: dotted name of what found it, as `personal_data.email`; its first part is the option that governs it.
        start: first character of the place; the whole text where the rule is about all of it.
        end: the character after its last one.
        shown: what was found, safe to print: secrets and card numbers are shortened.
        reason: what is wrong, one sentence without a full stop.
        fix: what a person should do, in the imperative.
        mask: what is written over the place when the action is `mask`; None: the rule cannot mask.
    """

    text: int
    rule: str
    start: int
    end: int
    shown: str
    reason: str
    fix: str
    mask: str | None = None


@dataclass(frozen=True, slots=True)
class TextChange:
    """One text of a batch that a rule has written anew.

    Attributes:
        text: index of the text in the batch.
        rule: dotted name of the rule, as `clean.encoding`.
        before: the text around the first change, as it was, shortened to at most 80 characters.
        after: the same place as it is now.
    """

    text: int
    rule: str
    before: str
    after: str
