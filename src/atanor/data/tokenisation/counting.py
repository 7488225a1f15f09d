"""The tokenisation report, counted over batches of texts in bounded memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.tokenisation.characters import CharacterCounter
from atanor.data.tokenisation.encoding import encode
from atanor.data.tokenisation.report import (
    Comparison,
    ContextCut,
    LengthBin,
    SpecialSeen,
    TextCounts,
    TokenisationReport,
)
from atanor.data.tokenisation.words import WORD, WordCounter

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

CONTEXT_LENGTHS = (512, 1024, 2048, 4096, 8192)
SLICE_TEXTS, SLICE_BYTES = 4096, 4 << 20
"""Texts and bytes that are tokenized at a time; one longer text goes alone."""
SHORTEST_BIN = 16
QUANTILES = (0.5, 0.9, 0.99, 1.0)
MOST_COSTLY = 50
MOST_UNUSED = 20


class TokenisationCounter:
    """Counts how a tokenizer treats texts that come in batches; what it holds does not grow with them.

    Args:
        tokenizer: the base's.
        other: a second tokenizer to compare with.
        context_lengths: contexts that are asked what they would cut.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        *,
        other: PreTrainedTokenizerBase | None = None,
        context_lengths: Sequence[int] = CONTEXT_LENGTHS,
    ) -> None:
        self._tokenizer = tokenizer
        self._other = other
        self._contexts = tuple(sorted(context_lengths))
        self._words = WordCounter(tokenizer)
        self._characters = CharacterCounter(tokenizer)
        self._special = _special_tokens(tokenizer)
        self._seen = np.zeros(len(tokenizer), np.int64)
        self._languages: dict[str | None, TextCounts] = {}
        self._other_tokens: Counter[str | None] = Counter()
        self._specials: Counter[str] = Counter()
        self._lengths: Counter[int] = Counter()

    def update(
        self,
        texts: pa.StringArray,
        languages: Sequence[str | None] | None = None,
        rows: Sequence[int] | NDArray[np.int64] | None = None,
    ) -> None:
        """Count more texts.

        Args:
            texts: the texts; a missing one counts as empty.
            languages: the language of each, where it is known.
            rows: the number, from 0, of the row of this batch that each text belongs to; a row's length is that of
                its texts together. None: every text is a row.
        """
        whole = pc.fill_null(texts, "")
        told = list(languages) if languages is not None else [None] * len(whole)
        lengths = np.zeros(len(whole), np.int64)
        for first, last in _slices(whole):
            part = whole.slice(first, last - first)
            lengths[first:last] = self._count(part, told[first:last])
        by_row = lengths if rows is None else np.bincount(np.asarray(rows), lengths).astype(np.int64)
        self._lengths.update(dict(zip(*(side.tolist() for side in np.unique(by_row, return_counts=True)), strict=True)))

    def report(self) -> TokenisationReport:
        """What was counted so far; more texts may follow."""
        whole = sum(self._languages.values(), TextCounts())
        told = {name: self._languages[name] for name in sorted(filter(None, self._languages))}
        tokenizer = self._tokenizer
        ordinary = np.setdiff1d(np.arange(len(self._seen)), list(self._special))
        unused = ordinary[self._seen[ordinary] == 0]
        mark = tokenizer.unk_token_id
        return TokenisationReport(
            whole=whole,
            languages=told,
            rows=self._lengths.total(),
            unknown=0 if mark is None else int(self._seen[mark]),
            broken=self._broken(),
            splits=self._words.splits(),
            costly=self._characters.costly(MOST_COSTLY),
            specials=tuple(SpecialSeen(token, texts) for token, texts in sorted(self._specials.items())),
            lengths=_bins(self._lengths),
            quantiles=_quantiles(self._lengths),
            cuts=tuple(_cut(self._lengths, context) for context in self._contexts),
            vocabulary=len(ordinary),
            unused=len(unused),
            unused_examples=tuple(tokenizer.convert_ids_to_tokens(unused[:MOST_UNUSED].tolist())),
            other=self._comparison(whole, told),
        )

    def _count(self, texts: pa.StringArray, languages: Sequence[str | None]) -> NDArray[np.int64]:
        """Count one slice and return the tokens of each text."""
        listed = texts.to_pylist()
        ids, lengths = encode(self._tokenizer, listed)
        self._seen += np.bincount(ids, minlength=len(self._seen))
        self._words.update(texts)
        self._characters.update(texts)
        self._count_specials(texts)
        counts = {
            "characters": pc.utf8_length(texts).to_numpy(),
            "bytes": pc.binary_length(texts).to_numpy(),
            "words": pc.count_substring_regex(texts, WORD).to_numpy(),
            "tokens": lengths,
        }
        others = encode(self._other, listed)[1] if self._other is not None else None
        names = np.array(languages, dtype=object)
        for name in dict.fromkeys(languages):
            here = np.array([language == name for language in names], np.bool_)
            sums = {what: int(values[here].sum()) for what, values in counts.items()}
            self._languages[name] = self._languages.get(name, TextCounts()) + TextCounts(int(here.sum()), **sums)
            if others is not None:
                self._other_tokens[name] += int(others[here].sum())
        return lengths

    def _count_specials(self, texts: pa.StringArray) -> None:
        tokens = list(self._special.values())
        if not tokens:
            return
        pattern = "|".join(re.escape(token) for token in tokens)
        some = texts.filter(pc.match_substring_regex(texts, pattern))
        for token in tokens if len(some) else ():
            found = int(pc.sum(pc.match_substring(some, token)).as_py() or 0)
            if found:
                self._specials[token] += found

    def _broken(self) -> int:
        """Tokens seen whose own text is no whole character."""
        used = np.flatnonzero(self._seen)
        texts = self._tokenizer.batch_decode([[number] for number in used.tolist()], clean_up_tokenization_spaces=False)
        broken = np.fromiter(("\ufffd" in text for text in texts), np.bool_, len(used))
        return int(self._seen[used[broken]].sum())

    def _comparison(self, whole: TextCounts, told: Mapping[str, TextCounts]) -> Comparison | None:
        if self._other is None:
            return None

        def with_other(counts: TextCounts, tokens: int) -> TextCounts:
            return TextCounts(counts.texts, counts.characters, counts.bytes, counts.words, tokens)

        every = with_other(whole, self._other_tokens.total())
        languages = {name: with_other(counts, self._other_tokens[name]) for name, counts in told.items()}
        return Comparison(every, languages, whole.tokens / every.tokens if every.tokens else 1.0)


