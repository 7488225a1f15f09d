"""Into how many pieces a tokenizer splits words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.tokenisation.encoding import lengths_of
from atanor.data.tokenisation.report import WordSplits

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WORD = r"[\p{L}\p{M}\p{N}]+"
"""A word; in scripts without spaces it is a whole run."""
BETWEEN = r"[^\p{L}\p{M}\p{N}]+"
LONGEST_WORD = 100
"""Characters above which a run is data, not a word."""
MOST_KNOWN = 200_000
"""Words whose pieces are remembered; the memory of the counter does not grow with the texts."""
ANCHOR = "a"


class WordCounter:
    """Counts words by the pieces they are split into; equal words are tokenized once."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, int] = {}
        self._pieces = np.zeros(LONGEST_WORD * 4 + 1, np.int64)

    def update(self, texts: pa.StringArray) -> None:
        """Count the words of more texts."""
        found = pc.value_counts(pc.split_pattern_regex(texts, BETWEEN).flatten())
        words, times = found.field("values"), found.field("counts")
        lengths = pc.utf8_length(words)
        fits = pc.and_(pc.greater(lengths, 0), pc.less_equal(lengths, LONGEST_WORD))
        named = words.filter(fits).to_pylist()
        pieces = np.fromiter(map(self._pieces_of(named).__getitem__, named), np.int64, len(named))
        np.add.at(self._pieces, np.minimum(pieces, len(self._pieces) - 1), times.filter(fits).to_numpy())

    def splits(self) -> WordSplits:
        """What was counted."""
        words, one, two, four = (int(self._pieces[number:].sum()) for number in (0, 2, 3, 5))
        return WordSplits(words, one, two, four)

    def _pieces_of(self, words: list[str]) -> dict[str, int]:
        new = [word for word in words if word not in self._known]
        if len(self._known) + len(new) > MOST_KNOWN:
            self._known = {}
            new = words
        # A word is measured after another one: alone, some tokenizers would put a mark before it or lose its space.
        lengths = lengths_of(self._tokenizer, [ANCHOR, *(f"{ANCHOR} {word}" for word in new)])
        self._known.update(zip(new, (lengths[1:] - lengths[0]).tolist(), strict=True))
        return self._known
