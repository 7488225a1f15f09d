"""What is known of test items that stand in the training rows: each of them, what was looked at, what it changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from atanor.evaluate.items import Comparison, GateResult, Verdict

COVERED = 0.8
"""Share of an item's words that runs in common with training rows must cover for it to count as learned: what Llama 2
calls "dirty" (Touvron et al. 2023, section A.6). Less is a quotation."""
ALIKE = 0.8
"""Similarity from which a near-duplicate counts as learned. Rows are nearly the same from 0.7 on, and an estimate from
128 permutations has a standard error of 0.04: what lies between is shown, and may be two rows of one short template."""


class LeakKind(StrEnum):
    """How a test item stands in the training rows, the strongest first."""

    EXACT = "exact"
    """A row is the item, but for case, punctuation and white space."""
    FAMILY = "same family"
    """Augmentation made a row from the item, or both from one row."""
    NEAR = "near-duplicate"
    """A row is nearly the item."""
    NGRAM = "run of words"
    """A row has runs of words in common with the item."""


class Leak(BaseModel):
    """One test item that stands in the training rows.

    Attributes:
        item: id of the item.
        test: where it stands, as `test.jsonl:12`.
        kind: how, the strongest way.
        dataset: which rows: the run's own data, or what a candidate before it was trained on.
        train: place of the training row there.
        train_text: beginning of that row.
        share: of the item's words that runs in common cover, 0 to 1.
        similarity: to the row, where it is nearly the same; else None.
        run: the first run of words in common, or None.
    """

    model_config = ConfigDict(frozen=True)

    item: str
    test: str
    kind: LeakKind
    dataset: str
    train: str
    train_text: str
    share: float = 0.0
    similarity: float | None = None
    run: str | None = None

    @property
    def learned(self) -> bool:
        """The item was learned, and not only quoted."""
        if self.kind is LeakKind.NGRAM:
            return self.share >= COVERED
        return self.kind is not LeakKind.NEAR or (self.similarity or 0.0) >= ALIKE or self.share >= COVERED

    @property
    def in_words(self) -> str:
        """How, for reading."""
        if self.kind is LeakKind.NGRAM:
            return f"runs of words in common cover {self.share:.0%} of it"
        if self.kind is LeakKind.NEAR and self.similarity is not None:
            return f"{self.kind}, similarity {self.similarity:.2f}"
        return str(self.kind)


class ContaminationSection(BaseModel):
    """What was looked for in which rows, what was found, and what it would change.

    Attributes:
        policy: `exclude` or `keep`, what becomes of learned items.
        items: test items looked for.
        looked_at: the versions of the data that were searched, with their number of rows.
        unknown: why it is not known what a candidate before this one learned, in sentences.
        leaks: the items found, in their order.
        otherwise: the comparisons as the other policy would have them; empty where nothing was learned.
        verdict_otherwise: the verdict they come to.
    """

    model_config = ConfigDict(frozen=True)

    policy: str
    items: int
    looked_at: list[str]
    unknown: list[str] = []
    leaks: list[Leak] = []
    otherwise: list[Comparison] = []
    verdict_otherwise: Verdict | None = None

    @property
    def learned(self) -> frozenset[str]:
        """Ids of the items that were learned."""
        return frozenset(leak.item for leak in self.leaks if leak.learned)

    @property
    def excluded(self) -> frozenset[str]:
        """Those that the policy leaves out of the verdict."""
        return self.learned if self.policy == "exclude" else frozenset()

    def about(self, items: Collection[str]) -> ContaminationSection:
        """The same of some of the items, by their ids."""
        return self.model_copy(
            update={"items": len(items), "leaks": [leak for leak in self.leaks if leak.item in items]}
        )


def clean_data(text: str, section: ContaminationSection) -> GateResult:
    """The gate `clean data`: no test item was learned, by this candidate or by one it came from.

    Args:
        text: the gate as the project has it.
        section: what was found.
    """
    learned = len(section.learned)
    if learned:
        return GateResult(text, False, f"{learned} of {section.items} test items stand in the training rows")
    if section.unknown:
        return GateResult(text, False, section.unknown[0], undecided=True)
    return GateResult(text, True, f"none of {section.items} test items stands in {' or '.join(section.looked_at)}")


def both_numbers(section: ContaminationSection, counted: Sequence[Comparison]) -> str:
    """What learned items did to the verdict, in one sentence for the headline; empty where there are none.

    Args:
        section: what was found, with the comparisons as the other policy has them.
        counted: the comparisons the verdict is made on.
    """
    learned = len(section.learned)
    if not learned:
        return ""
    how = "do not count" if section.policy == "exclude" else "count, as the project asks"
    changes = {one.metric: one.change for one in section.otherwise}
    moved = [
        f"{one.label} {_signed(changes[one.metric])} in place of {_signed(one.change)}"
        for one in counted
        if one.metric in changes and changes[one.metric] != one.change
    ]
    other = "with" if section.policy == "exclude" else "without"
    shown = f": {'; '.join(moved)}" if moved else ""
    return (
        f" {learned} of {section.items} test items stand in the training rows and {how}; {other} them the verdict is "
        f"`{section.verdict_otherwise}`{shown}."
    )


def _signed(number: float) -> str:
    return f"{number:+.3g}".replace("-", "−")
