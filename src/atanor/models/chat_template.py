"""From messages to tokens through the model's own chat template, with the span of every assistant turn.

The loss weight of a token comes from these spans, never from a search in the text. A conversation is rendered turn by
turn: the tokens before an assistant turn are exactly the tokens the model is given when it has to produce that turn
(`add_generation_prompt=True`), and the turn's own tokens are what the template adds after them, up to and including
the end-of-turn token. So what is trained is what is generated, by construction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from atanor.errors import BaseModelError, DataError, Problem

ChatTurn = Mapping[str, str]
"""One message as chat templates take it: `role` and `content`."""


@dataclass(frozen=True)
class Span:
    """Tokens `start:end` that the model itself produces for message number `message`, end-of-turn token included."""

    message: int
    start: int
    end: int


@dataclass(frozen=True)
class EncodedChat:
    """A conversation as tokens and the spans of its assistant turns."""

    tokens: tuple[int, ...]
    spans: tuple[Span, ...]


def end_of_turn_ids(tokenizer: PreTrainedTokenizerBase, extra: Sequence[int] = ()) -> frozenset[int]:
    """Token ids that end an assistant turn: the tokenizer's end token and those of the generation settings."""
    ids = set(extra)
    if tokenizer.eos_token_id is not None:
        ids.add(int(tokenizer.eos_token_id))
    return frozenset(ids)


def special_token_in(tokenizer: PreTrainedTokenizerBase, text: str) -> str | None:
    """The first special token whose written form stands inside `text`, where it would act as a control token."""
    return next((token for token in tokenizer.all_special_tokens if token and token in text), None)


def encode_prompt(tokenizer: PreTrainedTokenizerBase, turns: Sequence[ChatTurn]) -> tuple[int, ...]:
    """Tokens a model is given to produce the next assistant turn.

    Raises:
        BaseModelError: the tokenizer has no chat template, or the template refuses these turns.
    """
    return _tokens(tokenizer, _render(tokenizer, turns, generation_prompt=True))


def encode_chat(tokenizer: PreTrainedTokenizerBase, turns: Sequence[ChatTurn], end_ids: frozenset[int]) -> EncodedChat:
    """Tokens of a whole conversation and the span of every assistant turn.

    Args:
        tokenizer: the base model's tokenizer, with its chat template.
        turns: the conversation; the last turn is the assistant's.
        end_ids: from `end_of_turn_ids`.

    Raises:
        BaseModelError: no template, or the template rewrites earlier turns when a later one is added, so that no
            training row can equal what the model sees when it answers.
        DataError: the template shows nothing of an assistant turn, so that there is nothing to learn.
    """
    tokens: list[int] = []
    spans: list[Span] = []
    written = ""
    for index, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        before = _render(tokenizer, turns[:index], generation_prompt=True)
        after = _render(tokenizer, turns[: index + 1], generation_prompt=False)
        if not before.startswith(written) or not after.startswith(before):
            raise BaseModelError(
                "the chat template of this base rewrites earlier turns when a later one is added",
                [
                    Problem(
                        reason="training rows could not equal what the model sees when it answers",
                        field=f"messages[{index}]",
                        value=repr(after[:80]),
                        fix="Train on single-turn rows, or use a base whose template only appends",
                    )
                ],
            )
        tokens.extend(_tokens(tokenizer, before[len(written) :]))
        answer = _tokens(tokenizer, after[len(before) :])
        end = next((place + 1 for place, token in enumerate(answer) if token in end_ids), None)
        if not answer or end == 1:
            raise DataError(
                "the chat template of this base shows nothing of an assistant turn",
                [Problem(reason="the rendered turn is empty", field=f"messages[{index}].content")],
            )
        if end is None:
            # A template without an end-of-turn token teaches a model that never stops (trl#1623).
            answer, end = (*answer, min(end_ids)), len(answer) + 1
        spans.append(Span(index, len(tokens), len(tokens) + end))
        tokens.extend(answer)
        written = after
    return EncodedChat(tuple(tokens), tuple(spans))


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
    """Tokens of a plain text as a language model trains on it: the tokenizer's own begin and end tokens around it."""
    inner = _tokens(tokenizer, text)
    begin = (
        () if tokenizer.bos_token_id is None or inner[:1] == (tokenizer.bos_token_id,) else (tokenizer.bos_token_id,)
    )
    end = () if tokenizer.eos_token_id is None else (tokenizer.eos_token_id,)
    return (*begin, *inner, *end)


def _render(tokenizer: PreTrainedTokenizerBase, turns: Sequence[ChatTurn], *, generation_prompt: bool) -> str:
    if not tokenizer.chat_template:
        raise BaseModelError(
            "this base has no chat template",
            [
                Problem(
                    reason="conversations cannot be rendered without one",
                    field="base",
                    fix="Use an instruction-tuned base, or set `task: text` and plain-text rows",
                )
            ],
        )
    try:
        rendered = tokenizer.apply_chat_template(
            [dict(turn) for turn in turns], tokenize=False, add_generation_prompt=generation_prompt
        )
    except (
        Exception
    ) as error:  # Templates raise their own jinja errors ("roles must alternate"); all mean the same here.
        raise BaseModelError(
            "the chat template of this base refuses the conversation",
            [Problem(reason=str(error), field="messages", value=", ".join(turn["role"] for turn in turns))],
        ) from error
    return str(rendered)


def _tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
    # The template has written the special tokens; the tokenizer must not add its own (doubled BOS: Soup#781).
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
