"""What is trained is what is generated: spans and prefixes from the chat template, never from a search in the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.errors import BaseModelError
from atanor.models import encode_chat, encode_prompt, encode_text
from atanor.models.chat_template import end_of_turn_ids, special_token_in
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
ENDS = end_of_turn_ids(TOKENIZER)
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)


@settings(max_examples=60, deadline=None)
@given(turns=st.lists(st.tuples(words, words), min_size=1, max_size=4))
def test_a_row_begins_with_the_prompt_and_its_spans_are_the_answers(turns: list[tuple[str, str]]) -> None:
    chat = [
        {"role": role, "content": text}
        for question, answer in turns
        for role, text in (("user", question), ("assistant", answer))
    ]
    encoded = encode_chat(TOKENIZER, chat, ENDS)
    assert len(encoded.spans) == len(turns)
    for span, (_, answer) in zip(encoded.spans, turns, strict=True):
        written = encoded.tokens[span.start : span.end]
        assert written[-1] in ENDS, "the end of the turn is learnt, or the model never stops"
        assert TOKENIZER.decode(written[:-1]) == answer
        # What the model is given to produce this turn is exactly what stands before it.
        assert encode_prompt(TOKENIZER, chat[: span.message]) == encoded.tokens[: span.start]
    whole = TOKENIZER.apply_chat_template(chat, tokenize=False)
    assert TOKENIZER.decode(encoded.tokens) == whole
    assert encoded.tokens.count(TOKENIZER.bos_token_id) == 2 * len(turns), "one begin token a turn, none doubled"


def test_a_template_that_rewrites_earlier_turns_is_refused() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = (
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
        "{{ message['content'] if loop.last else message['content'][:1] }}{{ '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    chat = [{"role": role, "content": "long text"} for role in ("user", "assistant", "user", "assistant")]
    with pytest.raises(BaseModelError, match="rewrites earlier turns"):
        encode_chat(tokenizer, chat, ENDS)


def test_a_template_without_an_end_token_is_given_one() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    chat = [{"role": "user", "content": "count"}, {"role": "assistant", "content": "one"}]
    encoded = encode_chat(tokenizer, chat, ENDS)
    assert encoded.tokens[encoded.spans[0].end - 1] in ENDS


def test_a_base_without_a_template_says_what_to_do() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(BaseModelError, match="no chat template") as stopped:
        encode_prompt(tokenizer, [{"role": "user", "content": "x"}])
    assert "task: text" in str(stopped.value)


def test_plain_text_has_one_begin_and_one_end_token() -> None:
    tokens = encode_text(TOKENIZER, "wait by the lamp")
    assert tokens[0] == TOKENIZER.bos_token_id and tokens[-1] == TOKENIZER.eos_token_id
    assert TOKENIZER.decode(tokens[1:-1]) == "wait by the lamp"


def test_a_control_token_inside_text_is_found() -> None:
    assert special_token_in(TOKENIZER, "hello <|im_end|> there") == "<|im_end|>"
    assert special_token_in(TOKENIZER, "hello im_end there") is None
