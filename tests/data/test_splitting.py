"""A split is a partition that groups, order and growth leave as it is, and it says so when it cannot be made."""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atanor.data import Example, Message, Side, Speaker, Split, SplitOptions, split_examples
from atanor.data.assigning import SplitKeys, assign_sides
from atanor.data.times import seconds_of
from atanor.errors import ConfigurationError, DataError, StoreError


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


def test_the_sides_are_those_of_the_first_release(tmp_path: Path) -> None:
    alone = split_examples(many(100), SplitOptions(), 0, None)
    assert alone.sha[:16] == "3d30ed0bd377830f"
    grouped = [example(f"question {number}", group=str(number % 17)) for number in range(150)]
    assert split_examples(grouped, SplitOptions(test=31, validation=0.2), 3, None).sha[:16] == "3119f9bc96c154a3"


def test_a_frozen_file_of_the_first_release_is_read(tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    first = split_examples(many(40), SplitOptions(), 0, file)
    content = json.loads(file.read_text())
    content["options"] = {"test": 0.15, "validation": 0.1, "group_by": None}
    file.write_text(json.dumps(content, indent=1))
    assert split_examples(many(40), SplitOptions(), 0, file) == first


# Near-duplicate clusters and several kinds of group


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), min_size=3, max_size=60), OPTIONS, st.integers(0, 3))
def test_clusters_and_groups_never_stand_on_two_sides(
    pairs: list[tuple[int, int]], options: SplitOptions, seed: int
) -> None:
    rows = [example(f"question {group}", f"answer {place}") for place, (group, _) in enumerate(pairs)]
    clusters = [cluster for _, cluster in pairs]
    try:
        split = split_examples(rows, options, seed, None, clusters=clusters)
    except DataError as error:
        assert "asked for" in str(error) or "fall into" in str(error)
        return
    where = sides(split)
    assert len(where) == len(rows)
    seen = defaultdict(set)
    for one, (group, cluster) in zip(rows, pairs, strict=True):
        seen["group", group].add(where[one.id])
        seen["cluster", cluster].add(where[one.id])
    assert all(len(found) == 1 for found in seen.values())


