"""Augmentation of a dataset: what is made is accounted for, and nothing crosses the split."""

from __future__ import annotations

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from atanor.data import Example, Side, SourceOptions, SplitOptions
from atanor.data.augmentation import AugmentOptions, Engines
from atanor.data.findings import Action
from atanor.data.identity import group_key
from atanor.data.sides import SIDES
from atanor.data.workshop import history
from atanor.data.workshop.augmenting import AUGMENT, augment_dataset
from atanor.data.workshop.build import build_dataset
from atanor.data.workshop.dataset import Dataset, every_dataset
from atanor.data.workshop.log import Fate
from atanor.data.workshop.options import CheckOptions
from atanor.data.workshop.page import dataset_page
from atanor.data.workshop.recipe import Recipe
from tests.data.test_across import by_all_pairs
from tests.data.test_workshop import rows, write

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[2] / "../shared/data"))
WORDS = ["river", "stone", "lantern", "harbour", "meadow", "copper", "violin", "winter", "orchard", "signal"]
LEXICAL = {"embedder": "lexical", "least_similarity": -1.0}
SWAPS = {"eda": {"operations": ["random_swap", "random_deletion"], "per_row": 2}}


def options(*techniques: Any, **more: Any) -> AugmentOptions:
    return AugmentOptions(techniques=techniques, filter=LEXICAL | more.pop("filter", {}), **more)


def questions(number: int) -> list[dict[str, str]]:
    """Rows of one short answer and without numbers, names or anything else that has to stay."""
    made = []
    for index in range(number):
        ten = index // 10
        first, second, third = (WORDS[place % 10] for place in (index, index * 3 + ten, index * 7 + 2 * ten + 1))
        text = f"how did the {first} come to the {second} and why does the {third} stay"
        made.append({"prompt": text, "completion": "not yet"})
    return made


class Says:
    """An engine that answers every prompt in turn by a function of its number."""

    def __init__(self, answer: Callable[[int], str | None]) -> None:
        self.answer = answer
        self.asked = 0

    def generate(self, prompts: Sequence[str]) -> list[str | None]:
        start, self.asked = self.asked, self.asked + len(prompts)
        return [self.answer(number) for number in range(start, self.asked)]


@pytest.fixture
def parent(tmp_path: Path) -> Dataset:
    write(tmp_path, "rows.jsonl", [*rows(120), "oops"])
    return made(tmp_path)


def made(folder: Path, **recipe: Any) -> Dataset:
    whole = Recipe(sources=(SourceOptions(path="rows.jsonl"),), split=SplitOptions(test=0.3, validation=0.1), **recipe)
    return build_dataset(whole, folder, folder / "datasets", processes=1)


def accounted(before: Dataset, after: Dataset) -> None:
    """Every candidate that was asked for is a row or is in the log with its reason; all other rows stay."""
    *stages, stage = after.version.stages
    assert tuple(stages) == before.version.stages
    assert (stage.stage, stage.read, stage.kept) == (AUGMENT, sum(before.version.sides.values()), stage.read)
    assert stage.out == sum(after.version.sides.values())
    for side in (Side.VALIDATION, Side.TEST):
        assert after.rows(side).equals(before.rows(side))
    train = after.examples(Side.TRAIN)
    old, new = train[: len(train) - stage.added], train[len(train) - stage.added :]
    assert old == before.examples(Side.TRAIN) and all(example.parent is None for example in old)
    added, not_made = after.log(Fate.ADDED), after.log(Fate.NOT_MADE)
    assert [(entry.row, entry.before, entry.rule) for entry in added] == [
        (example.id, example.parent, f"augment.{example.technique}") for example in new
    ]
    report = after.version.augmentation
    assert report is not None
    for technique in report["techniques"]:
        assert technique["asked"] == technique["made"] + sum(technique["filtered"].values())
    assert sum(technique["made"] for technique in report["techniques"]) == len(new)
    assert sum(sum(technique["filtered"].values()) for technique in report["techniques"]) == len(not_made)
    assert len({example.id for example in train}) == len(train), "no row is there twice"
    assert [entry for entry in after.log() if entry.stage != AUGMENT] == before.log()
    assert after.refusals == before.refusals, "what is not made is no refused row"


