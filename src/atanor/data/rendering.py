"""Examples to tokens with a weight each: what is supervised is known from the turns, never searched in the text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atanor.data.fitting import WeightedTokens, fit_row, supervised_bytes
from atanor.data.options import RenderOptions, TooLong, TrainOn
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Example, Refusal, Speaker, TokenRow
from atanor.errors import AtanorError, BaseModelError, ConfigurationError, DataError, Problem

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# `models.chat_template` is imported where it is used: it loads transformers, and reading data does not need it.


@dataclass(frozen=True)
class RenderResult:
    """Rendered rows in the order of their examples. `used + len(refusals)` is the number of examples.

    Attributes:
        rows: what can be trained on; the parts of a split example follow one another and share its id.
        refusals: examples that cannot be rendered, each with its reason.
        truncated: examples that were cut to the limit, as `too_long` asks.
        split: examples that were made into several rows.
        parts: rows that the split examples were made into.
    """

    rows: tuple[TokenRow, ...]
    refusals: tuple[Refusal, ...]
    truncated: int
    split: int = 0
    parts: int = 0

    @property
    def used(self) -> int:
        """Examples that have a row: each row is one, but for the parts of a split example."""
        return len(self.rows) - self.parts + self.split


def render_examples(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    options: RenderOptions,
    context: int,
    end_ids: frozenset[int],
    *,
    encoder_decoder: bool = False,
) -> RenderResult:
    """Render every example through the base's chat template.

    What cannot be rendered is a refusal, even when that is every example: the caller keeps them before it stops.

    Args:
        examples: conversations and plain texts.
        tokenizer: the base model's.
        options: the limit, what happens to longer rows, which turns are supervised.
        context: the base model's context in tokens.
        end_ids: from `chat_template.end_of_turn_ids`.
        encoder_decoder: an encoder reads the prompt and a decoder writes the answer; no chat template is needed then.

    Raises:
        BaseModelError: the base has no chat template and the examples are conversations.
        ConfigurationError: `max_tokens` is more than the context.
    """
    limit = _limit(options, context)
    rows: list[TokenRow] = []
    refusals: list[Refusal] = []
    truncated = split = parts = 0
    for example in examples:
        try:
            weighted = _weighted_pair if encoder_decoder else _weighted
            whole = weighted(example, tokenizer, options.train_on, end_ids)
            fitted = fit_row(example.id, whole, tokenizer, options, limit)
            _require_something_to_learn(example, fitted[0])
            if encoder_decoder:
                _require_a_prompt(fitted[0])
        except (DataError, BaseModelError) as error:
            if example.messages and not tokenizer.chat_template and not encoder_decoder:
                raise
            refusals.append(refused(example, error))
            continue
        rows.extend(fitted)
        if len(whole.tokens) > limit and options.too_long is TooLong.SPLIT:
            split += 1
            parts += len(fitted)
        else:
            truncated += len(whole.tokens) > limit
    return RenderResult(tuple(rows), tuple(refusals), truncated, split, parts)


def prompt_tokens(
    example: Example, tokenizer: PreTrainedTokenizerBase, *, encoder_decoder: bool = False
) -> tuple[int, ...]:
    """Tokens the model is given to produce `example.reference`.

    The example's row begins with exactly these when only its last turn is supervised. When earlier answers are too,
    the first token of each stands alone, as it was generated, and is not merged with the template before it.
    Of a plain text they are the tokenizer's begin token, or nothing.

    Raises:
        BaseModelError: the base has no chat template, or it refuses the conversation.
    """
    from atanor.models.chat_template import encode_prompt
    from atanor.models.sequence_to_sequence import encode_source

    if encoder_decoder:
        return encode_source(tokenizer, _turns(example)[:-1])
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
    """The conversation as templates take it: roles and texts."""
    for index, message in enumerate(example.messages):
        if message.calls is not None:
            reason = "the turn calls tools, and templates are given texts only, so that the call would be dropped"
            fix = "Write the call as text, or remove the row"
            raise row_error(reason, field=f"messages[{index}].tool_calls", fix=fix)
    return [{"role": message.speaker.value, "content": message.content} for message in example.messages]


def _weighted(
    example: Example, tokenizer: PreTrainedTokenizerBase, train_on: TrainOn, end_ids: frozenset[int]
) -> WeightedTokens:
    """The whole example as tokens with weights."""
    _refuse_control_tokens(example, tokenizer)
    if example.messages:
        return _weighted_chat(example, tokenizer, train_on, end_ids)
    from atanor.models.chat_template import encode_text

    text = example.text or ""
    tokens = encode_text(tokenizer, text)
    weights = (1.0,) * len(tokens)
    if tokenizer.bos_token_id is not None and tokens[0] == tokenizer.bos_token_id:
        return WeightedTokens(tokens, weights, len(text.encode()), head=1)
    # Nothing predicts the first token, so its bytes must not count in bits per byte either.
    return WeightedTokens(tokens, weights, supervised_bytes(tokens, weights, tokenizer), head=0)


def _weighted_pair(
    example: Example, tokenizer: PreTrainedTokenizerBase, train_on: TrainOn, end_ids: frozenset[int]
) -> WeightedTokens:
    """Prompt and answer as one sequence, the weights on the answer."""
    from atanor.models.sequence_to_sequence import encode_pair

    _refuse_control_tokens(example, tokenizer)
    if not example.messages:
        fix = "Give rows of a prompt and an answer, or use a base without an encoder"
        raise row_error("a plain text has no prompt that the encoder could read", field="text", fix=fix)
    last = len(example.messages) - 1
    if _supervised_turns(example, train_on) != {last}:
        fix = "Give earlier turns a weight of 0; of a conversation, the last answer is what the decoder writes"
        raise row_error("an earlier answer carries loss, and the encoder reads it", field="messages", fix=fix)
    encoded = encode_pair(tokenizer, _turns(example), end_ids)
    start = encoded.spans[0].start
    weights = (0.0,) * start + (1.0,) * (len(encoded.tokens) - start)
    return WeightedTokens(encoded.tokens, weights, len(example.messages[last].content.encode()), start)


def _weighted_chat(
    example: Example, tokenizer: PreTrainedTokenizerBase, train_on: TrainOn, end_ids: frozenset[int]
) -> WeightedTokens:
    from atanor.models.chat_template import encode_chat

    supervised = _supervised_turns(example, train_on)
    encoded = encode_chat(tokenizer, _turns(example), end_ids)
    if encoded.spans[0].start == 0:
        fix = "Use a base whose template shows the user's turns"
        raise row_error("the chat template of this base shows nothing of the prompt", field="messages", fix=fix)
    tokens = encoded.tokens
    spans = [(span.start, span.end) for span in encoded.spans if span.message in supervised]
    head = encoded.spans[-1].start
    if len(encoded.spans) > 1 and supervised == {len(example.messages) - 1}:
        # A server tokenizes the earlier turns in one piece, not turn by turn, and the row has to begin as it does.
        last = encoded.spans[-1]
        prompt = prompt_tokens(example, tokenizer)
        tokens = (*prompt, *tokens[last.start :])
        spans = [(len(prompt), len(prompt) + last.end - last.start)]
        head = len(prompt)
    weights = [0.0] * len(tokens)
    for start, end in spans:
        weights[start:end] = [1.0] * (end - start)
    size = sum(len(example.messages[index].content.encode()) for index in supervised)
    return WeightedTokens(tokens, tuple(weights), size, head)


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


def _require_a_prompt(row: TokenRow) -> None:
    if row.weights[0] > 0:
        reason = f"nothing of the prompt is left: the answer alone has at least {len(row.tokens)} tokens"
        raise row_error(reason, fix="Shorten the answer, or raise `max_tokens` if the base allows it")


def _require_something_to_learn(example: Example, row: TokenRow) -> None:
    if row.supervised:
        return
    if not example.messages:
        raise row_error("the text is a single token, and nothing predicts it", field="text", fix="Write a longer text")
    reason = "the chat template of this base gives no token of the row a weight; nothing would be learned"
    raise row_error(reason, fix="Use a base whose chat template shows the assistant's turns")


def refused(example: Example, error: AtanorError) -> Refusal:
    """An example that cannot be rendered, with the reason."""
    raw = json.dumps(dict(example.fields), ensure_ascii=False, default=str)
    return refusal_of(error, example.source, example.line, raw)
