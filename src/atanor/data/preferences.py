"""Preference pairs as tokens: a better and a worse answer to one prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atanor.data.options import RenderOptions, TooLong, TrainOn
from atanor.data.refusals import row_error
from atanor.data.rendering import RenderResult, refused, render_examples
from atanor.data.rows import Example, Refusal, TokenRow
from atanor.errors import DataError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class PreferencePair:
    """Two answers to one prompt; each row's supervised tokens are the answer.

    Attributes:
        example_id: unique among the training and validation pairs.
        chosen: prompt and the better answer.
        rejected: prompt and the worse one.
    """

    example_id: str
    chosen: TokenRow
    rejected: TokenRow

    @property
    def tokens(self) -> tuple[int, ...]:
        return self.chosen.tokens

    @property
    def supervised(self) -> int:
        return min(self.chosen.supervised, self.rejected.supervised)


@dataclass(frozen=True)
class PairResult:
    """Examples of which some compare answers, rendered.

    Attributes:
        rendered: every example as it is learned by completion; refusals of pairs are among its refusals.
        pairs: the examples that have a worse answer, with both.
    """

    rendered: RenderResult
    pairs: tuple[PreferencePair, ...]


def render_pairs(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    options: RenderOptions,
    context: int,
    end_ids: frozenset[int],
    *,
    encoder_decoder: bool = False,
) -> PairResult:
    """Render every example, and both answers of those that have a worse one.

    The two rows of a pair differ in their last turn only and carry loss on it alone. They are never cut: answers to
    prompts cut at two places are no answers to one prompt. A pair that cannot be rendered is a refusal, and its example
    is not used otherwise either, so that all methods of a role learn from the same rows.

    Args:
        examples: see `render_examples`.
        tokenizer: see `render_examples`.
        options: see `render_examples`.
        context: see `render_examples`.
        end_ids: see `render_examples`.
        encoder_decoder: see `render_examples`.

    Raises:
        BaseModelError: see `render_examples`.
        ConfigurationError: see `render_examples`.
    """
    whole = options.model_copy(update={"train_on": TrainOn.LAST_ASSISTANT_TURN, "too_long": TooLong.REFUSE})
    kept: list[Example] = []
    pairs: list[PreferencePair] = []
    refusals: list[Refusal] = []
    for example in examples:
        if example.rejected is not None:
            try:
                _require_difference(example)
            except DataError as error:
                refusals.append(refused(example, error))
                continue
            better, worse = (
                render_examples([one], tokenizer, whole, context, end_ids, encoder_decoder=encoder_decoder)
                for one in (example, _worse(example))
            )
            if better.refusals or worse.refusals:
                told = [replace(one, reason=f"with the worse answer: {one.reason}") for one in worse.refusals]
                refusals.append((*better.refusals, *told)[0])
                continue
            rejected = replace(worse.rows[0], example_id=example.id)
            pairs.append(PreferencePair(example.id, better.rows[0], rejected))
        kept.append(example)
    rendered = render_examples(kept, tokenizer, options, context, end_ids, encoder_decoder=encoder_decoder)
    return PairResult(replace(rendered, refusals=(*refusals, *rendered.refusals)), tuple(pairs))


def _worse(example: Example) -> Example:
    """The conversation with the worse answer as its last turn."""
    last = replace(example.messages[-1], content=example.rejected or "")
    return replace(example, messages=(*example.messages[:-1], last), rejected=None)


def _require_difference(example: Example) -> None:
    worse = (example.rejected or "").strip()
    if not worse:
        fix = "Write the worse answer, or remove the row"
        raise row_error("the worse answer is empty", field="rejected", fix=fix)
    if worse in (answer.strip() for answer in (example.reference, *example.references)):
        fix = "Give two answers that differ, or remove the row"
        raise row_error("the worse answer is also a good one", field="rejected", value=worse[:60], fix=fix)
