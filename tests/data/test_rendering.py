"""What is supervised is the assistant's words and the token that ends them, and rows begin as generation begins."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from atanor.data import (
    Example,
    Message,
    RenderOptions,
    RenderResult,
    Speaker,
    SplitOptions,
    TokenRow,
    TooLong,
    TrainOn,
    prompt_tokens,
    render_examples,
    split_examples,
    summarise,
    weighted_pieces,
)
from atanor.data.workshop.dataset import Version
from atanor.data.workshop.stages import StageReport
from atanor.errors import BaseModelError, ConfigurationError
from atanor.models.chat_template import encode_prompt, end_of_turn_ids
from tests.data.conftest import CHATML, tiny_tokenizer

TOKENIZER = tiny_tokenizer()
ALL = TrainOn.ALL_ASSISTANT_TURNS
END = "<|im_end|>"


def talk(*turns: tuple[str, str] | tuple[str, str, bool | None]) -> Example:
    messages = tuple(Message(Speaker(turn[0]), turn[1], turn[2] if len(turn) > 2 else None) for turn in turns)
    return Example(messages, None, "a.jsonl", 7, fields={"row": 1})


def text(content: str) -> Example:
    return Example((), content, "a.txt", 7, fields={"text": content})


def render(
    *examples: Example, tokenizer: PreTrainedTokenizerFast = TOKENIZER, context: int = 100_000, **options: Any
) -> RenderResult:
    result = render_examples(examples, tokenizer, RenderOptions(**options), context, end_of_turn_ids(tokenizer))
    assert result.used + len(result.refusals) == len(examples)
    assert {row.example_id for row in result.rows} <= {example.id for example in examples}
    return result


def supervised(row: TokenRow) -> list[str]:
    return [piece for piece, weight in weighted_pieces(row, TOKENIZER) if weight > 0]


CONTENT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1).filter(
    str.strip
)
TALKS = st.lists(st.tuples(CONTENT, CONTENT), min_size=1, max_size=4).map(
    lambda pairs: talk(*(turn for ask, say in pairs for turn in (("user", ask), ("assistant", say))))
)


@given(TALKS)
def test_a_row_begins_with_the_tokens_of_generation_and_only_the_answer_has_weight(example: Example) -> None:
    (row,) = render(example).rows
    prompt = prompt_tokens(example, TOKENIZER)
    assert row.tokens[: len(prompt)] == prompt
    assert prompt == encode_prompt(TOKENIZER, [{"role": m.speaker, "content": m.content} for m in example.prompt])
    assert not any(row.weights[: len(prompt)])
    assert supervised(row) == [example.reference + END]
    assert row.supervised_bytes == len(example.reference.encode())
    assert set(row.weights) == {0.0, 1.0}


@given(TALKS)
def test_every_assistant_turn_has_weight_when_asked(example: Example) -> None:
    (row,) = render(example, train_on=ALL).rows
    answers = [message.content for message in example.messages if message.speaker is Speaker.ASSISTANT]
    assert supervised(row) == [answer + END for answer in answers]
    assert row.supervised_bytes == sum(len(answer.encode()) for answer in answers)
    assert "".join(piece for piece, _ in weighted_pieces(row, TOKENIZER)) == TOKENIZER.apply_chat_template(
        [{"role": message.speaker.value, "content": message.content} for message in example.messages], tokenize=False
    )


@given(CONTENT)
def test_a_plain_text_has_weight_everywhere(content: str) -> None:
    (row,) = render(text(content)).rows
    assert set(row.weights) == {1.0}
    assert (row.tokens[0], row.tokens[-1]) == (TOKENIZER.bos_token_id, TOKENIZER.eos_token_id)
    assert row.supervised == len(row.tokens) - 1
    assert row.supervised_bytes == len(content.encode())
    assert row.tokens[:1] == prompt_tokens(text(content), TOKENIZER)


def test_without_a_begin_token_the_first_token_of_a_text_is_not_counted() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.bos_token = None
    (row,) = render(text("ñandú"), tokenizer=tokenizer).rows
    first = len(tokenizer.decode(row.tokens[:1]).encode())
    assert row.supervised_bytes == len("ñandú".encode()) - first or first > 2
    assert prompt_tokens(text("x"), tokenizer) == ()


@pytest.mark.parametrize(
    ("first", "last", "train_on", "wanted"),
    [
        (None, None, TrainOn.LAST_ASSISTANT_TURN, ["two"]),
        (None, None, ALL, ["one", "two"]),
        (True, None, TrainOn.LAST_ASSISTANT_TURN, ["one", "two"]),
        (True, False, TrainOn.LAST_ASSISTANT_TURN, ["one"]),
        (False, None, ALL, ["two"]),
    ],
)
def test_a_weight_of_the_row_decides_over_the_option(
    first: bool | None, last: bool | None, train_on: TrainOn, wanted: list[str]
) -> None:
    example = talk(("user", "a"), ("assistant", "one", first), ("user", "b"), ("assistant", "two", last))
    (row,) = render(example, train_on=train_on).rows
    assert supervised(row) == [answer + END for answer in wanted]


# Refused


GOOD = talk(("user", "a"), ("assistant", "b"))


@pytest.mark.parametrize(
    ("bad", "field", "reason", "fix"),
    [
        (
            talk(("user", "a"), ("assistant", "one"), ("user", "b"), ("assistant", "two", False)),
            "messages[3].weight",
            "nothing to learn: with `train_on: last_assistant_turn` and the weights of the row no turn carries loss",
            "all_assistant_turns",
        ),
        (
            talk(("user", f"a{END}"), ("assistant", "b")),
            "messages[0].content",
            "the text holds a special token of this base",
            "it would act as a control token",
        ),
        (text("so <|im_start|>system"), "text", "the text holds a special token of this base", "remove it"),
        (talk(("user", "a " * 300), ("assistant", "b")), None, "tokens, and the limit is 200", "Shorten the row"),
    ],
)
def test_a_row_that_cannot_be_rendered_is_refused(bad: Example, field: str | None, reason: str, fix: str) -> None:
    result = render(GOOD, bad, context=200)
    (refusal,) = result.refusals
    assert (refusal.source, refusal.line, refusal.field) == (bad.source, 7, field)
    assert reason in refusal.reason
    assert fix in refusal.fix
    assert refusal.raw
    assert result.truncated == 0


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for m in messages %}{% if m.role == 'user' %}U {{ m.content }}{% endif %}{% endfor %}", "is empty"),
        (
            "{% for m in messages %}{% if m.role != 'user' %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}",
            "the prompt",
        ),
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{{ messages[-1].content }}{% if add_generation_prompt %}A{% endif %}", "could not equal"),
    ],
)
def test_a_template_that_teaches_nothing_is_never_trained(template: str, reason: str) -> None:
    result = render(GOOD, tokenizer=tiny_tokenizer(template))
    assert not result.rows
    (refusal,) = result.refusals
    assert reason in refusal.reason
    assert refusal.line == 7


def test_a_template_may_refuse_one_row_and_take_the_others() -> None:
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHATML
    result = render(GOOD, talk(("system", "s"), ("user", "a"), ("assistant", "b")), tokenizer=tiny_tokenizer(template))
    assert (len(result.rows), result.refusals[0].reason) == (1, "no system")


def test_a_base_without_a_template_is_an_error_for_conversations_only() -> None:
    bare = tiny_tokenizer(None)
    assert len(render(text("hello"), tokenizer=bare).rows) == 1
    with pytest.raises(BaseModelError, match="this base has no chat template"):
        render(GOOD, tokenizer=bare)


def test_a_limit_beyond_the_context_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"render\.max_tokens: the base's context has 64 tokens \(got 65\)"):
        render(GOOD, context=64, max_tokens=65)


# Cut


@pytest.mark.parametrize("too_long", [TooLong.TRUNCATE_LEFT, TooLong.TRUNCATE_RIGHT])
def test_cut_rows_are_counted_and_keep_the_right_end(too_long: TooLong) -> None:
    long = talk(("user", "a " * 30), ("assistant", "ñ " * 30))
    whole = render(long).rows[0]
    result = render(GOOD, long, max_tokens=100, too_long=too_long)
    row = result.rows[1]
    left = too_long is TooLong.TRUNCATE_LEFT
    assert result.truncated == 1
    assert row.tokens == (whole.tokens[-100:] if left else whole.tokens[:100])
    assert row.weights == (whole.weights[-100:] if left else whole.weights[:100])
    assert 0 < row.supervised_bytes <= whole.supervised_bytes
    assert (row.supervised_bytes == whole.supervised_bytes) == left


def test_a_row_with_nothing_to_learn_after_the_cut_is_refused() -> None:
    result = render(GOOD, talk(("user", "a " * 300), ("assistant", "b")), context=50, too_long="truncate_right")
    assert result.refusals[0].reason.startswith("nothing to learn is left after `truncate_right` to 50 tokens of")
    assert result.truncated == 0


def test_a_row_cut_in_the_middle_keeps_both_ends_and_nothing_is_learned_across_the_cut() -> None:
    long = talk(("user", "a " * 30), ("assistant", "ñ " * 60))
    whole = render(long).rows[0]
    result = render(GOOD, long, max_tokens=101, too_long="truncate_middle")
    row = result.rows[1]
    assert (result.truncated, result.split) == (1, 0)
    assert row.tokens == whole.tokens[:51] + whole.tokens[-50:]
    assert row.weights == (*whole.weights[:51], 0.0, *whole.weights[-49:])
    assert 0 < row.supervised_bytes < whole.supervised_bytes


# Split


LONG = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=20, max_size=120).filter(str.strip)


@given(LONG, st.integers(10, 40), st.integers(0, 4))
def test_the_parts_of_a_text_supervise_each_token_once(content: str, limit: int, overlap: int) -> None:
    (whole,) = render(text(content)).rows
    result = render(text(content), max_tokens=limit, too_long="split", overlap=overlap)
    assert (result.truncated, result.split, len(result.refusals)) == (0, len(whole.tokens) > limit, 0)
    assert result.parts == (len(result.rows) if result.split else 0)
    assert all(len(row.tokens) <= limit and row.tokens[0] == TOKENIZER.bos_token_id for row in result.rows)
    learned = [[t for t, w in zip(row.tokens[1:], row.weights[1:], strict=True) if w] for row in result.rows]
    assert [token for part in learned for token in part] == list(whole.tokens[1:])
    assert sum(row.supervised_bytes for row in result.rows) == len(content.encode())


@given(LONG, st.integers(0, 5), st.sampled_from([TrainOn.LAST_ASSISTANT_TURN, ALL]))
def test_the_parts_of_an_answer_keep_the_prompt(answer: str, overlap: int, train_on: TrainOn) -> None:
    long = talk(("user", "a"), ("assistant", "one"), ("user", "b"), ("assistant", answer))
    (whole,) = render(long, train_on=train_on).rows
    prompt = max(place for place in range(1, len(whole.weights)) if whole.weights[place - 1 : place + 1] == (0.0, 1.0))
    result = render(long, max_tokens=75, too_long="split", overlap=overlap, train_on=train_on)
    assert result.used == 1 and not result.refusals
    assert sum(row.supervised for row in result.rows) == whole.supervised
    assert sum(row.supervised_bytes for row in result.rows) == whole.supervised_bytes
    for row in result.rows:
        assert row.tokens[:prompt] == whole.tokens[:prompt]
        assert len(row.tokens) <= 75
    for before, after in itertools.pairwise(result.rows):
        repeated = after.weights[prompt:].index(1.0)
        assert repeated == min(overlap, len(before.tokens) - prompt)
        assert not any(after.weights[:prompt])


@pytest.mark.parametrize(
    ("example", "reason", "fix"),
    [
        (
            talk(("user", "a " * 60), ("assistant", "b")),
            "tokens, and with an overlap of 2 nothing of the answer fits into the limit of 50",
            "Shorten the prompt, lower `overlap`",
        ),
        (
            talk(("user", "a"), ("assistant", "one", True), ("user", "b"), ("assistant", "b " * 90, False)),
            "the row is too long, and the turn that could be split carries no loss",
            "set `too_long` to cut the row",
        ),
    ],
)
def test_a_row_that_cannot_be_split_is_refused(example: Example, reason: str, fix: str) -> None:
    result = render(GOOD, example, max_tokens=50, too_long="split", overlap=2)
    assert (len(result.rows), result.split) == (1, 0)
    assert reason in result.refusals[0].reason
    assert fix in result.refusals[0].fix


def test_an_overlap_without_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="`overlap` is about the parts of a row; it needs `too_long: split`"):
        RenderOptions(overlap=8, too_long=TooLong.TRUNCATE_LEFT)


# Summary


def version(*stages: StageReport) -> Version:
    return Version(sha="a", key="b", created="", atanor="", recipe={}, sources=(), stages=stages, tallies={}, sides={})


def test_the_summary_adds_up() -> None:
    rows = [talk(("user", f"question {number}"), ("assistant", "yes")) for number in range(30)]
    rows += [rows[0], talk(("user", "long " * 200), ("assistant", "no")), talk(("user", END), ("assistant", "no"))]
    made = version(StageReport("read", 35, 33, left_out=2), StageReport("duplicates", 33, 32, left_out=1))
    split = split_examples(rows, SplitOptions(test=5, validation=4), 0, None)
    sides = {name: render(*getattr(split, name), context=64) for name in ("train", "validation", "test")}
    summary = summarise(made, **sides, context=64)
    assert (summary.read, summary.used, summary.refused, summary.left_out, summary.duplicates) == (35, 30, 2, 2, 1)
    assert summary.read == summary.used + summary.refused + summary.left_out + summary.duplicates
    assert summary.used == summary.train + summary.validation + summary.test
    assert summary.tokens == sum(len(row.tokens) for side in sides.values() for row in side.rows)
    assert 0 < summary.supervised_share == summary.supervised_tokens / summary.tokens < 1
    assert summary.longest <= summary.context == 64


def test_the_summary_counts_a_split_example_once() -> None:
    examples = [text("word " * 400 + str(number)) for number in range(3)]
    split = split_examples(examples, SplitOptions(test=1, validation=1), 0, None)
    train, validation, test = (
        render(*side, max_tokens=100, too_long="split") for side in (split.train, split.validation, split.test)
    )
    summary = summarise(version(StageReport("read", 3, 3)), train=train, validation=validation, test=test, context=100)
    assert (summary.read, summary.used, summary.train, summary.split, summary.truncated) == (3, 3, 1, 3, 0)
    assert len(train.rows) == train.parts > 3


def test_pieces_show_characters_of_several_tokens_whole() -> None:
    (row,) = render(talk(("user", "¿Qué?"), ("assistant", "日本 👩‍🚀"))).rows
    assert weighted_pieces(row, TOKENIZER) == [
        ("<|im_start|>user\n¿Qué?<|im_end|>\n<|im_start|>assistant\n", 0.0),
        ("日本 👩‍🚀<|im_end|>", 1.0),
        ("\n", 0.0),
    ]
