"""Conversations for an encoder and a decoder: what each side reads."""

from __future__ import annotations

import pytest

from atanor.data import Example, Message, Speaker, render_examples
from atanor.data.options import RenderOptions, TooLong
from atanor.data.rendering import prompt_tokens
from atanor.models import encode_halves, encode_pair, encode_source
from tests.tiny import tiny_pair_tokenizer

PLAIN = tiny_pair_tokenizer(begins=False)
FRAMED = tiny_pair_tokenizer(begins=True)
END = frozenset({1})


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def sides(turns: list[dict[str, str]]) -> tuple[str, str]:
    pair = encode_pair(PLAIN, turns, END)
    (span,) = pair.spans
    assert span.end == len(pair.tokens) and span.message == len(turns) - 1
    return PLAIN.decode(pair.tokens[: span.start]), PLAIN.decode(pair.tokens[span.start :])


def test_one_question_is_read_as_it_is() -> None:
    assert sides([turn("user", "two and two"), turn("assistant", "four")]) == ("two and two</s>", "four</s>")


def test_an_instruction_stands_above_it() -> None:
    turns = [turn("system", "Add."), turn("user", "two and two"), turn("assistant", "four")]
    assert sides(turns)[0] == "Add.\ntwo and two</s>"


def test_where_an_earlier_answer_is_read_too_every_turn_has_its_speaker() -> None:
    turns = [
        turn("system", "Add."),
        turn("user", "1"),
        turn("assistant", "2"),
        turn("user", "3"),
        turn("assistant", "4"),
    ]
    assert sides(turns) == ("Add.\nuser: 1\nassistant: 2\nuser: 3</s>", "4</s>")


def test_a_tokenizer_that_begins_texts_begins_both_sides() -> None:
    pair = encode_pair(FRAMED, [turn("user", "two"), turn("assistant", "four")], END)
    start = pair.spans[0].start
    assert pair.tokens[0] == pair.tokens[start] == 2 and pair.tokens[start - 1] == pair.tokens[-1] == 1


def test_a_chat_template_is_kept_to_where_there_is_one() -> None:
    templated = tiny_pair_tokenizer(begins=False)
    templated.chat_template = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}{% endfor %}</s>"
    assert templated.decode(encode_source(templated, [turn("user", "two")])) == "[user] two</s>"


def test_plain_text_is_told_from_its_first_half() -> None:
    text = "Ask for the map of the seventh floor."
    halves, size = encode_halves(PLAIN, text, END)
    start = halves.spans[0].start
    first, second = PLAIN.decode(halves.tokens[:start]), PLAIN.decode(halves.tokens[start:])
    assert (first, second) == ("Ask for the map of</s>", "the seventh floor.</s>")
    assert size == len("the seventh floor.")


def example(*contents: str, text: str | None = None) -> Example:
    speakers = [Speaker.USER, Speaker.ASSISTANT] * 3
    messages = tuple(Message(speaker, content) for speaker, content in zip(speakers, contents, strict=False))
    return Example(messages=messages, text=text, source="rows.jsonl", line=1)


def test_a_row_begins_with_what_the_base_is_asked_and_weighs_the_answer() -> None:
    rendered = render_examples([example("one", "two")], PLAIN, RenderOptions(), 64, END, encoder_decoder=True)
    (row,) = rendered.rows
    prompt = prompt_tokens(example("one", "two"), PLAIN, encoder_decoder=True)
    assert row.tokens[: len(prompt)] == prompt
    assert row.weights == (0.0,) * len(prompt) + (1.0,) * (len(row.tokens) - len(prompt))
    assert row.supervised_bytes == 3


@pytest.mark.parametrize(
    ("given", "options", "reason"),
    [
        (example(text="A plain text."), RenderOptions(), "no prompt that the encoder could read"),
        (
            example("a " * 9, "b " * 30),
            RenderOptions(max_tokens=20, too_long=TooLong.TRUNCATE_LEFT),
            "nothing of the prompt is left",
        ),
    ],
    ids=["plain text", "no room for the prompt"],
)
def test_rows_that_have_only_one_side_are_refused(given: Example, options: RenderOptions, reason: str) -> None:
    rendered = render_examples([given], PLAIN, options, 64, END, encoder_decoder=True)
    assert not rendered.rows and reason in rendered.refusals[0].reason


def test_the_beginning_of_a_long_prompt_may_be_cut() -> None:
    options = RenderOptions(max_tokens=12, too_long=TooLong.TRUNCATE_LEFT)
    rendered = render_examples([example("a " * 30, "yes")], PLAIN, options, 64, END, encoder_decoder=True)
    (row,) = rendered.rows
    assert len(row.tokens) == 12 and rendered.truncated == 1
    assert PLAIN.decode([token for token, weight in zip(row.tokens, row.weights, strict=True) if weight]) == "yes</s>"
