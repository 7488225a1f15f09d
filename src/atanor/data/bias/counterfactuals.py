"""Training rows to more training rows in which groups are exchanged, with the bias of both counted side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import pyarrow as pa

from atanor.data.bias.counting import BiasCounter
from atanor.data.bias.options import BiasOptions, CounterfactualOptions, Dimension, Language
from atanor.data.bias.outcome import FIXES, NotSwapped, Swapped, Why
from atanor.data.bias.report import BiasReport, Difference, differences, imbalance
from atanor.data.bias.swapping import swap_groups
from atanor.data.rows import Example, Refusal
from atanor.data.words.languages import Identify, language_of
from atanor.progress import Progress, Silent

_BATCH = 512
"""Examples whose texts are counted together, and between two movements of the bar."""


@dataclass(frozen=True, slots=True)
class Unswapped:
    """An example that got no counterfactual in a dimension.

    Attributes:
        parent: id of the example.
        dimension: what was to be exchanged.
        why: the reason.
        detail: the word or phrase it lies in; empty where the reason says all.
        source: file of the example.
        line: line of the example.
    """

    parent: str
    dimension: Dimension
    why: Why
    detail: str
    source: str
    line: int

    @property
    def refusal(self) -> Refusal:
        """The same as the quarantine writes it."""
        return Refusal(
            source=self.source,
            line=self.line,
            reason=f"the row has no counterfactual of {self.dimension}: {self.why}",
            fix=FIXES.get(self.why, "Nothing to do: the original is kept"),
            field="counterfactuals",
            value=self.detail or None,
        )


@dataclass(frozen=True)
class Counterfactuals:
    """What counterfactual augmentation made.

    Attributes:
        examples: the new examples, by dimension in the order of the options, then in the order of their parents.
        unswapped: every example and dimension that gave none, with its reason; both together are all that were asked.
        reasons: how many were not swapped, by dimension and reason, the most frequent first.
        before: the bias of the given examples.
        after: the bias of the given and the new ones together.
        table: both side by side.
    """

    examples: tuple[Example, ...]
    unswapped: tuple[Unswapped, ...]
    reasons: Mapping[Dimension, Mapping[str, int]]
    before: BiasReport
    after: BiasReport
    table: tuple[Difference, ...]

    def imbalance(self, dimension: Dimension) -> tuple[float, float]:
        """How far the mentions of a dimension are from even before and after, among all groups of either.

        Raises:
            KeyError: the dimension was not counted.
        """
        groups = {one.group for one in self.table if one.dimension is dimension}
        return imbalance(self.before, dimension, groups), imbalance(self.after, dimension, groups)


def counterfactuals(
    examples: Sequence[Example],
    options: CounterfactualOptions | None = None,
    *,
    seed: int,
    identify: Identify = language_of,
    progress: Progress | None = None,
) -> Counterfactuals:
    """Make a counterfactual of every example that surely has one.

    All texts of an example are exchanged alike: every turn, references and the worse answer. A class label stays. New
    examples keep their parent's group, so they stay on its side of a split. Equal examples, options and seed give
    equal results.

    Args:
        examples: the rows of the training side, and only these.
        options: what is exchanged and what is not.
        seed: names, partners and the share are drawn from it.
        identify: from a text to its ISO 639-1 code, or None where it cannot be told.
        progress: shown one unit an example and dimension.
    """
    options = options or CounterfactualOptions()
    before = report_of(examples, options.report)
    frequent = frequent_words(examples, options) if options.balancing else None
    known = {example.id for example in examples}
    made: list[Example] = []
    unswapped: list[Unswapped] = []
    with (progress or Silent()).start(
        "counterfactuals", len(examples) * len(options.dimensions), "example"
    ) as activity:
        for dimension in options.dimensions:
            for example in examples:
                rng = Random(f"{seed}:{dimension}:{example.id}")
                outcome = counterfactual(example, dimension, options, rng, identify)
                if isinstance(outcome, Example) and frequent is not None and not frequent(example, outcome, dimension):
                    outcome = NotSwapped(Why.BALANCED)
                if isinstance(outcome, Example) and outcome.id in known:
                    outcome = NotSwapped(Why.REPEATED)
                if isinstance(outcome, Example):
                    known.add(outcome.id)
                    made.append(outcome)
                else:
                    unswapped.append(_unswapped(example, dimension, outcome))
                activity.advance(1)
    after = report_of([*examples, *made], options.report)
    return Counterfactuals(
        tuple(made), tuple(unswapped), _reasons(unswapped, options), before, after, differences(before, after)
    )


def counterfactual(
    example: Example, dimension: Dimension, options: CounterfactualOptions, rng: Random, identify: Identify
) -> Example | NotSwapped:
    """The counterfactual of one example in one dimension, or why there is none.

    Args:
        example: the row.
        dimension: what is exchanged in it.
        options: what is exchanged and what is not.
        rng: draws names and partners, and whether the row is one of the share.
        identify: from a text to its ISO 639-1 code, or None where it cannot be told.
    """
    if example.tools is not None or any(message.calls is not None for message in example.messages):
        return NotSwapped(Why.CALLS)
    texts = _texts(example)
    language = identify("\n".join(texts))
    spoken: Language | None = next((one for one in options.languages if one == language), None)
    # Where too few words tell, a row is read in the only language there is.
    spoken = spoken or (options.languages[0] if language is None and len(options.languages) == 1 else None)
    if spoken is None:
        return NotSwapped(Why.LANGUAGE, language or "")
    drawn = rng.random() < options.share
    swapped = swap_groups(texts, dimension, spoken, rng, options.protect)
    if isinstance(swapped, NotSwapped):
        return swapped
    return _with_texts(example, swapped, dimension) if drawn else NotSwapped(Why.NOT_DRAWN)


def _texts(example: Example) -> tuple[str, ...]:
    """Every text that a person wrote or reads, in a fixed order; a label is none."""
    turns = example.messages[:-1] if example.label is not None else example.messages
    more = (example.text, *example.references, example.rejected)
    return (*(message.content for message in turns), *(text for text in more if text is not None))


def _with_texts(example: Example, swapped: Swapped, dimension: Dimension) -> Example:
    """The example with other texts, in the order `_texts` gives them."""
    texts = iter(swapped.texts)
    last = len(example.messages) - 1
    messages = tuple(
        message if example.label is not None and at == last else replace(message, content=next(texts))
        for at, message in enumerate(example.messages)
    )
    return replace(
        example,
        messages=messages,
        text=None if example.text is None else next(texts),
        references=tuple(next(texts) for _ in example.references),
        rejected=None if example.rejected is None else next(texts),
        parent=example.id,
        technique=f"counterfactual.{dimension}",
    )


def report_of(examples: Sequence[Example], options: BiasOptions) -> BiasReport:
    """The bias of all texts of these examples; not of labels."""
    counter = BiasCounter(options)
    for start in range(0, len(examples), _BATCH):
        parts = [list(_with_roles(example)) for example in examples[start : start + _BATCH]]
        texts = pa.array([text for part in parts for _, text in part], pa.string())
        rows = [row for row, part in enumerate(parts) for _ in part]
        counter.update(texts, rows, [role for part in parts for role, _ in part])
    return counter.report()


def _with_roles(example: Example) -> Iterator[tuple[str, str]]:
    yield from ((str(message.speaker), message.content) for message in example.messages)
    if example.text is not None:
        yield "text", example.text
    yield from (("reference", text) for text in example.references)
    if example.rejected is not None:
        yield "rejected", example.rejected


Frequent = Callable[[Example, Example, Dimension], bool]


def frequent_words(examples: Sequence[Example], options: CounterfactualOptions) -> Frequent:
    """Whether a row names a frequent group more often than its counterfactual does."""
    counting = BiasOptions(dimensions=options.dimensions, languages=options.languages, words=0, examples=0)
    report = report_of(examples, counting)
    shares = {
        (one.dimension, group.group): group.share - 1 / max(len(one.groups), 2)
        for one in report.dimensions
        for group in one.groups
    }

    def weight(example: Example, dimension: Dimension) -> float:
        groups = report_of([example], counting).dimension(dimension).groups
        return sum(shares.get((dimension, group.group), -1.0) * group.mentions for group in groups)

    return lambda example, other, dimension: weight(example, dimension) > weight(other, dimension)


def _unswapped(example: Example, dimension: Dimension, outcome: NotSwapped) -> Unswapped:
    return Unswapped(example.id, dimension, outcome.why, outcome.detail, example.source, example.line)


def _reasons(unswapped: Sequence[Unswapped], options: CounterfactualOptions) -> dict[Dimension, dict[str, int]]:
    return {
        dimension: dict(Counter(str(one.why) for one in unswapped if one.dimension is dimension).most_common())
        for dimension in options.dimensions
    }
