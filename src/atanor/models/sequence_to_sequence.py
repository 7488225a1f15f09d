"""Conversations for a base of an encoder and a decoder (T5, BART): the prompt goes to one, the answer to the other.

Everything before the last answer is the prompt. A base with a chat template has it rendered by that. One without (most)
has it as plain text: the messages one below the other, and, where an earlier answer is among them, each turn after its
speaker's name, because nothing else tells who said what. Both sides get the special tokens that the tokenizer puts
around a text by itself.

A pair is written as one sequence, prompt first: what has a loss weight is the answer, and what stands before it the
prompt. So rows, windows and objectives are the same for every base.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from atanor.errors import DataError, Problem
from atanor.models.chat_template import ChatTurn, EncodedChat, Span, encode_prompt
from atanor.models.load import Base


def encode_question(base: Base, turns: Sequence[ChatTurn]) -> tuple[int, ...]:
    """Tokens a base is given to produce the next assistant turn, whether it has an encoder or not.

    Raises:
        BaseModelError: see `encode_prompt`.
    """
    encode = encode_source if base.encoder_decoder else encode_prompt
    return encode(base.tokenizer, turns)


def encode_source(tokenizer: PreTrainedTokenizerBase, turns: Sequence[ChatTurn]) -> tuple[int, ...]:
    """Tokens an encoder reads before its decoder produces the next assistant turn.

    Raises:
        BaseModelError: there is a chat template, and it refuses these turns.
    """
    if tokenizer.chat_template:
        return encode_prompt(tokenizer, turns)
    return tuple(tokenizer(_plain(turns))["input_ids"])


def encode_pair(tokenizer: PreTrainedTokenizerBase, turns: Sequence[ChatTurn], end_ids: frozenset[int]) -> EncodedChat:
    """Tokens of the prompt and, behind them, of the last turn with its span.

    Args:
        tokenizer: the base model's.
        turns: the conversation; the last turn is the assistant's.
        end_ids: from `end_of_turn_ids`.

    Raises:
        BaseModelError: see `encode_source`.
        DataError: the prompt or the answer has no token.
    """
    source = encode_source(tokenizer, turns[:-1])
    target = _target(tokenizer, turns[-1]["content"], end_ids)
    return _joined(source, target, len(turns) - 1)


def encode_halves(tokenizer: PreTrainedTokenizerBase, text: str, end_ids: frozenset[int]) -> tuple[EncodedChat, int]:
    """A plain text whose first half is the prompt and whose second half the answer, cut between words.

    T5's own training on plain text does the same (Raffel et al. 2020, arXiv:1910.10683, section 3.2.3).

    Returns:
        The tokens, and UTF-8 bytes of the second half.
    """
    cut = text.find(" ", len(text) // 2)
    cut = cut if cut > 0 else len(text) // 2
    source = tuple(tokenizer(text[:cut])["input_ids"])
    return _joined(source, _target(tokenizer, text[cut:].lstrip(), end_ids), 0), len(text[cut:].lstrip().encode())


def _joined(source: tuple[int, ...], target: tuple[int, ...], message: int) -> EncodedChat:
    if not source or not target:
        empty = "prompt" if not source else "answer"
        reason = f"the {empty} has no token, and each side of the base needs one"
        raise DataError("a row has only one side", [Problem(reason, field=f"messages[{message}].content")])
    return EncodedChat((*source, *target), (Span(message, len(source), len(source) + len(target)),))


def _target(tokenizer: PreTrainedTokenizerBase, answer: str, end_ids: frozenset[int]) -> tuple[int, ...]:
    tokens = tuple(tokenizer(text_target=answer)["input_ids"])
    # Some tokenizers put no end; a model that never sees one never stops.
    return tokens if tokens and tokens[-1] in end_ids else (*tokens, min(end_ids))


def _plain(turns: Sequence[ChatTurn]) -> str:
    named = any(turn["role"] == "assistant" for turn in turns)
    return "\n".join(
        f"{turn['role']}: {turn['content']}" if named and turn["role"] != "system" else turn["content"]
        for turn in turns
    )
