"""Examples to tokens with a weight each: what is supervised is known from the turns, never searched in the text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atanor.data.options import RenderOptions, TooLong, TrainOn
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Example, Refusal, Speaker, TokenRow
from atanor.errors import AtanorError, BaseModelError, ConfigurationError, DataError, Problem

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# `models.chat_template` is imported where it is used: it loads transformers, and reading data does not need it.


@dataclass(frozen=True)
class RenderResult:
    """Rendered rows in the order of their examples. `len(rows) + len(refusals)` is the number of examples.

    Attributes:
        rows: what can be trained on.
        refusals: examples that cannot be rendered, each with its reason.
        truncated: rows that were cut to the limit, as `too_long` asks.
    """

    rows: tuple[TokenRow, ...]
    refusals: tuple[Refusal, ...]
    truncated: int


@dataclass(frozen=True)
class _Weighted:
    """Tokens with a weight each, before the limit; `bytes` is the UTF-8 length of the supervised text."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]
    bytes: int


def render_examples(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    options: RenderOptions,
    context: int,
    end_ids: frozenset[int],
) -> RenderResult:
    """Render every example through the base's chat template.

    What cannot be rendered is a refusal, even when that is every example: the caller keeps them before it stops.

    Args:
        examples: conversations and plain texts.
        tokenizer: the base model's.
        options: the limit, what happens to longer rows, which turns are supervised.
        context: the base model's context in tokens.
        end_ids: from `chat_template.end_of_turn_ids`.

    Raises:
        BaseModelError: the base has no chat template and the examples are conversations.
        ConfigurationError: `max_tokens` is more than the context.
    """
    limit = _limit(options, context)
    rows: list[TokenRow] = []
    refusals: list[Refusal] = []
    truncated = 0
    for example in examples:
        try:
            whole = _weighted(example, tokenizer, options.train_on, end_ids)
            row = _within(example, whole, tokenizer, options.too_long, limit)
        except (DataError, BaseModelError) as error:
            if example.messages and not tokenizer.chat_template:
                raise
            refusals.append(_refused(example, error))
            continue
        rows.append(row)
        truncated += len(row.tokens) < len(whole.tokens)
    return RenderResult(tuple(rows), tuple(refusals), truncated)


