"""A test item that was trained on is found, whole, nearly or by a run of words, and the row is named."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from atanor.data.duplicates import ContaminationReport, Overlap, find_contamination
from atanor.data.duplicates.folding import fold
from atanor.data.duplicates.words import words_of

WORDS = [f"word{number}" for number in range(2000)]


def array(*texts: str | None) -> pa.StringArray:
    return pa.array(texts, pa.string())


def text(start: int, count: int) -> str:
    return " ".join(WORDS[start : start + count])


def kinds(report: ContaminationReport) -> dict[int, tuple[Overlap, int]]:
    return {found.item: (found.kind, found.row) for found in report.contaminated}


def test_each_kind_of_overlap_names_item_and_row() -> None:
    items = array(text(0, 30), text(100, 60), text(200, 40), text(300, 10), text(400, 30), text(500, 5), "?!", "")
    rows = [
        text(1000, 50),
        text(0, 30).upper().replace(" ", ",  ") + ".",
        f"{text(1100, 20)} {text(120, 15)} {text(1200, 20)}",
        text(200, 40).replace("word210", "other"),
        f"{text(1300, 9)} {text(301, 8)}",
        text(400, 12),
        f"{text(500, 5)} {text(1400, 5)}",
        text(0, 30),
        "!?",
    ]
    report = find_contamination([array(*rows[:4]), array(*rows[4:])], items)
    assert kinds(report) == {
        0: (Overlap.EXACT, 1),
        1: (Overlap.NGRAM, 2),
        2: (Overlap.NEAR, 3),
        3: (Overlap.NGRAM, 4),
    }
    whole, run, near, short = report.contaminated
    assert (whole.share, whole.similarity) == (1, 1)
    assert run.ngram == text(120, 13)
    assert run.share == 15 / 60 and run.similarity is None
    assert near.ngram == text(211, 13) and near.similarity is not None and near.similarity > 0.7
    assert short.ngram == text(301, 8) and short.share == 0.8
    assert (report.items, report.rows, report.compared_whole, report.templates) == (8, 9, 3, 0)
    assert [report.count(kind) for kind in Overlap] == [1, 1, 2]


def test_short_items_are_found_whole() -> None:
    report = find_contamination([array("Who is it?", "Who is it now")], array("who is it", "now"), near=None)
    assert kinds(report) == {0: (Overlap.EXACT, 0)}
    assert report.contaminated[0].ngram is None and report.contaminated[0].share == 0


def test_a_run_that_many_items_share_is_their_template() -> None:
    items = [f"{text(0, 20)} {text(100 + 20 * number, 15)}" for number in range(12)]
    rows = [array(f"{text(0, 20)} {text(700, 15)}", f"{text(800, 9)} {text(140, 13)}")]
    report = find_contamination(rows, array(*items), near=None)
    assert kinds(report) == {2: (Overlap.NGRAM, 1)}
    assert report.templates == 8
    few = find_contamination(rows, array(*items[:3]), near=None)
    assert kinds(few) == {0: (Overlap.NGRAM, 0), 1: (Overlap.NGRAM, 0), 2: (Overlap.NGRAM, 0)}


def test_nothing_to_look_for_or_in() -> None:
    assert find_contamination([], array("a b c")).contaminated == ()
    assert find_contamination([array("a b c", None)], array()).contaminated == ()
    empty = find_contamination([array("", None, "a")], array("", None))
    assert (empty.items, empty.rows, empty.contaminated, empty.compared_whole) == (2, 3, (), 2)


def test_the_most_alike_row_is_named_and_of_equals_the_first() -> None:
    item = text(0, 60)
    rows = [item.replace("word3 ", "x "), item.replace("word33 ", ""), item + " x", item + " y"]
    report = find_contamination([array(*rows[:2]), array(*rows[2:])], array(item))
    found = report.contaminated[0]
    assert found.kind is Overlap.NEAR and found.row in (2, 3)
    alone = find_contamination([array(rows[2], rows[2])], array(item)).contaminated[0]
    assert alone.row == 0


def test_scripts_without_spaces_have_a_word_for_each_character() -> None:
    sentence = "図書館には終わりがなくすべての本があなたを読んだ"
    assert words_of(fold(array("two words", sentence, "ab日本cd", ""))).counts.tolist() == [2, len(sentence), 4, 0]
    report = find_contamination([array(f"新しい{sentence[3:20]}です")], array(sentence), near=None)
    assert report.contaminated[0].ngram == sentence[3:16]
    assert report.contaminated[0].share == 17 / len(sentence)


@given(
    st.lists(st.lists(st.sampled_from("abcd"), max_size=9), max_size=8),
    st.lists(st.lists(st.sampled_from("abcd"), max_size=9), max_size=8),
    st.integers(1, 4),
    st.integers(1, 8),
)
def test_runs_are_those_that_a_set_finds(train: list[list[str]], test: list[list[str]], n: int, size: int) -> None:
    def runs(words: list[str]) -> list[tuple[str, ...]]:
        return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]

    batches = [array(*map(" ".join, train[at : at + size])) for at in range(0, len(train), size)]
    report = find_contamination(batches, array(*map(" ".join, test)), n, near=None)
    found = {one.item: one for one in report.contaminated}
    for item, words in enumerate(test):
        rows = [row for row, other in enumerate(train) if set(runs(words)) & set(runs(other))]
        same = [row for row, other in enumerate(train) if words and words == other]
        assert (item in found) == bool(rows or same)
        if item in found:
            assert found[item].row == min(same or rows)
            known = {run for row in train for run in runs(row)}
            covered = {at + step for at, run in enumerate(runs(words)) if run in known for step in range(n)}
            assert found[item].share == len(covered) / len(words)
            if rows:
                assert found[item].ngram == " ".join(next(run for run in runs(words) if run in runs(train[rows[0]])))


def test_batches_make_no_difference() -> None:
    draw = np.random.default_rng(0)
    rows = [
        text(int(start), int(count))
        for start, count in zip(draw.integers(0, 1900, 200), draw.integers(1, 60, 200), strict=True)
    ]
    items = array(*rows[::7], *(row + " also this" for row in rows[::11]), *map(" ".join, itertools.pairwise(rows)))
    whole = find_contamination([array(*rows)], items)
    assert find_contamination([array(row) for row in rows], items) == whole
    assert {whole.count(kind) > 0 for kind in Overlap} == {True}