def test_new_rows_join_training_and_everything_is_accounted_for(parent: Dataset, tmp_path: Path) -> None:
    after = augment_dataset(parent, options(SWAPS, "typos"), tmp_path / "datasets", seed=17)
    accounted(parent, after)
    assert after.version.stages[-1].added > 100
    assert after.version.parents == (parent.name,) and after.name != parent.name
    asked = 3 * parent.version.sides["train"]
    assert after.version.notes == (
        f"augmentation made {after.version.stages[-1].added} of {asked} rows that were asked for",
    )
    assert after.version.recipe["augment"]["seed"] == 17
    page = dataset_page(after)
    assert "What augmentation made" in page and "Candidates of augmentation" in page
    assert "What augmentation made" not in dataset_page(parent)


def test_equal_input_gives_the_same_dataset_and_it_is_found_again(parent: Dataset, tmp_path: Path) -> None:
    first = augment_dataset(parent, options(SWAPS), tmp_path / "datasets", seed=17)
    stamp = (first.folder / "dataset.json").stat().st_mtime_ns
    again = augment_dataset(parent, options(SWAPS), tmp_path / "datasets", seed=17)
    assert again.version == first.version and (again.folder / "dataset.json").stat().st_mtime_ns == stamp
    elsewhere = augment_dataset(parent, options(SWAPS), tmp_path / "elsewhere", seed=17)
    assert elsewhere.name == first.name, "named by content"
    other_seed = augment_dataset(parent, options(SWAPS), tmp_path / "datasets", seed=18)
    other_options = augment_dataset(parent, options("typos"), tmp_path / "datasets", seed=17)
    assert len({first.name, other_seed.name, other_options.name, parent.name}) == 4
    assert len(every_dataset(tmp_path / "datasets")) == 4
    assert augment_dataset(parent, options(), tmp_path / "datasets", seed=17) is parent, "nothing was asked for"


def test_another_base_answers_anew_and_only_where_it_is_asked(parent: Dataset, tmp_path: Path) -> None:
    def by(name: str, technique: str) -> str:
        engines = Engines(local=Says(lambda number: f"{name} says {number * 7919}"), local_name=name)
        return augment_dataset(parent, options(technique), tmp_path / "datasets", seed=17, engines=engines).version.key

    assert by("one", "paraphrase") == by("one", "paraphrase") != by("another", "paraphrase")
    assert by("one", "typos") == by("another", "typos")


