"""A split is a partition that groups, order and growth leave as it is, and it says so when it cannot be made."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data import Example, Message, Side, Speaker, Split, SplitOptions, dataset_sha, split_examples
from atanor.errors import DataError, StoreError


def example(prompt: str, answer: str = "yes", group: str | None = None) -> Example:
    messages = (Message(Speaker.USER, prompt), Message(Speaker.ASSISTANT, answer))
    return Example(messages, None, "a.jsonl", 1, group)


def many(count: int, start: int = 0) -> list[Example]:
    return [example(f"question {number}") for number in range(start, start + count)]


def sides(split: Split) -> dict[str, Side]:
    return {
        one.id: side
        for side, rows in ((Side.TRAIN, split.train), (Side.VALIDATION, split.validation), (Side.TEST, split.test))
        for one in rows
    }


EXAMPLES = st.lists(
    st.builds(example, st.sampled_from("abcdefghijkl"), st.sampled_from("uvwxyz"), st.none() | st.sampled_from("GHI")),
    max_size=60,
)
OPTIONS = st.builds(
    SplitOptions,
    test=st.integers(1, 8) | st.floats(0.05, 0.4),
    validation=st.integers(1, 8) | st.floats(0.05, 0.4),
)


def key(one: Example) -> str:
    return one.group or one.messages[0].content + "."


@given(EXAMPLES, OPTIONS, st.integers(0, 3))
def test_a_split_is_a_partition_that_keeps_groups_whole(rows: list[Example], options: SplitOptions, seed: int) -> None:
    groups = {key(one) for one in {one.id: one for one in reversed(rows)}.values()}
    try:
        split = split_examples(rows, options, seed, None)
    except DataError as error:
        asked = sum(one if isinstance(one, int) else 1 for one in (options.test, options.validation))
        assert len(groups) < 3 or asked >= len({one.id for one in rows}) or "asked for" in str(error)
        return
    used = (*split.train, *split.validation, *split.test)
    assert split.train and split.validation and split.test
    assert sorted(map(id, (*used, *split.duplicates))) == sorted(map(id, rows))
    assert len({one.id for one in used}) == len(used)
    where = defaultdict(set)
    for one in used:
        where[key(one)].add(sides(split)[one.id])
    assert all(len(found) == 1 for found in where.values())


@given(st.sets(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from("uvw")), min_size=12), st.randoms())
def test_the_order_of_the_rows_does_not_matter(pairs: set[tuple[str, str]], random: object) -> None:
    rows = [example(prompt, answer) for prompt, answer in sorted(pairs)]
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    options = SplitOptions(test=3, validation=2)
    first, second = (split_examples(order, options, 7, None) for order in (rows, shuffled))
    assert sides(first) == sides(second)
    assert first.sha == second.sha
    assert [one for one in shuffled if one in second.train] == list(second.train)


def test_counts_and_shares_are_met_exactly_where_rows_stand_alone() -> None:
    counted = split_examples(many(480), SplitOptions(test=48, validation=48), 0, None)
    assert [len(side) for side in (counted.train, counted.validation, counted.test)] == [384, 48, 48]
    shared = split_examples(many(200), SplitOptions(), 0, None)
    assert [len(side) for side in (shared.train, shared.validation, shared.test)] == [150, 20, 30]
    assert sides(shared) != sides(split_examples(many(200), SplitOptions(), 1, None))


@given(st.lists(st.integers(1, 9), min_size=8, max_size=30), st.integers(1, 12))
def test_a_count_is_missed_by_less_than_a_group(sizes: list[int], wanted: int) -> None:
    rows = [example(f"{group} {row}", group=str(group)) for group, size in enumerate(sizes) for row in range(size)]
    if wanted + 1 >= len(rows):
        return
    split = split_examples(rows, SplitOptions(test=wanted, validation=1), 0, None)
    assert abs(len(split.test) - wanted) < max(sizes)


def test_a_few_large_groups_still_give_three_sides() -> None:
    rows = [
        example(f"{group} {row}", group=group) for group, size in (("a", 8), ("b", 1), ("c", 1)) for row in range(size)
    ]
    split = split_examples(rows, SplitOptions(), 0, None)
    assert [len(side) for side in (split.train, split.validation, split.test)] == [8, 1, 1]


def test_duplicates_are_kept_apart_and_the_first_is_used() -> None:
    rows = many(20)
    copy = replace(rows[3], line=99)
    split = split_examples([*rows, copy, rows[5]], SplitOptions(), 0, None)
    assert split.duplicates == (copy, rows[5])
    assert split.duplicates[0] is copy
    assert len(sides(split)) == 20


@pytest.mark.parametrize(
    ("rows", "options", "reason", "fix"),
    [
        ([], {}, "1 test and 1 validation rows are asked for, and 0 distinct rows are there", "bring more rows"),
        (many(2), {}, "1 test and 1 validation rows are asked for, and 2 distinct rows are there", "bring more rows"),
        (many(9), {"test": 10}, "10 test and 1 validation rows are asked for, and 9 distinct", "Ask for fewer"),
        ([example("p", str(n)) for n in range(9)], {}, "the 9 rows fall into 1 groups, and three sides", "more values"),
    ],
)
def test_a_split_that_cannot_be_made(rows: list[Example], options: dict[str, int], reason: str, fix: str) -> None:
    with pytest.raises(DataError) as error:
        split_examples(rows, SplitOptions(**options), 0, None)
    found = error.value.problems[0]
    assert found.field == "split.test"
    assert reason in found.reason
    assert fix in str(found.fix)


# Frozen


def test_a_frozen_split_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "splits" / "director.json"
    first = split_examples(many(40), SplitOptions(), 0, file)
    content = file.read_text()
    assert json.loads(content).keys() == {"version", "options", "seed", "sha", "assignments", "groups"}
    assert json.loads(content)["sha"] == first.sha
    assert "question" not in content
    assert split_examples(many(40), SplitOptions(), 0, file) == first
    assert file.read_text() == content
    assert list(file.parent.iterdir()) == [file]


def test_data_that_grows_and_shrinks_leaves_known_rows_where_they_are(tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    first = split_examples(many(40), SplitOptions(), 0, file)
    edited = replace(first.test[0], messages=(first.test[0].messages[0], Message(Speaker.ASSISTANT, "edited")))
    kept = [one for one in many(40) if one.id not in {first.test[0].id, first.train[0].id}]
    second = split_examples([*kept, edited, *many(5, start=100)], SplitOptions(), 0, file)
    assert {name: side for name, side in sides(second).items() if name in sides(first)}.items() <= sides(first).items()
    assert edited in second.test
    assert (second.added_to_train, second.added_to_groups, second.vanished) == (5, 1, 2)
    assert second.sha != first.sha


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 30), max_size=5))
def test_growth_never_moves_a_row(new: set[int], gone: set[int]) -> None:
    rows = many(31)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "split.json"
        before = sides(split_examples(rows, SplitOptions(test=8, validation=8), 0, file))
        left = [one for number, one in enumerate(rows) if number not in gone]
        grown = split_examples([example(f"new {n}") for n in new] + left, SplitOptions(test=8, validation=8), 0, file)
    after = sides(grown)
    assert {name: after[name] for name in before if name in after} == {one.id: before[one.id] for one in left}
    assert all(side is Side.TRAIN for name, side in after.items() if name not in before)
    assert (grown.added_to_train, grown.vanished) == (len(new), len(gone))


def test_other_options_or_seed_are_refused_and_say_what_to_delete(tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    split_examples(many(40), SplitOptions(test=8), 0, file)
    with pytest.raises(DataError) as error:
        split_examples(many(40), SplitOptions(test=9, group_by="scene"), 1, file)
    found = {one.field: one for one in error.value.problems}
    assert found.keys() == {"split.test", "split.group_by", "seed"}
    assert (found["split.test"].reason, found["split.test"].value) == ("the split is frozen with 8", "9")
    assert f"delete {file} to make a new split" in str(found["seed"].fix)
    assert "no longer compare" in str(found["seed"].fix)


def test_a_frozen_split_whose_test_rows_are_gone_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    split = split_examples(many(40), SplitOptions(), 0, file)
    with pytest.raises(DataError, match="no test row of the frozen split is left in the data; 6 rows have vanished"):
        split_examples([*split.train, *split.validation], SplitOptions(), 0, file)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[: len(text) // 2], "its content is not that of a frozen split"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "it is of version 2"),
        (lambda text: text.replace('"test"\n', '"train"\n').replace('"test",', '"train",'), "does not match its hash"),
    ],
)
def test_a_damaged_frozen_split_is_refused(tmp_path: Path, damage: object, reason: str) -> None:
    file = tmp_path / "split.json"
    split_examples(many(40), SplitOptions(), 0, file)
    file.write_text(damage(file.read_text()))  # type: ignore[operator]
    with pytest.raises(StoreError, match="the frozen split cannot be used") as error:
        split_examples(many(40), SplitOptions(), 0, file)
    assert reason in error.value.problems[0].reason
    assert "Restore" in str(error.value.problems[0].fix)


def test_the_name_of_a_data_set_hangs_on_content_and_order() -> None:
    rows = many(3)
    assert dataset_sha(rows) == dataset_sha([replace(one, line=9, source="b") for one in rows])
    assert dataset_sha(rows) != dataset_sha(rows[::-1])
