"""Texts of probes as tokens, as lm-evaluation-harness makes them, so that scores can be set beside published ones."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from atanor.models import Base, encode_prompt


@dataclass(frozen=True)
class ScoredText:
    """A row whose last part is scored: `atanor.compute.WeightedTokens`."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]


def scored(context: tuple[int, ...], continuation: tuple[int, ...], limit: int) -> ScoredText:
    """The continuation scored after its context, of which the beginning is left out where both exceed the limit."""
    tokens = (*context, *continuation)[-limit:]
    supervised = min(len(continuation), len(tokens) - 1)
    return ScoredText(tokens, (0.0,) * (len(tokens) - supervised) + (1.0,) * supervised)


def text_tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, ...]:
    """A text alone, without the tokenizer's own begin or end."""
    return tuple(tokenizer.encode(text, add_special_tokens=False))


def after_context(
    tokenizer: PreTrainedTokenizerBase, context: str, continuation: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tokens of both, cut where the context's own tokens end; spaces that end the context begin the continuation.

    An empty context is the token that begins a text.
    """
    spaces = len(context) - len(context.rstrip())
    if spaces:
        context, continuation = context[:-spaces], context[-spaces:] + continuation
    if not context:
        return (first_token(tokenizer),), text_tokens(tokenizer, continuation)
    whole, first = text_tokens(tokenizer, context + continuation), text_tokens(tokenizer, context)
    return whole[: len(first)], whole[len(first) :]


def first_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """What a text begins with: the tokenizer's begin, or its end where it has none."""
    begin = tokenizer.bos_token_id
    return int(tokenizer.eos_token_id if begin is None else begin)


def asked_prompt(base: Base, text: str) -> tuple[int, ...]:
    """A prompt as the base is asked it: in its chat template, or as a line where it has none."""
    if base.tokenizer.chat_template:
        return encode_prompt(base.tokenizer, [{"role": "user", "content": text}])
    return (first_token(base.tokenizer), *text_tokens(base.tokenizer, f"{text}\n"))
