"""Counterfactual rows: what is made keeps its parent, what is not is told, and the balance comes nearer to even."""

from __future__ import annotations

from typing import Any

import pytest

from atanor.data import Example, Message, Speaker
from atanor.data.bias import CounterfactualOptions, Counterfactuals, Dimension, Why, counterfactuals
from tests.data.real_texts import real_rows


def conversation(prompt: str, answer: str, line: int = 1, **more: Any) -> Example:
    messages = (Message(Speaker.USER, prompt), Message(Speaker.ASSISTANT, answer))
    return Example(messages=messages, text=None, source="rows.jsonl", line=line, **more)


def plain(text: str, line: int = 1) -> Example:
    return Example(messages=(), text=text, source="rows.jsonl", line=line)


def made_of(*examples: Example, seed: int = 17, **options: Any) -> Counterfactuals:
    return counterfactuals(examples, CounterfactualOptions.model_validate(options), seed=seed)


def test_all_texts_of_a_row_are_exchanged_alike_and_it_keeps_its_parent() -> None:
    example = conversation(
        "Where is Tom with his dog?",
        "Tom is in the garden, and he is happy.",
        references=("He is with his dog.",),
        rejected="I do not know him.",
        group="scene 1",
    )
    (new,) = made_of(example).examples
    name = new.messages[1].content.split()[0]
    assert name != "Tom"
    assert [message.content for message in new.messages] == [
        f"Where is {name} with her dog?",
        f"{name} is in the garden, and she is happy.",
    ]
    assert (new.references, new.rejected) == (("She is with her dog.",), "I do not know her.")
    assert (new.parent, new.technique) == (example.id, "counterfactual.gender")
    assert (new.group, new.source, new.line) == ("scene 1", "rows.jsonl", 1)


def test_a_label_stays() -> None:
    (new,) = made_of(conversation("My husband is late again.", "husband", label="husband")).examples
    assert [message.content for message in new.messages] == ["My wife is late again.", "husband"]


@pytest.mark.parametrize(
    ("example", "options", "why", "detail"),
    [
        (conversation("Who was the brother of Michael Phelps?", "He has none."), {}, Why.REAL_PERSON, "Michael Phelps"),
        (plain("Das ist ein Haus mit einem Garten."), {}, Why.LANGUAGE, ""),
        (plain("Ella es la hermana de mi padre."), {"languages": ["en"]}, Why.LANGUAGE, "es"),
        (plain("There is nobody in the house."), {}, Why.NO_GROUP, ""),
        (plain("She is in the house of the Atanor."), {"protect": ["atanor"]}, Why.PROTECTED, "atanor"),
        (conversation("Is she in the house?", "Yes.", tools="[]"), {}, Why.CALLS, ""),
    ],
)
def test_what_is_not_made_has_its_reason(example: Example, options: dict[str, Any], why: Why, detail: str) -> None:
    result = made_of(example, **options)
    (one,) = result.unswapped
    assert result.examples == ()
    assert (one.parent, one.why, one.detail, one.source, one.line) == (example.id, why, detail, "rows.jsonl", 1)
    assert result.reasons == {Dimension.GENDER: {str(why): 1}}
    assert one.refusal.reason == f"the row has no counterfactual of gender: {why}"
    assert one.refusal.fix


def test_a_row_that_is_there_already_is_not_made_again() -> None:
    result = made_of(plain("He is in the house."), plain("She is in the house.", line=2))
    assert result.examples == ()
    assert [one.why for one in result.unswapped] == [Why.REPEATED, Why.REPEATED]


def test_the_share_is_drawn_by_the_seed() -> None:
    examples = [plain(f"He is in the house of number {number} and it is good.", number) for number in range(200)]
    half = made_of(*examples, share=0.5)
    assert 70 < len(half.examples) < 130
    assert half.reasons == {Dimension.GENDER: {str(Why.NOT_DRAWN): 200 - len(half.examples)}}
    assert made_of(*examples, share=0.5) == half
    assert made_of(*examples, share=0.5, seed=18).examples != half.examples


def test_only_rows_of_the_frequent_group_are_swapped_where_that_is_asked() -> None:
    examples = [plain(f"He is in the house of number {number}.", number) for number in range(6)]
    examples += [plain(f"She is in the garden of number {number}.", number) for number in range(2)]
    result = made_of(*examples, balancing=True)
    assert [one.parent for one in result.examples] == [one.id for one in examples[:6]]
    assert [one.why for one in result.unswapped] == [Why.BALANCED, Why.BALANCED]


def test_the_table_shows_before_and_after() -> None:
    kings = [plain(f"He is the king of the castle {number}.", number) for number in range(4)]
    result = made_of(*kings, plain("He has a brother here."), plain("She is here."))
    assert len(result.examples) == 2  # `king of` is refused
    male, female = result.table
    assert (male.group, male.mentions_before, male.mentions_after) == ("male", 10, 11)
    assert (female.group, female.mentions_before, female.mentions_after) == ("female", 1, 3)
    assert female.share_before < female.share_after == pytest.approx(3 / 14)
    assert (result.before.rows, result.after.rows) == (6, 8)


def test_real_rows_come_nearer_to_even() -> None:
    rows = real_rows("light_characters")
    texts = dict.fromkeys(f"{' '.join(row['persona'])} {row['description']}" for row in rows[:500])
    examples = [plain(text, line) for line, text in enumerate(texts, start=1)]
    result = made_of(*examples)
    assert len(result.examples) + len(result.unswapped) == len(examples)
    assert len(result.examples) > 0.35 * len(examples)
    before, after = result.imbalance(Dimension.GENDER)
    assert before > 0.2
    assert after < 0.4 * before


@pytest.mark.parametrize("dimension", [Dimension.ORIGIN, Dimension.RELIGION, Dimension.AGE])
def test_real_groups_of_other_dimensions_come_nearer_to_even(dimension: Dimension) -> None:
    rows = real_rows("bias_probes", "crows_pairs.jsonl")
    examples = [plain(row["sent_more"], line) for line, row in enumerate(rows, start=1)]
    result = made_of(*examples, dimensions=[dimension])
    before, after = result.imbalance(dimension)
    assert len(result.examples) > 10
    assert after < before
