"""How a text reaches a classifier: a decoder reads what it would be asked to answer, an encoder the words alone."""

from __future__ import annotations

from collections.abc import Sequence

from atanor.data.options import TooLong
from atanor.data.rows import Message, Speaker
from atanor.errors import DataError, Problem
from atanor.models import Classifying, encode_prompt


class TextReader:
    """Turns conversations into what a classifier reads, and counts those it cuts.

    A decoder reads the prompt of its chat template, system message and all, up to where it would answer; one without a
    template reads the plain text. An encoder reads the turns but for system messages, between its own marks.

    Args:
        classifying: the base with its head.
        too_long: what happens to texts longer than it can read.

    Attributes:
        cut: texts that were cut so far.
    """

    def __init__(self, classifying: Classifying, too_long: TooLong) -> None:
        self.classifying = classifying
        self.too_long = too_long
        self.cut = 0
        base = classifying.base
        self.limit = min(base.context, base.tokenizer.model_max_length)

    def __call__(self, turns: Sequence[Message], source: str = "", line: int | None = None) -> tuple[int, ...]:
        """Tokens of what leads to the answer.

        Args:
            turns: the conversation without the answer.
            source: file it is from, for errors.
            line: its line there.

        Raises:
            DataError: it is longer than the classifier can read, and `too_long` is `refuse`.
        """
        before, inner, after = self._parts(turns)
        room = self.limit - len(before) - len(after)
        if len(inner) > room:
            if self.too_long is TooLong.REFUSE:
                raise self._too_long(len(inner) + len(before) + len(after), source, line)
            self.cut += 1
            inner = _cut(inner, room, self.too_long)
        return (*before, *inner, *after)

    def _parts(self, turns: Sequence[Message]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """What stands before a text, the text, and what stands after it."""
        tokenizer = self.classifying.base.tokenizer
        if not self.classifying.is_encoder and tokenizer.chat_template:
            said = [{"role": str(turn.speaker), "content": turn.content} for turn in turns]
            return (), encode_prompt(tokenizer, said), ()
        text = "\n\n".join(turn.content for turn in turns if turn.speaker is not Speaker.SYSTEM)
        inner = tuple(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        if not self.classifying.is_encoder:
            begin = tokenizer.bos_token_id
            return (() if begin is None or inner[:1] == (begin,) else (int(begin),)), inner, ()
        whole = tuple(tokenizer(text, verbose=False)["input_ids"])
        start = next(at for at in range(len(whole) + 1) if whole[at : at + len(inner)] == inner)
        return whole[:start], inner, whole[start + len(inner) :]

    def _too_long(self, tokens: int, source: str, line: int | None) -> DataError:
        reference = self.classifying.base.local.reference
        problem = Problem(
            f"the text has {tokens} tokens, and {reference} reads {self.limit}",
            file=source or None,
            line=line,
            field="render.too_long",
            value=str(self.too_long),
            fix="Write `truncate_right`, or give the classifier a base that reads more",
        )
        return DataError("a text is longer than the classifier can read", [problem])


def _cut(tokens: tuple[int, ...], room: int, how: TooLong) -> tuple[int, ...]:
    if how is TooLong.TRUNCATE_LEFT:
        return tokens[-room:]
    if how is TooLong.TRUNCATE_MIDDLE:
        tail = room // 2
        return (*tokens[: room - tail], *tokens[len(tokens) - tail :])
    return tokens[:room]
