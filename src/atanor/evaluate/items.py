"""What crosses the evaluate room: a test item, what a candidate made of it, a comparison, a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Item:
    """One held-out item, as a metric sees it.

    Attributes:
        id: the example's content id.
        cluster: items of one cluster (conversation, scene, document) are resampled together; default the item itself.
        prompt: what the model was given, as readable text.
        reference: what it should have answered.
        fields: the row as it stood in the file.
        also_right: other answers that are as good as the reference.
    """

    id: str
    cluster: str
    prompt: str
    reference: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    also_right: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """Every answer that is right, the reference first."""
        return (self.reference, *self.also_right)


@dataclass(frozen=True)
class Outcome:
    """What one candidate made of one item.

    Attributes:
        answer: the generated text; None when no metric asked for generation.
        finished: the answer ended by itself, before the limit of new tokens.
        nll: negative log-likelihood of the reference in nats, summed over its tokens.
        tokens: number of reference tokens the sum runs over.
        bytes: UTF-8 bytes of the reference.
        rejected_nll: the same as `nll` of the worse answer; None where there is none, or no metric compares answers.
        rejected_tokens: number of its tokens.
        confidence: the candidate's own probability of its answer, where it chose among some; None where it wrote.
        seconds: what making the answer took of the machine it was made on; None where nothing was made.
        prompt_tokens: tokens that were read for the answer; None where they are not known.
        answer_tokens: tokens that were written, the end included; None where they are not known.
        written: tokens of the answer, where a probe compares them.
        choice_nlls: the same as `nll` of every choice, where a probe has choices.
        variants: what the candidate made of other forms of the item (a sentence about another group, another secret).
    """

    answer: str | None
    finished: bool
    nll: float
    tokens: int
    bytes: int
    rejected_nll: float | None = None
    rejected_tokens: int = 0
    confidence: float | None = None
    seconds: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    written: tuple[int, ...] = ()
    choice_nlls: tuple[float, ...] = ()
    variants: tuple[Outcome, ...] = ()


class Verdict(StrEnum):
    """The four honest answers to "is it better than the baseline?"."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"
    CANNOT_TELL = "cannot tell"


class OnError(StrEnum):
    """What happens to an item that a metric cannot mark."""

    STOP = "stop"
    """Nothing is compared: the error names the items."""
    EXCLUDE = "exclude"
    """The item counts for neither candidate."""
    WORST = "worst"
    """The candidate whose answer it is gets the worst score there is."""


@dataclass(frozen=True)
class Unmarked:
    """An item that a metric could not mark: which, whose answer (`base` or `candidate`), and why."""

    item: str
    whose: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Candidate against baseline on one metric and the same items.

    `change` is candidate minus baseline in the metric's own unit; `low` and `high` bound it with 95 % confidence.
    `margin` is the smallest change of interest in that unit.

    Attributes:
        metric: the metric's name as written in the project (`json_schema`, `rouge_l`).
        label: the metric's name for reading (`schema-valid JSON`).
        higher_is_better: direction of the metric.
        yes_no: the metric is a yes or no an item; `p_value` is then McNemar's exact test, else the bootstrap's.
        items: number of items compared.
        clusters: number of independent clusters among them.
        baseline_scores: one score an item for reading and plotting, in item order (None where it has none).
        candidate_scores: the same for the candidate.
        p_ranks: Wilcoxon's signed-rank p-value of no change; None of a yes/no metric and where nothing changed.
        p_equivalent: of a change as large as the margin, either way: small where there is surely no such change.
        p_not_worse: of the candidate being worse by the margin: small where it surely is not.
        target: the metric is about what the role should do; else it is a cost, which makes no candidate better.
        unmarked: items that could not be marked, for either candidate; each is told.
        on_error: what happened to them.
        about: what has to be known to believe the figure, in sentences: a judge's agreement with people.
    """

    metric: str
    label: str
    higher_is_better: bool
    yes_no: bool
    items: int
    clusters: int
    baseline: float
    candidate: float
    change: float
    low: float
    high: float
    p_value: float
    margin: float
    verdict: Verdict
    baseline_scores: tuple[float | None, ...] = ()
    candidate_scores: tuple[float | None, ...] = ()
    p_ranks: float | None = None
    p_equivalent: float | None = None
    p_not_worse: float | None = None
    target: bool = True
    unmarked: tuple[Unmarked, ...] = ()
    on_error: OnError = OnError.STOP
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class GateResult:
    """One gate of the project and whether the candidate passes it.

    Attributes:
        gate: as the project has it.
        passed: it is reached.
        reason: in one sentence.
        undecided: it is not passed and not failed either: the interval holds both, and more test items could tell.
    """

    gate: str
    passed: bool
    reason: str
    undecided: bool = False
