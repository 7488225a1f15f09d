"""Verdicts and outcomes of single items as words with a sign, so that colour is never the only sign."""

from __future__ import annotations

import math
from enum import StrEnum

from atanor.evaluate.items import Comparison, GateResult, Verdict
from atanor.page.markup import Markup, tag

SIGNS = {Verdict.BETTER: "▲", Verdict.WORSE: "▼", Verdict.NO_DIFFERENCE: "=", Verdict.CANNOT_TELL: "?"}
STYLES = {
    Verdict.BETTER: "better",
    Verdict.WORSE: "worse",
    Verdict.NO_DIFFERENCE: "same",
    Verdict.CANNOT_TELL: "unsure",
}


class ItemOutcome(StrEnum):
    """What the candidate did to one item, by one metric."""

    WIN = "win"
    LOSS = "loss"
    TIE = "tie"
    UNSCORED = "unscored"


ITEM_SIGNS = {ItemOutcome.WIN: "▲", ItemOutcome.LOSS: "▼", ItemOutcome.TIE: "=", ItemOutcome.UNSCORED: "·"}
ITEM_STYLES = {
    ItemOutcome.WIN: "better",
    ItemOutcome.LOSS: "worse",
    ItemOutcome.TIE: "same",
    ItemOutcome.UNSCORED: "same",
}


def verdict_mark(verdict: Verdict) -> Markup:
    """A verdict with its sign."""
    return tag("span", _sign(SIGNS[verdict]), f" {verdict}", class_=f"mark {STYLES[verdict]}")


def outcome_mark(outcome: ItemOutcome) -> Markup:
    """An item's outcome as a sign; the word is there for who cannot see it."""
    return tag(
        "span",
        _sign(ITEM_SIGNS[outcome]),
        tag("span", outcome, class_="unseen"),
        class_=f"mark {ITEM_STYLES[outcome]}",
    )


def pass_mark(gate: GateResult) -> Markup:
    """Whether a gate passes, with its sign."""
    sign, word, style = (
        ("✓", "pass", "better")
        if gate.passed
        else ("?", "cannot tell", STYLES[Verdict.CANNOT_TELL])
        if gate.undecided
        else ("✗", "fail", "worse")
    )
    return tag("span", _sign(sign), f" {word}", class_=f"mark {style}")


def gain(before: float | None, after: float | None, found: Comparison) -> float:
    """How much better the candidate did on one item, whatever the metric's direction; nan without both scores."""
    if before is None or after is None or math.isnan(before) or math.isnan(after):
        return math.nan
    if before == after:
        return 0.0  # also two infinite scores, whose difference would be nan
    return after - before if found.higher_is_better else before - after


def outcome_of(value: float) -> ItemOutcome:
    """The outcome a gain stands for; sums of doubles may differ in their last digits and are a tie."""
    if math.isnan(value):
        return ItemOutcome.UNSCORED
    if abs(value) < 1e-9:
        return ItemOutcome.TIE
    return ItemOutcome.WIN if value > 0 else ItemOutcome.LOSS


def _sign(character: str) -> Markup:
    return tag("span", character, class_="sign", aria_hidden="true")
