"""What became of the data, in numbers that add up, and one row shown as the model will see it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atanor.data.rendering import RenderResult
from atanor.data.rows import TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from atanor.data.workshop.dataset import Version

COPIES = ("duplicates", "near_duplicates")
"""Stages of the workshop that leave out rows which were there already."""


@dataclass(frozen=True)
class DataSummary:
    """The fate of every row.

    `read + added == used + refused + left_out + duplicates + joined`, and `used == train + validation + test`.

    Attributes:
        read: rows in the files.
        used: rows that are trained or judged on.
        changed: rows that were mended.
        refused: rows refused while reading, checking or rendering; the quarantine has them.
        left_out: rows that `where`, `limit` and the options of a shape left out.
        duplicates: copies of an earlier row, exact or near, that were left out.
        added: further examples of rows that give several.
        joined: rows that are part of another row's example.
        truncated: used rows that were cut.
        split: used rows that became several shorter ones.
        train: used rows on that side.
        validation: used rows on that side.
        test: used rows on that side.
        tokens: tokens of all used rows.
        supervised_tokens: tokens that carry loss, of all used rows.
        longest: tokens of the longest used row.
        context: the most tokens a row could have had.
    """

    read: int
    used: int
    changed: int
    refused: int
    left_out: int
    duplicates: int
    added: int
    joined: int
    truncated: int
    train: int
    validation: int
    test: int
    tokens: int
    supervised_tokens: int
    longest: int
    context: int
    split: int = 0

    @property
    def supervised_share(self) -> float:
        """Supervised tokens among all tokens, from 0 to 1."""
        return self.supervised_tokens / self.tokens if self.tokens else 0.0


def summarise(
    version: Version,
    *,
    train: RenderResult,
    validation: RenderResult,
    test: RenderResult,
    context: int,
    left_out: int = 0,
) -> DataSummary:
    """Add up what the workshop and the rendering of each side did.

    Args:
        version: of the dataset.
        train: its training rows rendered.
        validation: its validation rows rendered.
        test: its test rows rendered.
        context: the most tokens a row could have.
        left_out: test rows that measure nothing.
    """
    sides = (train, validation, test)
    rows = [row for side in sides for row in side.rows]
    stages = version.stages
    duplicates = sum(stage.left_out for stage in stages if stage.stage in COPIES)
    return DataSummary(
        read=version.read,
        used=sum(side.used for side in sides),
        changed=version.changed,
        refused=sum(stage.refused for stage in stages) + sum(len(side.refusals) for side in sides),
        left_out=sum(stage.left_out for stage in stages) - duplicates + left_out,
        duplicates=duplicates,
        added=sum(stage.added for stage in stages),
        joined=sum(stage.merged for stage in stages),
        truncated=sum(side.truncated for side in sides),
        train=train.used,
        validation=validation.used,
        test=test.used,
        tokens=sum(len(row.tokens) for row in rows),
        supervised_tokens=sum(row.supervised for row in rows),
        longest=max((len(row.tokens) for row in rows), default=0),
        context=context,
        split=sum(side.split for side in sides),
    )


def weighted_pieces(row: TokenRow, tokenizer: PreTrainedTokenizerBase) -> list[tuple[str, float]]:
    """The row's text in pieces of equal weight, special tokens shown: what a person checks before training.

    Tokens of one weight are decoded together, so that a character of several tokens stays whole.
    """
    pieces: list[tuple[str, float]] = []
    for weight, run in itertools.groupby(zip(row.tokens, row.weights, strict=True), key=lambda pair: pair[1]):
        tokens = [token for token, _ in run]
        text = tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        pieces.append((str(text), weight))
    return pieces