def prompt_tokens(example: Example, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """Tokens the model is given to produce `example.reference`.

    The example's row begins with exactly these when only its last turn is supervised. When earlier answers are too,
    the first token of each stands alone, as it was generated, and is not merged with the template before it.
    Of a plain text they are the tokenizer's begin token, or nothing.

    Raises:
        BaseModelError: the base has no chat template, or it refuses the conversation.
    """
    from atanor.models.chat_template import encode_prompt

    if not example.messages:
        return () if tokenizer.bos_token_id is None else (int(tokenizer.bos_token_id),)
    return encode_prompt(tokenizer, _turns(example)[:-1])


def _limit(options: RenderOptions, context: int) -> int:
    if options.max_tokens is None:
        return context
    if options.max_tokens > context:
        fix = f"Write {context} or less, or choose a base with a longer context"
        reason = f"the base's context has {context} tokens"
        problem = Problem(reason, field="render.max_tokens", value=str(options.max_tokens), fix=fix)
        raise ConfigurationError("rows cannot be longer than the base's context", [problem])
    return options.max_tokens


def _turns(example: Example) -> list[dict[str, str]]:
    return [{"role": message.speaker.value, "content": message.content} for message in example.messages]


def _weighted(
    example: Example, tokenizer: PreTrainedTokenizerBase, train_on: TrainOn, end_ids: frozenset[int]
) -> _Weighted:
    """The whole example as tokens with weights."""
    _refuse_control_tokens(example, tokenizer)
    if example.messages:
        return _weighted_chat(example, tokenizer, train_on, end_ids)
    from atanor.models.chat_template import encode_text

    text = example.text or ""
    tokens = encode_text(tokenizer, text)
    weights = (1.0,) * len(tokens)
    if tokenizer.bos_token_id is not None and tokens[0] == tokenizer.bos_token_id:
        return _Weighted(tokens, weights, len(text.encode()))
    # Nothing predicts the first token, so its bytes must not count in bits per byte either.
    return _Weighted(tokens, weights, _supervised_bytes(tokens, weights, tokenizer))


def _weighted_chat(
    example: Example, tokenizer: PreTrainedTokenizerBase, train_on: TrainOn, end_ids: frozenset[int]
) -> _Weighted:
    from atanor.models.chat_template import encode_chat

    supervised = _supervised_turns(example, train_on)
    encoded = encode_chat(tokenizer, _turns(example), end_ids)
    if encoded.spans[0].start == 0:
        fix = "Use a base whose template shows the user's turns"
        raise row_error("the chat template of this base shows nothing of the prompt", field="messages", fix=fix)
    tokens = encoded.tokens
    spans = [(span.start, span.end) for span in encoded.spans if span.message in supervised]
    if len(encoded.spans) > 1 and supervised == {len(example.messages) - 1}:
        # A server tokenizes the earlier turns in one piece, not turn by turn, and the row has to begin as it does.
        last = encoded.spans[-1]
        prompt = prompt_tokens(example, tokenizer)
        tokens = (*prompt, *tokens[last.start :])
        spans = [(len(prompt), len(prompt) + last.end - last.start)]
    weights = [0.0] * len(tokens)
    for start, end in spans:
        weights[start:end] = [1.0] * (end - start)
    size = sum(len(example.messages[index].content.encode()) for index in supervised)
    return _Weighted(tokens, tuple(weights), size)


def _supervised_turns(example: Example, train_on: TrainOn) -> frozenset[int]:
    """Numbers of the messages that carry loss: as the option says, unless the message says otherwise."""
    last = len(example.messages) - 1
    turns = frozenset(
        index
        for index, message in enumerate(example.messages)
        if message.speaker is Speaker.ASSISTANT
        and (message.train if message.train is not None else train_on is TrainOn.ALL_ASSISTANT_TURNS or index == last)
    )
    if not turns:
        raise row_error(
            f"nothing to learn: with `train_on: {train_on}` and the weights of the row no turn carries loss",
            field=f"messages[{last}].weight",
            fix="Give the turn to learn a weight of 1, or set `train_on: all_assistant_turns`",
        )
    return turns


def _refuse_control_tokens(example: Example, tokenizer: PreTrainedTokenizerBase) -> None:
    from atanor.models.chat_template import special_token_in

    contents = [(f"messages[{index}].content", message.content) for index, message in enumerate(example.messages)]
    for field, content in contents or [("text", example.text or "")]:
        token = special_token_in(tokenizer, content)
        if token is not None:
            fix = "Write it otherwise, or remove it: in text it would act as a control token"
            raise row_error("the text holds a special token of this base", field=field, value=token, fix=fix)


def _within(
    example: Example, whole: _Weighted, tokenizer: PreTrainedTokenizerBase, too_long: TooLong, limit: int
) -> TokenRow:
    """The row within the limit, cut as the option says, or the refusal of a row that has nothing to learn there."""
    tokens, weights, size = whole.tokens, whole.weights, whole.bytes
    excess = len(tokens) - limit
    if excess > 0 and too_long is TooLong.REFUSE:
        fix = "Shorten the row, raise `max_tokens` if the base allows it, or set `too_long` to cut it"
        raise row_error(f"the row has {len(tokens)} tokens, and the limit is {limit}", fix=fix)
    if excess > 0:
        kept = slice(excess, None) if too_long is TooLong.TRUNCATE_LEFT else slice(limit)
        tokens, weights = tokens[kept], weights[kept]
        size = _supervised_bytes(tokens, weights, tokenizer)
    row = TokenRow(example.id, tokens, weights, size)
    if row.supervised == 0:
        if excess > 0:
            reason = f"nothing to learn is left after `{too_long}` to {limit} tokens of {len(whole.tokens)}"
            raise row_error(reason, fix="Shorten the row, or cut it at the other end")
        if not example.messages:
            raise row_error(
                "the text is a single token, and nothing predicts it", field="text", fix="Write a longer text"
            )
        reason = "the chat template of this base gives no token of the row a weight; nothing would be learned"
        raise row_error(reason, fix="Use a base whose chat template shows the assistant's turns")
    return row


def _supervised_bytes(tokens: Sequence[int], weights: Sequence[float], tokenizer: PreTrainedTokenizerBase) -> int:
    """UTF-8 bytes of the tokens that are predicted and have a weight, special tokens aside."""
    predicted = [token for token, weight in list(zip(tokens, weights, strict=True))[1:] if weight > 0]
    text = tokenizer.decode(predicted, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return len(str(text).encode())


def _refused(example: Example, error: AtanorError) -> Refusal:
    raw = json.dumps(dict(example.fields), ensure_ascii=False, default=str)
    return refusal_of(error, example.source, example.line, raw)
