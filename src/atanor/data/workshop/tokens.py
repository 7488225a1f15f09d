"""How a tokenizer treats the rows of a dataset or file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from atanor.data.checks.language import identify_languages
from atanor.data.sides import SIDES
from atanor.data.tokenisation import TokenisationCounter, TokenisationReport
from atanor.data.workshop.dataset import Dataset
from atanor.data.workshop.texts import TextsOfRows
from atanor.progress import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def tokens_of(
    dataset: Dataset,
    tokenizer: PreTrainedTokenizerBase,
    progress: Progress,
    *,
    other: PreTrainedTokenizerBase | None = None,
) -> TokenisationReport:
    """Count every text of every row once; a label is counted with the turn that holds it.

    Args:
        dataset: the rows.
        tokenizer: the base's.
        progress: told about long work.
        other: a second tokenizer to compare with.
    """
    counter = TokenisationCounter(tokenizer, other=other)
    with progress.start("tokenising", sum(dataset.version.sides.values()), "row") as activity:
        for side in SIDES:
            for batch in dataset.batches(side):
                texts = TextsOfRows(batch)
                counted = np.flatnonzero(~texts.is_label)
                values = texts.values.take(counted)
                counter.update(values, identify_languages(values).codes.tolist(), texts.row[counted])
                activity.advance(len(batch))
    return counter.report()
