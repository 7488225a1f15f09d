"""Slot error rate: what an answer leaves out of a meaning representation, and what it makes up.

ERR = (p + q) / N after Wen et al. (2015, section 4.1) and the RNNLG toolkit: p slots of the meaning representation that
the answer lacks, q slots that it has too many, N slots of the representation, each summed over all items.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from atanor.errors import MetricError, Problem, shorten
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import MARGIN_OF_A_SHARE, Metric, Scores, Statistics, answer_of, ratio
from atanor.evaluate.metrics.strict_json import parse_answer

Slots = Counter[tuple[str, str]]
"""Pairs of a slot and its value, counted."""

_MR_SLOT = re.compile(r"([^\[\],;()]+)\[([^\[\]]*)\]")
_NOT_IN_WORDS = frozenset({"", "yes", "no", "true", "false", "none", "null", "dontcare", "don't care", "dont_care"})
"""Values that a text does not say as they stand; RNNLG leaves them out as well."""


class SlotErrorRate(Metric):
    """Slots missing or added, over the slots there should be. Statistics: (missing + added, slots).

    Without an argument the reference is the representation, a JSON object or `name[value], name[value]`, and so should
    the answer be: a pair of slot and value that only one of them has is an error, so that a wrong value is two. An
    answer that is neither lacks every slot. Of several references the one with the fewest errors counts.

    With the name of a column the answer is a text, and the representation stands in that column of the row. A slot is
    missing where its value does not stand in the answer as whole words, upper and lower case aside; it is added where
    the answer has a value that other test items give the slot, and this one gives to no slot. Slots of yes and no, and
    of values that do not matter, are not looked for, because a text does not say them in these words.
    """

    name = "slot_error_rate"
    label = "slot error rate"
    unit = "errors a slot"
    higher_is_better = False

    def __init__(self, column: str | None = None, margin: float | None = None) -> None:
        super().__init__(margin)
        self._column = column
        self._patterns: dict[str, dict[str, re.Pattern[str]]] = {}

    def begin(self, items: Sequence[Item]) -> None:
        """Take from the test which values each slot can have."""
        if self._column is None:
            return
        for item in items:
            with suppress(MetricError):  # told when the item is marked
                for slot, value in self._said(item):
                    self._patterns.setdefault(slot, {})[value] = _whole_words(value)

    def check_item(self, item: Item) -> None:
        for text in item.references if self._column is None else [self._representation(item)]:
            if slots_of(text) is None:
                raise self._refused(item, text)

    def statistics(self, item: Item, outcome: Outcome) -> tuple[float, ...]:
        answer = answer_of(self, item, outcome)
        if self._column is not None:
            return self._in_words(item, answer)
        given = slots_of(answer) or Counter()
        found = []
        for text in item.references:
            wanted = slots_of(text)
            if wanted is None:
                raise self._refused(item, text)
            found.append((float((wanted - given).total() + (given - wanted).total()), float(wanted.total())))
        return min(found)

    def aggregate(self, sums: Statistics) -> Scores:
        return ratio(sums[..., 0], sums[..., 1])

    def default_margin(self, baseline: float) -> float:
        """0.05: one slot in twenty."""
        del baseline
        return MARGIN_OF_A_SHARE

    def _in_words(self, item: Item, answer: str) -> tuple[float, ...]:
        wanted = self._said(item)
        mine = {value for _, value in wanted}
        missing = sum(_whole_words(value).search(answer) is None for _, value in wanted)
        # A value inside one of this item's own, as `pub` in `Old Pub`, is no value too many.
        rest = answer
        for value in sorted(mine, key=len, reverse=True):
            rest = _whole_words(value).sub(" ", rest)
        added = sum(
            any(value not in mine and pattern.search(rest) for value, pattern in values.items())
            for values in self._patterns.values()
        )
        return (float(missing + added), float(len(wanted)))

    def _said(self, item: Item) -> list[tuple[str, str]]:
        """Slots whose value a text should say."""
        text = self._representation(item)
        found = slots_of(text)
        if found is None:
            raise self._refused(item, text)
        return [pair for pair in found.elements() if pair[1] not in _NOT_IN_WORDS]

    def _representation(self, item: Item) -> Any:
        column = self._column or ""
        if column not in item.fields:
            problem = Problem(
                f"item {item.id}: its row has no column `{column}`",
                field=self.name,
                fix=f"Name one of: {', '.join(item.fields)}" if item.fields else "Leave the column out",
            )
            raise MetricError(f"`{self.name}` cannot be computed", [problem])
        return item.fields[column]

    def _refused(self, item: Item, text: Any) -> MetricError:
        where = "the reference" if self._column is None else f"column `{self._column}`"
        problem = Problem(
            f"item {item.id}: {where} is no meaning representation",
            field=self.name,
            value=shorten(text),
            fix="Write it as a JSON object, or as `name[value], name[value]`",
        )
        return MetricError(f"`{self.name}` cannot be computed", [problem])


def slots_of(written: Any) -> Slots | None:
    """The slots of a JSON object or of `name[value], …`, upper and lower case aside; None for anything else.

    A nested value is a slot for each of its leaves, a list one for each of its entries.
    """
    if isinstance(written, str):
        parsed = parse_answer(written)
        if not isinstance(parsed, dict):
            pairs = _MR_SLOT.findall(written)
            rest = _MR_SLOT.sub("", written).strip(" ,;\n\t")
            return Counter((_plain(name), _plain(value)) for name, value in pairs) if pairs and not rest else None
        written = parsed
    return Counter(_leaves("", written)) if isinstance(written, Mapping) else None


def _leaves(path: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _leaves(f"{path}.{_plain(key)}".lstrip("."), inner)]
    if isinstance(value, list):
        return [pair for inner in value for pair in _leaves(path, inner)]
    if value is None or isinstance(value, bool):
        return [(path, {None: "null", True: "true", False: "false"}[value])]
    # 1 and 1.0 are one number in JSON.
    number = isinstance(value, float) and value.is_integer()
    return [(path, _plain(str(int(value) if number else value)))]


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _whole_words(value: str) -> re.Pattern[str]:
    spaced = r"\s+".join(map(re.escape, value.split()))
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)