def test_what_equals_or_nearly_equals_a_held_out_row_is_not_made(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", questions(60))
    before = made(tmp_path, check=CheckOptions(similarity=0.8))
    held_out = [example for side in (Side.TEST, Side.VALIDATION) for example in before.examples(side)]
    asked = [example.prompt[0].content for example in held_out]
    more = ["really", "please", "today", "again"]
    engine = Says(
        lambda number: (
            asked[number % len(asked)].upper() + "!"
            if number % 2
            else f"{asked[number % len(asked)]} {more[number // len(asked) % 4]}"
        )
    )
    after = augment_dataset(
        before,
        options({"paraphrase": {"per_row": 2}}, filter={"label_words": False}),
        tmp_path / "datasets",
        seed=1,
        engines=Engines(local=engine),
    )
    accounted(before, after)
    assert after.version.stages[-1].added == 0
    reasons = Counter(entry.reason.rpartition(": ")[2] for entry in after.log(Fate.NOT_MADE))
    equal = {reason: count for reason, count in reasons.items() if reason == "it is equal to a held-out row"}
    near = [reason for reason in reasons if "nearly the same as a held-out row" in reason]
    assert sum(equal.values()) > 10 and near
    places = {f"{example.source}:{example.line}" for example in held_out}
    assert all(re.search(r"\(\d+% like (rows\.jsonl:\d+)\)", reason)[1] in places for reason in near)  # type: ignore[index]


def test_new_rows_are_cleaned_and_checked_as_others_are(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", questions(60))
    data = made(tmp_path, check=CheckOptions(personal_data=Action.MASK, toxicity=Action.REFUSE, similarity=0.8))
    texts = [
        "what  became of  the old {} in the end\u200b",
        "could I see the {} when I write to ana.ruiz@correo.es first",
        "what the fuck became of the {} and why is nobody there",
    ]
    engine = Says(lambda number: texts[number % 3].format(WORDS[number // 3 % len(WORDS)]))
    after = augment_dataset(data, options("paraphrase"), tmp_path / "datasets", seed=1, engines=Engines(local=engine))
    accounted(data, after)
    new = [example.prompt[0].content for example in after.examples(Side.TRAIN) if example.parent]
    assert "what became of the old river in the end" in new
    assert any("write to [email] first" in text for text in new)
    assert not any("@" in text or "fuck" in text or "\u200b" in text for text in new)
    refused = [entry for entry in after.log(Fate.NOT_MADE) if "a check refuses it" in entry.reason]
    assert refused and all("fuck" in (entry.raw or "") and "(toxicity." in entry.reason for entry in refused)


def test_a_new_row_leads_back_to_its_parent(parent: Dataset, tmp_path: Path) -> None:
    after = augment_dataset(parent, options("typos"), tmp_path / "datasets", seed=17)
    child = next(example for example in after.examples(Side.TRAIN) if example.parent)
    traced = history.trace_row(after, child.id)
    assert [example.id for example in traced.parents] == [child.parent]
    assert traced.side is Side.TRAIN and {entry.fate for entry in traced.entries} == {Fate.ADDED}
    assert history.trace_row(after, child.parent or "").children == (child,)


def test_new_rows_are_added_and_none_is_taken_for_another_rewritten(parent: Dataset, tmp_path: Path) -> None:
    first = augment_dataset(parent, options(SWAPS), tmp_path / "datasets", seed=17)
    found = history.difference(parent, first)
    assert (found.added, found.removed, found.rewritten) == (first.version.stages[-1].added, 0, 0)
    assert found.same == sum(parent.version.sides.values()) and set(found.recipe) == {"augment"}
    other = history.difference(first, augment_dataset(parent, options(SWAPS), tmp_path / "datasets", seed=18))
    assert other.added > 0 and other.removed > 0 and other.rewritten == 0


def keys_of(example: Example) -> set[str]:
    return {group_key(example), json.dumps([turn.content for turn in example.prompt])}


def test_nothing_crosses_the_split_on_real_rows(tmp_path: Path) -> None:
    """Short questions of 77 kinds, many nearly alike: every pair of a new and a held-out row is compared."""
    path = DATA / "banking77" / "train.csv"
    if not path.is_file():
        pytest.skip(f"no data at {DATA}: set ATANOR_DATA")
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))[::40]
    write(tmp_path, "rows.jsonl", [{"text": row["text"], "label": row["category"]} for row in read])
    # A low similarity makes near-copies frequent enough to be met.
    before = made(tmp_path, check=CheckOptions(similarity=0.45))
    swapping = {"eda": {"operations": ["random_deletion", "random_swap"], "per_row": 4, "alpha": 0.6}}
    after = augment_dataset(
        before, options(swapping, "typos", filter={"label_words": False}), tmp_path / "datasets", seed=3
    )
    accounted(before, after)
    new = [example for example in after.examples(Side.TRAIN) if example.parent]
    assert len(new) > 500
    train = {example.id for example in before.examples(Side.TRAIN)}
    held_out = [example for side in SIDES if side is not Side.TRAIN for example in after.examples(side)]
    apart = set[str]().union(*(keys_of(example) for example in held_out))
    assert all(example.parent in train and not keys_of(example) & apart for example in new)

    def compared(examples: Sequence[Example]) -> list[str]:
        return [f"{example.prompt[0].content}\n{example.reference}" for example in examples]

    assert set(by_all_pairs(compared(new), compared(held_out), 0.45)) == {-1}
    filtered = Counter(entry.reason for entry in after.log(Fate.NOT_MADE))
    assert any("held-out row" in reason for reason in filtered), "the filter had something to do"
    assert pa.types.is_string(after.rows(Side.TRAIN).schema.field("technique").type)
