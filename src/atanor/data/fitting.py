"""Rows fitted to the context: refused, cut at one end, cut in the middle, or split into parts that overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atanor.data.options import RenderOptions, TooLong
from atanor.data.refusals import row_error
from atanor.data.rows import TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LONGEST_CHARACTER = 4
"""Tokens a byte-level tokenizer needs for one character at most: its UTF-8 bytes."""


@dataclass(frozen=True)
class WeightedTokens:
    """An example as tokens with a loss weight each, before any limit.

    Attributes:
        tokens: token ids, in order.
        weights: one loss weight a token.
        bytes: UTF-8 bytes of the supervised text.
        head: tokens before the last assistant turn, or before a plain text: what every part of a split keeps.
    """

    tokens: tuple[int, ...]
    weights: tuple[float, ...]
    bytes: int
    head: int


def fit_row(
    name: str,
    whole: WeightedTokens,
    tokenizer: PreTrainedTokenizerBase,
    options: RenderOptions,
    limit: int,
) -> tuple[TokenRow, ...]:
    """The rows of one example within the limit: one, or several where it is split.

    Whatever is done, a token is supervised by what really stood before it: after a cut in the middle the first token
    has no weight, and the tokens that a part repeats from the part before have none either. So the parts of a split
    together supervise each token of the whole once.

    Args:
        name: the `Example.id`; every part carries it.
        whole: the example's tokens.
        tokenizer: the base's, to count the bytes of what is left and to keep characters whole.
        options: what happens to rows longer than the limit, and how much the parts of a split overlap.
        limit: most tokens of a row.

    Raises:
        DataError: the row is too long and may not be cut, or nothing to learn is left of it.
    """
    too_long = options.too_long
    if len(whole.tokens) <= limit:
        return (TokenRow(name, whole.tokens, whole.weights, whole.bytes),)
    if too_long is TooLong.REFUSE:
        fix = "Shorten the row, raise `max_tokens` if the base allows it, or set `too_long` to cut it"
        raise row_error(f"the row has {len(whole.tokens)} tokens, and the limit is {limit}", fix=fix)
    split = too_long is TooLong.SPLIT
    parts = _parts(whole, tokenizer, limit, options.overlap) if split else [_cut(whole, too_long, limit)]
    rows = tuple(
        TokenRow(name, tokens, weights, supervised_bytes(tokens, weights, tokenizer)) for tokens, weights in parts
    )
    # A part may hold nothing but the template's own ending; nothing would be learned from it.
    learned = tuple(row for row in rows if row.supervised)
    if not learned:
        reason = f"nothing to learn is left after `{too_long}` to {limit} tokens of {len(whole.tokens)}"
        raise row_error(reason, fix="Shorten the row, or cut it at the other end")
    return learned


def supervised_bytes(tokens: Sequence[int], weights: Sequence[float], tokenizer: PreTrainedTokenizerBase) -> int:
    """UTF-8 bytes of the tokens that are predicted and have a weight, special tokens aside."""
    predicted = [token for token, weight in list(zip(tokens, weights, strict=True))[1:] if weight > 0]
    return len(_decoded(predicted, tokenizer).encode())


Part = tuple[tuple[int, ...], tuple[float, ...]]


def _cut(whole: WeightedTokens, too_long: TooLong, limit: int) -> Part:
    tokens, weights = whole.tokens, whole.weights
    excess = len(tokens) - limit
    if too_long is TooLong.TRUNCATE_LEFT:
        return tokens[excess:], weights[excess:]
    if too_long is TooLong.TRUNCATE_RIGHT:
        return tokens[:limit], weights[:limit]
    left = math.ceil(limit / 2)
    right = left + excess
    return (*tokens[:left], *tokens[right:]), (*weights[:left], 0.0, *weights[right + 1 :])


def _parts(whole: WeightedTokens, tokenizer: PreTrainedTokenizerBase, limit: int, overlap: int) -> list[Part]:
    """Head and a piece of the rest in every part; the head is supervised in the first part only."""
    _refuse_unsplittable(whole, limit, overlap)
    head, head_weights = whole.tokens[: whole.head], whole.weights[: whole.head]
    parts: list[Part] = []
    done = whole.head
    while done < len(whole.tokens):
        start = max(whole.head, done - overlap)
        end = _whole_characters(whole.tokens, done, start + limit - whole.head, tokenizer)
        again = done - start
        parts.append(
            (
                (*head, *whole.tokens[start:end]),
                (*(head_weights if not parts else (0.0,) * whole.head), *(0.0,) * again, *whole.weights[done:end]),
            )
        )
        done = end
    return parts


def _refuse_unsplittable(whole: WeightedTokens, limit: int, overlap: int) -> None:
    if not any(whole.weights[whole.head :]):
        fix = "Give the last turn a weight of 1, or set `too_long` to cut the row"
        raise row_error("the row is too long, and the turn that could be split carries no loss", fix=fix)
    room = limit - whole.head - overlap
    if room < 1:
        raise row_error(
            f"the prompt has {whole.head} tokens, and with an overlap of {overlap} nothing of the answer fits "
            f"into the limit of {limit}",
            fix="Shorten the prompt, lower `overlap`, or set `too_long` to cut the row",
        )


def _whole_characters(tokens: Sequence[int], start: int, end: int, tokenizer: PreTrainedTokenizerBase) -> int:
    """The last place up to `end` that cuts no character in two: half a character is no text to learn."""
    if end >= len(tokens):
        return len(tokens)
    for place in range(end, max(start, end - LONGEST_CHARACTER), -1):
        if not _decoded(tokens[max(start, place - 2 * LONGEST_CHARACTER) : place], tokenizer).endswith("\ufffd"):
            return place
    return end  # The text itself holds the replacement character.


def _decoded(tokens: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> str:
    return str(tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))
