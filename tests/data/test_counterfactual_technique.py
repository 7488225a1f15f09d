"""Counterfactuals as a technique of augmentation: rows of a dataset, accounted for like those of the others."""

from __future__ import annotations

from pathlib import Path

from atanor.data import Example, Side
from atanor.data.augmentation import AugmentOptions, augment
from atanor.data.bias import Why
from atanor.data.workshop.augmenting import augment_dataset
from atanor.data.workshop.page import dataset_page
from tests.data.test_augmenting_stage import accounted, made
from tests.data.test_workshop import rows, write

LEXICAL = {"embedder": "lexical"}


def plain(text: str, line: int) -> Example:
    return Example((), text, "rows.jsonl", line)


def options(**technique: object) -> AugmentOptions:
    return AugmentOptions(techniques=[{"counterfactuals": technique}], filter=LEXICAL)


def test_a_dataset_gets_rows_with_the_groups_exchanged(tmp_path: Path) -> None:
    people = [
        {"prompt": f"Who opened door number {number}?", "completion": f"He opened door {number} with his own key."}
        for number in range(40)
    ]
    write(tmp_path, "rows.jsonl", [*people, *rows(60)])
    before = made(tmp_path)
    after = augment_dataset(before, options(), tmp_path / "datasets", seed=17)
    accounted(before, after)
    train = after.examples(Side.TRAIN)
    known = {example.id: example for example in train}
    new = [example for example in train if example.technique == "counterfactual.gender"]
    assert len(new) == sum("He opened" in example.reference for example in before.examples(Side.TRAIN)) > 15
    for example in new:
        parent = known[str(example.parent)]
        assert example.reference == parent.reference.replace("He ", "She ").replace(" his ", " her ")
        assert (example.prompt, example.source, example.line) == (parent.prompt, parent.source, parent.line)
    page = dataset_page(after)
    assert "Groups of people" in page and str(Why.NO_GROUP) in page


def test_the_groups_are_counted_before_and_after_and_dimensions_take_turns() -> None:
    examples = [plain(f"The old man said that he is in house {number}.", number) for number in range(1, 21)]
    found = augment(examples, options(dimensions=["gender", "age"]), seed=17)
    (report,) = found.report.techniques
    assert report.asked == 40 == report.made + len(found.filtered)
    assert {one.technique for one in found.filtered} | {str(one.technique) for one in found.examples} == {
        "counterfactual.gender",
        "counterfactual.age",
    }
    male = next(one for one in found.report.groups if one.group == "male")
    female = next(one for one in found.report.groups if one.group == "female")
    assert (male.share_before, female.share_before) == (1.0, 0.0)
    assert female.mentions_after > 0 and female.share_after > 0.3


def test_protected_words_of_the_whole_augmentation_hold_and_the_limit_too() -> None:
    examples = [plain(f"He is in the {place}.", number) for number, place in enumerate(("house", "garden"), start=1)]
    kept = augment(examples, options().model_copy(update={"protect": ("garden",)}), seed=17)
    assert [example.text for example in kept.examples] == ["She is in the house."]
    assert [(one.reason, one.line) for one in kept.filtered] == [(Why.PROTECTED, 2)]
    assert kept.filtered[0].refusal.fix == "Nothing to do, or take the word out of `protect`"
    limited = augment(examples, options().model_copy(update={"limit": 1}), seed=17)
    assert limited.report.asked == 1


def test_a_counterfactual_that_is_held_out_or_there_already_is_not_made() -> None:
    examples = [plain("He is in the house.", 1), plain("She is in the house.", 2), plain("He is in the garden.", 3)]
    found = augment(examples, options(), seed=17, held_out=[plain("She is in the garden.", 4)])
    assert not found.examples
    assert [str(one.reason) for one in found.filtered] == [
        "it is equal to another example",
        "it is equal to another example",
        "it is equal to a held-out row",
    ]
