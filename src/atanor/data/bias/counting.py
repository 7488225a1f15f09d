"""Counting who is named in texts, batch by batch, in bounded memory: every word of a batch at once, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atanor.data.bias.associations import WordCounts
from atanor.data.bias.lexicon import FEMALE, MALE, NEGATION
from atanor.data.bias.options import BiasOptions, Dimension
from atanor.data.bias.report import BiasReport, DimensionReport, GroupReport, OccupationRow, warnings_of
from atanor.data.bias.sentiment import BINS, Floats, bins_of, in_context, sentiments
from atanor.data.bias.tables import DIMENSIONS, Meaning, tables_of
from atanor.data.bias.words import Ints, Words
from atanor.errors import DataError, Problem

_EXCERPT = 40
"""Characters of an excerpt on either side of the mention."""
_OCCUPATIONS_SHOWN = 40


@dataclass(frozen=True)
class _Mentions:
    """Where groups are named: for each mention its word, its group and the words around it that count.

    Attributes:
        word: index of the word among the words of the batch.
        group: number of the group.
        low: first word of the window.
        high: the word after its last one.
    """

    word: Ints
    group: Ints
    low: Ints
    high: Ints


class BiasCounter:
    """Counts batch by batch; equal rows give an equal report, however they are cut into batches.

    Only the choice of excerpts, and of the rarest words where there are more than 300,000 different ones, depends on
    the order.
    """

    def __init__(self, options: BiasOptions | None = None) -> None:
        self._options = options or BiasOptions()
        self._catalogue, self._tables = tables_of(self._options.languages, self._options.dimensions)
        groups = len(self._catalogue.groups)
        self._texts = self._rows = 0
        self._mentions = np.zeros(groups, np.int64)
        self._rows_of_group = np.zeros(groups, np.int64)
        self._rows_of_dimension: Counter[Dimension] = Counter()
        self._roles: Counter[tuple[int, str]] = Counter()
        self._words = WordCounts(groups)
        self._sentiment = np.zeros((groups, BINS), np.int64)
        self._occupations = np.zeros((len(self._catalogue.occupations), groups), np.int64)
        self._examples: list[list[str]] = [[] for _ in range(groups)]

    def update(
        self, texts: pa.StringArray, rows: Sequence[int] | Ints | None = None, roles: Sequence[str] | None = None
    ) -> None:
        """Count a batch.

        Args:
            texts: the texts; a null is an empty one.
            rows: for each text the row it belongs to; rows of two batches are different rows. None: a row each.
            roles: for each text whose it is (`user`, `assistant`, `prompt` …), counted apart. None: not counted.

        Raises:
            DataError: `rows` or `roles` has another length than `texts`.
        """
        _require_equal_lengths(texts, rows, roles)
        row_of_text = np.arange(len(texts)) if rows is None else np.unique(np.asarray(rows), return_inverse=True)[1]
        self._texts += len(texts)
        self._rows += int(row_of_text.max()) + 1 if len(texts) else 0
        words = Words.of(texts)
        if not len(words):
            return
        meaning = self._tables.meaning(words, len(texts))
        mentions = self._find(words, meaning)
        self._count_mentions(mentions, words, row_of_text, roles)
        self._count_sentiment(mentions, words, meaning, row_of_text)
        self._count_near(mentions, words, meaning)
        self._keep_examples(mentions, words, texts)

    def report(self) -> BiasReport:
        """What was counted so far."""
        dimensions = tuple(self._dimension(dimension) for dimension in self._options.dimensions)
        occupations = self._occupation_rows()
        warnings = warnings_of(dimensions, occupations, self._options.lowest_count)
        return BiasReport(self._texts, self._rows, dimensions, occupations[:_OCCUPATIONS_SHOWN], warnings)

    def _find(self, words: Words, meaning: Meaning) -> _Mentions:
        """Every mention; an adjective that needs a person counts only where one stands beside it."""
        allowed = ~meaning.beside | _beside_person(words, meaning)
        at = [np.flatnonzero((row >= 0) & allowed) for row in meaning.group]
        word = np.concatenate(at)
        group = np.concatenate([row[places] for row, places in zip(meaning.group, at, strict=True)])
        sentence = words.sentence[word]
        low = np.maximum(word - self._options.window, np.searchsorted(words.sentence, sentence, side="left"))
        high = np.minimum(word + self._options.window + 1, np.searchsorted(words.sentence, sentence, side="right"))
        return _Mentions(word, group, low, high)

    def _count_mentions(
        self, mentions: _Mentions, words: Words, row_of_text: Ints, roles: Sequence[str] | None
    ) -> None:
        groups = len(self._catalogue.groups)
        self._mentions += np.bincount(mentions.group, minlength=groups)
        text = words.text[mentions.word]
        pairs = np.unique(row_of_text[text] * groups + mentions.group)
        self._rows_of_group += np.bincount(pairs % groups, minlength=groups)
        dimension = self._dimension_numbers()[pairs % groups]
        for one in np.unique((pairs // groups) * len(DIMENSIONS) + dimension) % len(DIMENSIONS):
            self._rows_of_dimension[DIMENSIONS[one]] += 1
        if roles is not None:
            names, number = np.unique(np.asarray(roles, dtype=object).astype(str), return_inverse=True)
            found, counts = np.unique(number[text] * groups + mentions.group, return_counts=True)
            for pair, count in zip(found.tolist(), counts.tolist(), strict=True):
                self._roles[pair % groups, str(names[pair // groups])] += count

    def _count_sentiment(self, mentions: _Mentions, words: Words, meaning: Meaning, row_of_text: Ints) -> None:
        """One value for each row and group it names."""
        worth = in_context(meaning.valence, meaning.negation, meaning.degree, words.sentence, NEGATION)
        sums = _window_sums(worth, mentions)
        felt = _window_sums((meaning.valence != 0).astype(float), mentions)
        scores = np.divide(sums, felt, out=np.zeros_like(sums), where=felt > 0)
        groups = len(self._catalogue.groups)
        keys, inverse = np.unique(row_of_text[words.text[mentions.word]] * groups + mentions.group, return_inverse=True)
        means = np.bincount(inverse, weights=scores) / np.bincount(inverse)
        np.add.at(self._sentiment, (keys % groups, bins_of(means)), 1)

    def _count_near(self, mentions: _Mentions, words: Words, meaning: Meaning) -> None:
        """Words and occupations near mentions, each once for a group however many mentions are near."""
        lengths = mentions.high - mentions.low
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        near = np.repeat(mentions.low, lengths) + np.arange(lengths.sum()) - before
        group = np.repeat(mentions.group, lengths)
        wanted = meaning.telling[near] | (meaning.occupation[near] >= 0)
        pairs = np.unique(group[wanted] * len(words) + near[wanted])
        group, near = pairs // len(words), pairs % len(words)
        self._count_occupations(group, near, meaning)
        telling = meaning.telling[near]
        lowered, kind = _lowered(words)
        found, counts = np.unique(group[telling] * len(lowered) + kind[near[telling]], return_counts=True)
        bounds = np.searchsorted(found, np.arange(len(self._catalogue.groups) + 1) * len(lowered))
        for number in np.flatnonzero(np.diff(bounds)).tolist():
            part = slice(bounds[number], bounds[number + 1])
            spelled = [lowered[place] for place in (found[part] % len(lowered)).tolist()]
            self._words.add(number, spelled, counts[part].tolist())
        self._words.forget_rare()

    def _count_occupations(self, group: Ints, near: Ints, meaning: Meaning) -> None:
        """By the occupation's own form where it tells a gender, else by the words for a gender near it."""
        told = np.flatnonzero((meaning.occupation >= 0) & (meaning.gender >= 0))
        np.add.at(self._occupations, (meaning.occupation[told], meaning.gender[told]), 1)
        untold = (meaning.occupation[near] >= 0) & (meaning.gender[near] < 0)
        np.add.at(self._occupations, (meaning.occupation[near[untold]], group[untold]), 1)

    def _keep_examples(self, mentions: _Mentions, words: Words, texts: pa.StringArray) -> None:
        for number in np.unique(mentions.group).tolist():
            room = self._options.examples - len(self._examples[number])
            if room <= 0:
                continue
            at = mentions.word[mentions.group == number]
            _, first = np.unique(words.text[at], return_index=True)
            for word in at[first[:room]].tolist():
                text = texts[int(words.text[word])].as_py()
                self._examples[number].append(_excerpt(text, words.spelled[words.kind[word]]))

    def _dimension_numbers(self) -> Ints:
        return np.array([DIMENSIONS.index(dimension) for dimension, _ in self._catalogue.groups], np.int64)

    def _dimension(self, dimension: Dimension) -> DimensionReport:
        numbers = [number for number, (of, _) in enumerate(self._catalogue.groups) if of is dimension]
        total = int(self._mentions[numbers].sum())
        nearest = self._words.nearest(numbers, self._options.words)
        felt = sentiments({number: self._sentiment[number] for number in numbers}, self._options.lowest_count)
        groups = [
            GroupReport(
                group=self._catalogue.groups[number][1],
                rows=int(self._rows_of_group[number]),
                mentions=int(self._mentions[number]),
                share=int(self._mentions[number]) / total,
                roles={role: count for (group, role), count in sorted(self._roles.items()) if group == number},
                words=nearest[number],
                sentiment=felt.get(number),
                examples=tuple(self._examples[number]),
            )
            for number in numbers
            if self._mentions[number]
        ]
        groups.sort(key=lambda one: (-one.mentions, one.group))
        return DimensionReport(dimension, self._rows_of_dimension[dimension], tuple(groups))

    def _occupation_rows(self) -> tuple[OccupationRow, ...]:
        if Dimension.GENDER not in self._options.dimensions:
            return ()
        places = {group: place for place, group in enumerate(self._catalogue.groups)}
        female, male = (self._occupations[:, places[Dimension.GENDER, gender]] for gender in (FEMALE, MALE))
        rows = [
            OccupationRow(name, int(women), int(men))
            for name, women, men in zip(self._catalogue.occupations, female, male, strict=True)
            if women or men
        ]
        return tuple(sorted(rows, key=lambda row: (-row.female - row.male, row.occupation)))


