"""A recipe: everything that decides a dataset besides the bytes of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from atanor.data.cleaning import CleanOptions
from atanor.data.options import SourceOptions, SplitOptions
from atanor.data.workshop.options import CheckOptions

FORMAT = 1
"""Raised when the same recipe over the same bytes gives other rows than before."""


class Recipe(BaseModel):
    """How files become a dataset.

    Attributes:
        sources: the files and how their columns are read.
        split: how rows are held out; None: they are not.
        clean: the cleaning rules; None: nothing is cleaned.
        check: the checks' actions.
        system: system message put before conversations that have none.
        task_text: rows are plain text to continue.
        keep_copies: rows that equal an earlier one stay, for commands that do one thing only.
        control_tokens: of the base's chat template, which no text may hold.
        tokenizer: folder of the tokenizer that measures windows of books; None: their length is guessed.
        seed: of every draw.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[SourceOptions, ...]
    split: SplitOptions | None = None
    clean: CleanOptions | None = CleanOptions()
    check: CheckOptions = CheckOptions()
    system: str | None = None
    task_text: bool = False
    keep_copies: bool = False
    control_tokens: tuple[str, ...] = ()
    tokenizer: str | None = None
    seed: int = 17

    @property
    def column_of_groups(self) -> str | None:
        """The one column whose equal values stay on one side; a list of kinds is asked for when the split is made."""
        grouped = None if self.split is None else self.split.group_by
        return grouped if isinstance(grouped, str) else None

    @property
    def has_books(self) -> bool:
        """Some source is long texts that become rows."""
        return any(source.windows is not None or source.instructions is not None for source in self.sources)

    def key(self, digests: Sequence[str]) -> str:
        """Hex SHA-256 of the recipe and of its files' bytes, given by their digests: the same key, the same dataset."""
        content = {"format": FORMAT, "recipe": self.model_dump(mode="json"), "files": list(digests)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
