"""What augmentation did: for each technique what was asked, made and filtered, and examples to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from atanor.data.augmentation.candidates import Filtered
from atanor.data.augmentation.endpoint import Endpoint, Spent
from atanor.data.augmentation.filters import Made
from atanor.data.bias.report import Difference

SHOWN = 3
"""Before and after of so many new examples are kept for the reader."""


@dataclass(frozen=True)
class TechniqueReport:
    """One technique. `asked` equals `made` and all of `filtered` together.

    Attributes:
        technique: its method.
        asked: new examples asked for.
        made: those that are used.
        filtered: how many candidates were not used, by reason, the most frequent first.
        mean_similarity: mean cosine of the used ones to their originals, or None where there are none.
        examples: up to three pairs of before and after.
        spent: requests and tokens at an endpoint, or None.
        cost: money at the prices of the options; 0 where none are given.
    """

    technique: str
    asked: int
    made: int
    filtered: Mapping[str, int]
    mean_similarity: float | None
    examples: tuple[tuple[str, str], ...]
    spent: Spent | None = None
    cost: float = 0.0


@dataclass(frozen=True)
class AugmentationReport:
    """All techniques, in the order of the options.

    Attributes:
        techniques: one report each.
        embedder: what measured similarity.
        threshold: the least similarity that was let through.
        classes: for each label the rows before and after, the label None left out.
        groups: of people, before and after, where counterfactuals were asked for.
    """

    techniques: tuple[TechniqueReport, ...]
    embedder: str
    threshold: float
    classes: Mapping[str, tuple[int, int]]
    groups: tuple[Difference, ...] = ()

    @property
    def asked(self) -> int:
        """New examples asked for over all techniques."""
        return sum(one.asked for one in self.techniques)

    @property
    def made(self) -> int:
        """New examples over all techniques."""
        return sum(one.made for one in self.techniques)


def technique_report(
    technique: str, made: Sequence[Made], filtered: Sequence[Filtered], endpoint: Endpoint | None
) -> TechniqueReport:
    """The report of one technique from its outcomes."""
    similarities = [one.similarity for one in made if one.similarity is not None]
    # Spread over the run, so that they are not all of one class.
    shown = [made[place * len(made) // SHOWN] for place in range(SHOWN)] if len(made) > SHOWN else made
    return TechniqueReport(
        technique=technique,
        asked=len(made) + len(filtered),
        made=len(made),
        filtered=dict(Counter(str(one.reason) for one in filtered).most_common()),
        mean_similarity=sum(similarities) / len(similarities) if similarities else None,
        examples=tuple(("\n".join(one.candidate.before), "\n".join(one.candidate.after)) for one in shown),
        spent=replace(endpoint.spent) if endpoint else None,
        cost=endpoint.cost if endpoint else 0.0,
    )