def bias_report(
    texts: pa.StringArray,
    options: BiasOptions | None = None,
    *,
    rows: Sequence[int] | Ints | None = None,
    roles: Sequence[str] | None = None,
) -> BiasReport:
    """Who is named in texts, how often, near which words and with what sentiment.

    Args:
        texts: the texts; a null is an empty one.
        options: what is looked at.
        rows: for each text the row it belongs to; None: each text is a row.
        roles: for each text whose it is, counted apart; None: not counted.

    Raises:
        DataError: `rows` or `roles` has another length than `texts`.
    """
    counter = BiasCounter(options)
    counter.update(texts, rows, roles)
    return counter.report()


def _require_equal_lengths(
    texts: pa.StringArray, rows: Sequence[int] | Ints | None, roles: Sequence[str] | None
) -> None:
    for field, values in (("rows", rows), ("roles", roles)):
        if values is not None and len(values) != len(texts):
            problem = Problem(
                f"there are {len(values)} for {len(texts)} texts", field=field, fix="Give one value for each text"
            )
            raise DataError("texts cannot be counted", [problem])


def _beside_person(words: Words, meaning: Meaning) -> npt.NDArray[np.bool_]:
    """Which words have a word for a person right before or after them, as `old man` and `hombre viejo`."""
    found = np.zeros(len(words), np.bool_)
    together = words.sentence[1:] == words.sentence[:-1]
    found[:-1] |= meaning.person[1:] & together
    found[1:] |= meaning.person[:-1] & together
    found[1:] &= ~meaning.never_before[:-1]
    return found


def _window_sums(values: Floats, mentions: _Mentions) -> Floats:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return sums[mentions.high] - sums[mentions.low]


def _lowered(words: Words) -> tuple[list[str], Ints]:
    """Each different word in lower case once, and for each word its place among them."""
    places: dict[str, int] = {}
    of_spelled = [places.setdefault(word.strip("'").lower().removesuffix("'s"), len(places)) for word in words.spelled]
    return list(places), np.array(of_spelled, np.int64)[words.kind]


def _excerpt(text: str, word: str) -> str:
    """The text around the first place of a word."""
    at = max(text.replace("’", "'").find(word), 0)
    start, end = max(0, at - _EXCERPT), min(len(text), at + len(word) + _EXCERPT)
    cut = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"
