"""What became of the data, in numbers that add up, and one row shown as the model will see it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atanor.data.reading import ReadResult
from atanor.data.rendering import RenderResult
from atanor.data.rows import TokenRow
from atanor.data.splitting import Split

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class DataSummary:
    """The fate of every row. `read == used + refused + left_out + duplicates`, `used == train + validation + test`.

    Attributes:
        read: rows in the files.
        used: rows that are trained or judged on.
        refused: rows refused while reading or rendering; the quarantine has them.
        left_out: rows that `where` and `limit` left out.
        duplicates: exact copies of an earlier row.
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
    refused: int
    left_out: int
    duplicates: int
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
    read: ReadResult,
    split: Split,
    *,
    train: RenderResult,
    validation: RenderResult,
    test: RenderResult,
    context: int,
) -> DataSummary:
    """Add up what reading, splitting and rendering each side did.

    Args:
        read: all rows.
        split: of `read.examples`.
        train: `split.train` rendered.
        validation: `split.validation` rendered.
        test: `split.test` rendered.
        context: the most tokens a row could have.
    """
    sides = (train, validation, test)
    rows = [row for side in sides for row in side.rows]
    return DataSummary(
        read=read.read,
        used=sum(side.used for side in sides),
        refused=len(read.refusals) + sum(len(side.refusals) for side in sides),
        left_out=read.left_out,
        duplicates=len(split.duplicates),
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
