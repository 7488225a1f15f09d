"""The last word on rows that augmentation made: cleaned and checked like others, and far from what is held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pyarrow as pa

from atanor.data.augmentation import Reason
from atanor.data.augmentation.filters import question_key
from atanor.data.duplicates.across import NO_ROW, nearest_across
from atanor.data.rows import Example
from atanor.data.workshop.blocks import texts_compared
from atanor.data.workshop.checking import check_rows
from atanor.data.workshop.cleaning import clean_rows
from atanor.data.workshop.log import Entry, Fate, entries_of
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.stages import StageResult, Tallies
from atanor.data.workshop.table import examples_of, table_of

Word = Example | tuple[Reason, str]
"""A row as it is used, or the reason against it with a detail."""


class Screening:
    """Looks at new rows; see `augmentation.Screen`.

    Args:
        recipe: of the rows they were made of.
        held_out: rows of the other sides, schema `ROWS`.
        known: ids of the training rows.

    Attributes:
        told: what the checks report of rows that are used.
        tallies: of the checks, one for each time they were asked.
    """

    def __init__(self, recipe: Recipe, held_out: pa.Table, known: set[str]) -> None:
        self._recipe = recipe
        self._held_out = examples_of(held_out)
        self._questions = {question_key(example) for example in self._held_out}
        self._texts = texts_compared(held_out)
        self._known = set(known)
        self.told: list[Entry] = []
        self.tallies: list[Tallies] = []

    def __call__(self, examples: Sequence[Example]) -> list[Word]:
        """The word on each example, in their order."""
        words: list[Word] = list(examples)
        rows, places = table_of(examples), list(range(len(examples)))
        told: list[Entry] = []
        for stage in self._stages():
            result = stage(rows)
            entries = entries_of(result.log)
            refused = {entry.row: entry for entry in entries if entry.fate == Fate.REFUSED}
            came = list(zip(places, rows.column("id").to_pylist(), strict=True))
            for place, row in came:
                if row in refused:
                    words[place] = Reason.REFUSED, f"{refused[row].rule}: {refused[row].reason}"
            rows, places = result.rows, [place for place, row in came if row not in refused]
            told += [entry for entry in entries if entry.fate == Fate.REPORTED]
            self.tallies.append(result.tallies)
        for place, word in zip(places, self._apart(rows), strict=True):
            words[place] = word
        used = {word.id for word in words if isinstance(word, Example)}
        self.told += [entry for entry in told if entry.row in used]
        return words

    def _stages(self) -> Iterator[Callable[[pa.Table], StageResult]]:
        recipe = self._recipe
        if recipe.clean is not None:
            yield partial(clean_rows, options=recipe.clean, control_tokens=recipe.control_tokens)
        yield partial(check_rows, options=recipe.check)

    def _apart(self, rows: pa.Table) -> Iterator[Word]:
        """The cleaned rows that are not there already, neither on this side of the split nor on another."""
        near = nearest_across(texts_compared(rows), self._texts, self._recipe.check.similarity)
        for example, other, similarity in zip(
            examples_of(rows), near.other.tolist(), near.similarity.tolist(), strict=True
        ):
            if question_key(example) in self._questions:
                yield Reason.HELD_OUT, ""
            elif other != NO_ROW:
                held_out = self._held_out[other]
                yield Reason.NEAR_HELD_OUT, f"{similarity:.0%} like {held_out.source}:{held_out.line}"
            elif example.id in self._known:
                yield Reason.REPEATED, ""
            else:
                self._known.add(example.id)
                yield example