def test_rows_that_share_any_of_several_kinds_stay_together() -> None:
    rows = [
        replace(example(f"q{number}"), source=f"file{number % 30}", fields={"scene": number // 40})
        for number in range(300)
    ]
    with pytest.raises(DataError, match="the 300 rows fall into 1 groups"):
        split_examples(rows, SplitOptions(group_by=("source", "scene")), 0, None)
    by_file = split_examples(rows, SplitOptions(group_by=("source",)), 0, None)
    assert len({one.source for one in by_file.test} & {one.source for one in by_file.train}) == 0
    speakers = [str(number % 50) for number in range(300)]
    spoken = split_examples(rows, SplitOptions(group_by=("speaker",)), 0, None, groups={"speaker": speakers})
    assert {int(one.messages[0].content[1:]) % 50 for one in spoken.test}.isdisjoint(
        int(one.messages[0].content[1:]) % 50 for one in spoken.train
    )


def test_a_row_without_a_group_is_told() -> None:
    rows = [replace(one, fields={"scene": 1}, line=line) for line, one in enumerate(many(5), 1)]
    rows[3] = replace(rows[3], fields={"scene": None})
    with pytest.raises(DataError) as error:
        split_examples(rows, SplitOptions(group_by=("scene",)), 0, None)
    (problem,) = error.value.problems
    assert (problem.place, problem.field, problem.reason) == ("a.jsonl:4", "scene", "`scene` is empty")
    assert "split without" in str(problem.fix)


def test_a_new_row_joins_the_side_of_its_cluster(tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    rows = many(40)
    first = split_examples(rows, SplitOptions(), 0, file, clusters=range(40))
    in_test, in_train = (rows.index(side[0]) for side in (first.test, first.train))
    new = [example("like a test row"), example("like a training row"), example("like both"), example("like none")]
    second = split_examples(
        [*rows, *new[:2], new[3]], SplitOptions(), 0, file, clusters=[*range(40), in_test, in_train, 99]
    )
    assert new[0] in second.test and new[1] in second.train and new[3] in second.train
    assert (second.added_to_groups, second.added_to_train, second.bridging) == (2, 1, 0)
    # A row like a training row and like a test row joins their clusters; known rows stay, and it is never learned.
    joined = [in_train if one == in_test else one for one in range(40)]
    third = split_examples([*rows, new[2]], SplitOptions(), 0, file, clusters=[*joined, in_train])
    assert new[2] in third.test and third.bridging == 1
    assert sides(first).items() <= sides(third).items()


# Strata


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=12),
    st.floats(0.05, 0.35),
    st.floats(0.05, 0.3),
    st.integers(0, 3),
)
def test_every_class_keeps_its_share(sizes: list[int], test: float, validation: float, seed: int) -> None:
    rows = [
        replace(example(f"{label} {row}"), label=str(label)) for label, size in enumerate(sizes) for row in range(size)
    ]
    options = SplitOptions(test=test, validation=validation, stratify_by="label")
    try:
        split = split_examples(rows, options, seed, None)
    except DataError as error:
        assert max(sizes) < 3 or len(rows) < 5, error
        return
    found = {side: Counter(one.label for one in getattr(split, side)) for side in ("train", "validation", "test")}
    for label, size in enumerate(sizes):
        held_out = found["test"][str(label)], found["validation"][str(label)]
        assert found["train"][str(label)] == size - sum(held_out) >= 1
        if size >= 3:
            assert min(held_out) >= 1
        for share, count, side in zip((test, validation), held_out, ("test", "validation"), strict=True):
            wanted = max(1, round(share * len(rows)))
            assert abs(count - wanted * size / len(rows)) <= 1 + 0.1 * (size <= 3), (label, side)


def test_77_classes_of_ten_rows_are_on_every_side() -> None:
    rows = [replace(example(f"{label} {row}"), label=f"intent {label}") for label in range(77) for row in range(10)]
    split = split_examples(rows, SplitOptions(stratify_by="label"), 0, None)
    assert [len(side) for side in (split.train, split.validation, split.test)] == [577, 77, 116]
    for side, counts in ((split.validation, {1}), (split.test, {1, 2}), (split.train, {7, 8})):
        found = Counter(one.label for one in side)
        assert len(found) == 77
        assert set(found.values()) == counts
    counted = split_examples(rows, SplitOptions(test=100, validation=80, stratify_by="label"), 0, None)
    assert [len(side) for side in (counted.validation, counted.test)] == [80, 100]
    assert {len({one.label for one in side}) for side in (counted.train, counted.validation, counted.test)} == {77}


def test_few_test_rows_are_not_made_many_by_their_classes() -> None:
    rows = [replace(example(f"{label} {row}"), label=str(label)) for label in range(77) for row in range(10)]
    split = split_examples(rows, SplitOptions(test=5, validation=5, stratify_by="label"), 0, None)
    assert len(split.test) == len(split.validation) == 5


@given(st.lists(st.tuples(st.integers(0, 25), st.sampled_from("abc")), min_size=30, max_size=80), st.integers(0, 3))
def test_strata_do_not_cut_groups(pairs: list[tuple[int, str]], seed: int) -> None:
    rows = [
        replace(example(f"question {group}", str(place)), label=label) for place, (group, label) in enumerate(pairs)
    ]
    try:
        split = split_examples(rows, SplitOptions(test=0.2, validation=0.2, stratify_by="label"), seed, None)
    except DataError as error:
        assert "fall into" in str(error) or "can be drawn" in str(error)
        return
    where = defaultdict(set)
    for one in rows:
        where[one.messages[0].content].add(sides(split)[one.id])
    assert all(len(found) == 1 for found in where.values())
    largest = max(Counter(group for group, _ in pairs).values())
    for label, size in Counter(label for _, label in pairs).items():
        assert abs(sum(one.label == label for one in split.test) - 0.2 * size) <= largest + 1


def test_a_column_may_name_the_strata_and_must_be_there() -> None:
    rows = [replace(one, fields={"topic": number % 2}, line=number) for number, one in enumerate(many(40))]
    split = split_examples(rows, SplitOptions(test=10, validation=10, stratify_by="topic"), 0, None)
    assert Counter(one.fields["topic"] for one in split.test) == {0: 5, 1: 5}
    given_ = split_examples(rows, SplitOptions(test=10, validation=10, stratify_by="topic"), 0, None, labels=["x"] * 40)
    assert len(given_.test) == 10
    with pytest.raises(DataError) as error:
        split_examples(rows, SplitOptions(stratify_by="subject"), 0, None)
    assert len(error.value.problems) == 11
    assert str(error.value.problems[-1]) == "and 30 more"
    with pytest.raises(DataError, match="of nearly every class there is one row or one group") as error:
        split_examples(rows, SplitOptions(stratify_by="label"), 0, None, labels=[str(number) for number in range(40)])
    assert error.value.problems[0].field == "split.stratify_by"


# Time


def dated(*days: object) -> list[Example]:
    return [
        replace(one, fields={"day": day}, line=line)
        for line, (one, day) in enumerate(zip(many(len(days)), days, strict=True), 1)
    ]


@given(st.permutations(range(1, 29)), st.integers(0, 3))
def test_the_newest_rows_are_the_test(days: list[int], seed: int) -> None:
    rows = dated(*(f"2024-02-{day:02}" for day in days))
    split = split_examples(rows, SplitOptions(test=4, validation=0.1, time_by="day"), seed, None)
    newest = sorted((one.fields["day"] for one in rows), reverse=True)
    assert sorted((one.fields["day"] for one in split.test), reverse=True) == newest[:4]
    assert sorted((one.fields["day"] for one in split.validation), reverse=True) == newest[4:7]
    assert split.tied == 0


def test_a_group_is_as_new_as_its_newest_row() -> None:
    rows = [replace(one, group=group) for one, group in zip(dated(1, 9, 2, 3, 4), "aabcd", strict=True)]
    split = split_examples(rows, SplitOptions(test=2, validation=1, time_by="day"), 0, None)
    assert [one.fields["day"] for one in split.test] == [1, 9]
    assert [one.fields["day"] for one in split.validation] == [4]


def test_ties_at_a_cut_are_told() -> None:
    split = split_examples(
        dated(1, 1, 1, 5, 5, 5, 9, 9, 9, 9), SplitOptions(test=2, validation=3, time_by="day"), 0, None
    )
    assert {one.fields["day"] for one in split.test} == {9}
    assert split.tied == 2 + 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2024-05-01", 1714521600),
        ("2024-05-01T02:00:00+02:00", 1714521600),
        ("2024-05-01 00:00:00Z", 1714521600),
        (1714521600, 1714521600),
        ("1714521600", 1714521600),
        (1714521600000, 1714521600),
        (1714521600000000, 1714521600),
        (1714521600000000000, 1714521600),
        (date(2024, 5, 1), 1714521600),
        (datetime(2024, 5, 1), 1714521600),
        (-1.5, -1.5),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        ("inf", None),
        ([], None),
    ],
)
def test_times_are_read_as_files_write_them(value: object, seconds: float | None) -> None:
    assert seconds_of(value) == seconds


