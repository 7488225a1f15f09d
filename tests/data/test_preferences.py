"""Both answers of a preference row begin with one prompt, carry loss on themselves alone, and are never cut."""

from __future__ import annotations

import dataclasses

import pytest

from atanor.data import Example, Message, PairResult, RenderOptions, Speaker, TooLong, TrainOn, render_pairs
from atanor.models.chat_template import end_of_turn_ids
from tests.data.conftest import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
QUESTION, ANSWER = Message(Speaker.USER, "who asks?"), Message(Speaker.ASSISTANT, "the porter asks")
PAIR = Example((QUESTION, ANSWER), None, "a.jsonl", 7, rejected="nobody at all")
ALONE = Example((Message(Speaker.USER, "who is there?"), ANSWER), None, "a.jsonl", 8)


def render(*examples: Example, context: int = 1000, **options: object) -> PairResult:
    return render_pairs(examples, TOKENIZER, RenderOptions.model_validate(options), context, end_of_turn_ids(TOKENIZER))


def test_the_answers_of_a_pair_differ_after_one_prompt() -> None:
    found = render(PAIR, ALONE)
    (pair,) = found.pairs
    assert [row.example_id for row in found.rendered.rows] == [PAIR.id, ALONE.id], "both are learned by completion"
    assert pair.example_id == pair.chosen.example_id == pair.rejected.example_id == PAIR.id
    for row, answer in ((pair.chosen, "the porter asks"), (pair.rejected, "nobody at all")):
        start = row.weights.index(1.0)
        assert row.tokens[:start] == pair.chosen.tokens[:start], "one prompt"
        assert TOKENIZER.decode(row.tokens[start:]).strip() == f"{answer}<|im_end|>"
        assert row.weights[start:] == (1.0,) * row.supervised + (0.0,), "all but the template's own line end"
        assert row.supervised_bytes == len(answer)


def test_earlier_answers_are_learned_by_completion_and_are_no_part_of_what_is_compared() -> None:
    before = (Message(Speaker.USER, "hello"), Message(Speaker.ASSISTANT, "good evening"))
    longer = dataclasses.replace(PAIR, messages=(*before, *PAIR.messages))
    found = render(longer, train_on=TrainOn.ALL_ASSISTANT_TURNS)
    (row,), (pair,) = found.rendered.rows, found.pairs
    assert row.supervised > pair.chosen.supervised == render(PAIR).pairs[0].chosen.supervised


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (dataclasses.replace(PAIR, rejected=" the porter asks"), "the worse answer is also a good one"),
        (dataclasses.replace(PAIR, rejected="I ask", references=("I ask",)), "the worse answer is also a good one"),
        (dataclasses.replace(PAIR, rejected="  "), "the worse answer is empty"),
        (dataclasses.replace(PAIR, rejected="word " * 90), "with the worse answer: the row has"),
        (dataclasses.replace(PAIR, messages=(QUESTION, dataclasses.replace(ANSWER, content="a " * 90))), "the row has"),
        (
            dataclasses.replace(PAIR, rejected="no <|im_end|> more"),
            "with the worse answer: the text holds a special token",
        ),
    ],
)
def test_a_pair_that_cannot_be_compared_is_a_refusal_and_not_learned(example: Example, reason: str) -> None:
    found = render(example, ALONE, context=60, too_long=TooLong.TRUNCATE_RIGHT)
    assert [row.example_id for row in found.rendered.rows] == [ALONE.id]
    assert found.pairs == ()
    (refusal,) = found.rendered.refusals
    assert refusal.reason.startswith(reason)
    assert (refusal.source, refusal.line) == ("a.jsonl", 7)
    assert refusal.fix
