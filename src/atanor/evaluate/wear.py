"""How much a test split is worn: every candidate judged on it makes it likelier that one looks better by chance."""

from __future__ import annotations

from collections.abc import Sequence

from atanor.evaluate.comparison import GUARD
from atanor.evaluate.items import Comparison, Verdict


def chance_of_false_better(looks: int, confidence: float) -> float:
    """Most that candidates equal to the base can reach by chance: one of so many looks better.

    A single one does with half of 1 - confidence, because half of what is falsely found is `worse`.
    """
    return float(1 - (1 - (1 - confidence) / 2) ** looks)


def corrected_threshold(looks: int, confidence: float) -> float:
    """The p-value below which a finding stands whatever the number of looks (Bonferroni)."""
    return (1 - confidence) / looks


def worn(looks: int, comparisons: Sequence[Comparison], confidence: float) -> str | None:
    """What a reader has to know of a split that was looked at often; None while chance stays within 1 - confidence.

    Args:
        looks: candidates judged on the split so far, this one included.
        comparisons: of this candidate with the base.
        confidence: of the intervals.
    """
    chance = chance_of_false_better(looks, confidence)
    if chance <= 1 - confidence:
        return None
    threshold = corrected_threshold(looks, confidence)
    better = [one for one in comparisons if one.verdict is Verdict.BETTER and one.target and one.metric != GUARD]
    lost = [one.label for one in better if one.p_value >= threshold]
    said = (
        f"This test split has judged {looks} candidates. Of so many without any gain one would look better by chance "
        f"in up to {chance:.0%} of cases, so a p-value below {threshold:.2g} is asked for"
    )
    if not better:
        return f"{said}."
    if lost:
        return f"{said}; {', '.join(lost)} does not reach it. Hold out new items before you trust it."
    return f"{said}; what is better here reaches it."