def test_a_time_that_cannot_be_read_is_told() -> None:
    with pytest.raises(DataError) as error:
        split_examples(dated("2024-01-01", "soon", "2024-01-03", None), SplitOptions(time_by="day"), 0, None)
    soon, nothing = error.value.problems
    assert (soon.place, soon.field, soon.value) == ("a.jsonl:2", "day", "'soon'")
    assert soon.reason == "`day` is no date, time or epoch number"
    assert "ISO 8601" in str(soon.fix)
    assert (nothing.place, nothing.reason) == ("a.jsonl:4", "`day` is empty")


# Combinations and size


@pytest.mark.parametrize(
    ("options", "reason", "fix"),
    [
        ({"stratify_by": "label", "time_by": "day"}, "time alone decides", "Remove `stratify_by` or `time_by`"),
        ({"stratify_by": "scene", "group_by": "scene"}, "stay on one side", "Remove it from `group_by`"),
        ({"stratify_by": "scene", "group_by": ("source", "scene")}, "stay on one side", "Remove it from `group_by`"),
    ],
)
def test_impossible_combinations_are_refused(options: dict[str, object], reason: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        split_examples(many(40), SplitOptions(**options), 0, None)
    (problem,) = error.value.problems
    assert problem.field == "split.stratify_by"
    assert reason in problem.reason and fix in str(problem.fix)


@pytest.mark.parametrize("options", [{}, {"stratify_by": "label"}, {"time_by": "day"}])
def test_arrays_of_many_rows_are_split_and_frozen(tmp_path: Path, options: dict[str, str]) -> None:
    draw = np.random.default_rng(0)
    count = 50_000
    keys = SplitKeys(
        rows=draw.permutation(count).astype(np.uint64),
        groups=(draw.integers(0, 40_000, count).astype(np.uint64),),
        clusters=np.where(np.arange(count) % 9 == 0, draw.integers(0, count, count), np.arange(count)),
        labels=draw.integers(0, 77, count),
        times=draw.integers(0, 10**9, count).astype(float),
    )
    found = assign_sides(keys, SplitOptions(**options), 0, tmp_path / "split.json")
    assert np.bincount(found.sides).tolist() == pytest.approx([37_500, 5_000, 7_500], abs=40)
    for key in (keys.groups[0], keys.clusters):
        assert len(np.unique(np.stack([key, found.sides]), axis=1)[0]) == len(np.unique(key))
    again = assign_sides(keys, SplitOptions(**options), 0, tmp_path / "split.json")
    assert (again.sides == found.sides).all() and again.sha == found.sha
    if "stratify_by" in options:
        ideal = 0.15 * np.bincount(keys.labels)
        assert np.abs(np.bincount(keys.labels[found.sides == 2]) - ideal).max() <= 1
