"""Texts to token ids in batches, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All token ids one after another, and how many each text has; nothing is put around a text.

    Args:
        tokenizer: the base's; a fast one works on all cores.
        texts: the texts.
    """
    found: Any
    if not texts:
        found = []
    elif tokenizer.is_fast:
        # The plain call would build masks and offsets that nobody here reads.
        backend = tokenizer.backend_tokenizer
        found = [part.ids for part in backend.encode_batch_fast(list(texts), add_special_tokens=False)]
    else:
        found = tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)[
            "input_ids"
        ]
    lengths = np.fromiter(map(len, found), np.int64, len(found))
    return np.fromiter(chain.from_iterable(found), np.int64, int(lengths.sum())), lengths


def lengths_of(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> NDArray[np.int64]:
    """How many tokens each text has."""
    return encode(tokenizer, texts)[1]
