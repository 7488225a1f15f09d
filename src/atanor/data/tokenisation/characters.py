"""Characters that take many tokens."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atanor.data.tokenisation.encoding import encode, lengths_of
from atanor.data.tokenisation.report import CharacterCost

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CODE_POINTS = 0x110000
MOST_EXAMPLES = 5000
"""Characters an example is kept of."""
AROUND = 16
"""Characters shown on each side of one."""


class CharacterCounter:
    """Counts the characters outside ASCII, and keeps a place where each was first seen."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._counts = np.zeros(CODE_POINTS, np.int64)
        self._examples: dict[str, str] = {}

    def update(self, texts: pa.StringArray) -> None:
        """Count the characters of more texts."""
        wide = texts.filter(pc.invert(pc.string_is_ascii(texts))).to_pylist()
        if not wide:
            return
        points = np.frombuffer("".join(wide).encode("utf-32-le"), np.uint32)
        codes, times = np.unique(points[points > 127], return_counts=True)
        new = {chr(code) for code in codes[self._counts[codes] == 0].tolist()}
        self._counts[codes] += times
        for text in wide:
            if not new or len(self._examples) >= MOST_EXAMPLES:
                break
            for character in sorted(new.intersection(text)):
                at = text.index(character)
                self._examples[character] = text[max(0, at - AROUND) : at + AROUND + 1]
                new.remove(character)

    def costly(self, most: int) -> tuple[CharacterCost, ...]:
        """The characters that take most tokens, the most expensive first and the most frequent of those first."""
        codes = np.flatnonzero(self._counts)
        characters = [chr(code) for code in codes.tolist()]
        # What one more of it costs: alone, some tokenizers put a mark before it.
        alone = lengths_of(self._tokenizer, characters)
        costs = np.maximum(1, lengths_of(self._tokenizer, [character * 2 for character in characters]) - alone)
        unknown = self._unknown(characters)
        order = np.lexsort((codes, -self._counts[codes], -costs, ~unknown))
        return tuple(
            CharacterCost(
                characters[at],
                unicodedata.name(characters[at], f"U+{codes[at]:04X}"),
                int(self._counts[codes[at]]),
                int(costs[at]),
                bool(unknown[at]),
                self._examples.get(characters[at], ""),
            )
            for at in order[:most].tolist()
            if costs[at] > 1 or unknown[at]
        )

    def _unknown(self, characters: list[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        mark = self._tokenizer.unk_token_id
        if mark is None:
            return np.zeros(len(characters), np.bool_)
        ids, lengths = encode(self._tokenizer, characters)
        owners = np.repeat(np.arange(len(characters)), lengths)
        return np.isin(np.arange(len(characters)), owners[ids == mark])
