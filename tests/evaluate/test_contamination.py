"""Test items in the training rows: every way they can stand there, and what becomes of the verdict."""

from __future__ import annotations

import pytest

from atanor.data.rows import Example, Message, Speaker
from atanor.evaluate.contamination.leaks import ContaminationSection, Leak, LeakKind, both_numbers, clean_data
from atanor.evaluate.contamination.search import TrainedOn, find_leaks
from atanor.evaluate.items import Verdict
from tests.evaluate.marking import comparison

LONG = "The porter of the seventh floor lent the brass lamp to Ines on Monday and wanted it back by noon"


def row(prompt: str, answer: str, line: int = 1, **more: str) -> Example:
    turns = (Message(Speaker.USER, prompt), Message(Speaker.ASSISTANT, answer))
    return Example(turns, None, "rows.jsonl", line, **more)


def leaks_of(item: Example, *rows: Example) -> list[Leak]:
    others = [row(f"What stands on shelf {number}?", f"Atlas number {number * 7}.", 90 + number) for number in range(5)]
    return find_leaks([item], [TrainedOn("the training rows", [*others, *rows])])


def test_a_clean_item_has_no_leak() -> None:
    assert leaks_of(row("Who keeps the lamp?", LONG), row("Who keeps the map?", "Nobody does, it was lost.")) == []


@pytest.mark.parametrize(
    ("trained", "kind"),
    [
        (row("WHO keeps the lamp", f"{LONG}!", 7), LeakKind.EXACT),
        (row("Who keeps the lamp?", LONG.replace("noon", "night"), 7), LeakKind.NEAR),
        (row("Something else entirely, asked at length and in other words than those of the item", LONG, 7), None),
    ],
)
def test_copies_are_found_in_any_dress_and_say_where_they_stand(trained: Example, kind: LeakKind | None) -> None:
    (leak,) = leaks_of(row("Who keeps the lamp?", LONG, 3), trained)
    assert leak.kind is (kind or LeakKind.NGRAM)
    assert (leak.test, leak.train, leak.dataset) == ("rows.jsonl:3", "rows.jsonl:7", "the training rows")
    assert leak.learned and "brass lamp" in leak.train_text


def test_a_quotation_is_shown_and_does_not_make_the_item_learned() -> None:
    much = "Nothing else in this item is known to any row, and it goes on about other things for a good while longer."
    (leak,) = leaks_of(row(much, f"{much} {LONG}"), row("Who keeps it?", LONG))
    assert leak.kind is LeakKind.NGRAM and 0 < leak.share < 0.8 and not leak.learned


def test_a_row_made_of_the_item_by_augmentation_is_found_whatever_it_says() -> None:
    item = row("Who keeps the lamp?", "Ines.")
    (leak,) = leaks_of(item, row("Which person has the light?", "It is with her.", parent=item.id, technique="eda"))
    assert leak.kind is LeakKind.FAMILY and leak.learned
    cousin = row("Who holds it?", "She does.", parent="0" * 16, technique="eda")
    (leak,) = leaks_of(cousin, row("And who has got it now?", "A girl.", 2, parent="0" * 16, technique="typos"))
    assert leak.kind is LeakKind.FAMILY


def test_the_strongest_of_several_versions_is_told() -> None:
    item = row("Who keeps the lamp?", LONG)
    near = TrainedOn("the training rows", [row("Who keeps the lamp?", LONG.replace("noon", "night"))])
    exact = TrainedOn("what first-1 was trained on", [item])
    (leak,) = find_leaks([item], [near, exact])
    assert (leak.kind, leak.dataset) == (LeakKind.EXACT, "what first-1 was trained on")


def section(*leaks: Leak, **changes: object) -> ContaminationSection:
    values = {"policy": "exclude", "items": 9, "looked_at": ["the training rows (50 rows)"], "leaks": list(leaks)}
    return ContaminationSection.model_validate({**values, **changes})


LEAK = Leak(item="a", test="t:1", kind=LeakKind.EXACT, dataset="the training rows", train="t:2", train_text="x")


def test_the_gate_passes_on_clean_data_fails_on_learned_items_and_cannot_tell_of_unknown_ancestors() -> None:
    assert clean_data("clean data", section()).passed
    failed = clean_data("clean data", section(LEAK))
    assert not failed.passed and not failed.undecided and failed.reason.startswith("1 of 9 test items")
    unknown = clean_data("clean data", section(unknown=["It is not known what `x` was trained on"]))
    assert not unknown.passed and unknown.undecided


def test_the_headline_says_both_numbers() -> None:
    counted, other = (
        comparison("rouge_l", Verdict.BETTER, change=0.1),
        comparison("rouge_l", Verdict.BETTER, change=0.4),
    )
    found = section(LEAK, otherwise=[other], verdict_otherwise=Verdict.BETTER)
    said = both_numbers(found, [counted])
    assert "1 of 9 test items stand in the training rows and do not count" in said
    assert "with them the verdict is `better`" in said and "+0.4 in place of +0.1" in said
    assert both_numbers(section(), [counted]) == ""