def tokenisation_report(
    texts: pa.StringArray,
    tokenizer: PreTrainedTokenizerBase,
    languages: Sequence[str | None] | None = None,
    *,
    other: PreTrainedTokenizerBase | None = None,
    context_lengths: Sequence[int] = CONTEXT_LENGTHS,
) -> TokenisationReport:
    """The report on texts that are all there; see `TokenisationCounter` for those that come in batches."""
    counter = TokenisationCounter(tokenizer, other=other, context_lengths=context_lengths)
    counter.update(texts, languages)
    return counter.report()


def _special_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """Every token that is read as a control token where it is written: those with a role, and those only added."""
    added = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    named = dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
    return {number: token for number, token in sorted({**named, **added}.items()) if token}


def _slices(texts: pa.StringArray) -> list[tuple[int, int]]:
    """Ends of slices that have at most so many texts and, unless one text alone is longer, so many bytes."""
    sizes = np.cumsum(pc.binary_length(texts).to_numpy()) if len(texts) else np.zeros(0, np.int64)
    slices: list[tuple[int, int]] = []
    first = 0
    while first < len(texts):
        done = int(sizes[first - 1]) if first else 0
        last = int(np.searchsorted(sizes, done + SLICE_BYTES, side="right"))
        last = min(max(last, first + 1), first + SLICE_TEXTS, len(texts))
        slices.append((first, last))
        first = last
    return slices


def _bins(lengths: Mapping[int, int]) -> tuple[LengthBin, ...]:
    """Bins that double, up to the longest row."""
    bins: list[LengthBin] = []
    low, high = 0, SHORTEST_BIN
    while lengths and low <= max(lengths):
        bins.append(LengthBin(low, high, sum(rows for length, rows in lengths.items() if low <= length < high)))
        low, high = high, high * 2
    return tuple(bins)


def _quantiles(lengths: Mapping[int, int]) -> dict[float, int]:
    """The shortest length that so many rows do not exceed."""
    if not lengths:
        return {}
    ordered = np.array(sorted(lengths))
    upto = np.cumsum([lengths[int(length)] for length in ordered])
    places = np.searchsorted(upto, np.ceil(np.array(QUANTILES) * upto[-1]))
    return dict(zip(QUANTILES, ordered[places].tolist(), strict=True))


def _cut(lengths: Mapping[int, int], context: int) -> ContextCut:
    rows, tokens = sum(lengths.values()), sum(length * times for length, times in lengths.items())
    cut = sum(times for length, times in lengths.items() if length > context)
    lost = sum((length - context) * times for length, times in lengths.items() if length > context)
    return ContextCut(context, cut, cut / rows if rows else 0.0, lost, lost / tokens if tokens else 0.0)
