"""The stage of cleaning: every text written anew where a rule says so, and rows refused that no rule can mend."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from atanor.data.cleaning import CleanOptions, clean_texts
from atanor.data.workshop.rowwise import Verdicts
from atanor.data.workshop.stages import StageResult
from atanor.data.workshop.texts import TextsOfRows

CLEAN = "clean"
"""Name of the stage."""


def clean_rows(rows: pa.Table, options: CleanOptions, control_tokens: Sequence[str] = ()) -> StageResult:
    """Clean every text of the rows.

    Args:
        rows: schema `ROWS`.
        options: the rules.
        control_tokens: of the base's chat template: text that holds one would be read as a command.
    """
    texts = TextsOfRows(rows)
    cleaned = clean_texts(texts.values, options, control_tokens)
    verdicts = Verdicts(texts, cleaned.texts, list(cleaned.changes), list(cleaned.refused), list(cleaned.reported))
    return verdicts.result(CLEAN, {})
