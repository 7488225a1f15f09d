"""Copies are found however they are dressed, near ones as the theory says, and what is alike in nothing stays apart."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data.duplicates import (
    AnswerGroup,
    Disagreement,
    NearDuplicates,
    content_keys,
    contradictions,
    first_occurrences,
    folded_keys,
    joined_keys,
    signatures,
)
from atanor.data.duplicates.bands import Banding, band_keys, banding_for
from atanor.data.duplicates.clusters import together
from atanor.data.duplicates.folding import fold, fold_in_chunks
from atanor.data.duplicates.minhash import EMPTY
from atanor.data.duplicates.shingles import jaccard

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
TEXTS = st.lists(st.text(max_size=12) | st.none(), max_size=12)
LETTERS = st.text("abcdeé ß", min_size=0, max_size=30)


def array(*texts: str | None) -> pa.StringArray:
    return pa.array(texts, pa.string())


def dolly() -> list[str]:
    path = DATA / "dolly_open_qa" / "train.jsonl"
    if not path.exists():
        pytest.skip(f"the real data is not at {DATA}; name its folder in ATANOR_DATA")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [f"{row['instruction']}\n{row['response']}" for row in rows]


# Folding


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Hello,\n\tWorld! ", "hello world"),
        ("STRASSE straße ﬁn", "strasse strasse fin"),
        ("don't “quote” — me…", "dont quote me"),
        ("zero\u200bwidth\ufeff and\u00a0hard", "zerowidth and hard"),
        ("12.5 x 125, 2*3 or 2+3; C# at 50%", "12.5 x 125 2*3 or 2+3 c# at 50%"),
        ("日本語。テスト", "日本語テスト"),
        ("?! … ", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_what_folding_leaves(text: str | None, folded: str) -> None:
    assert fold(array(text)).text(0) == folded


@settings(max_examples=30)
@given(TEXTS)
def test_each_text_is_folded_as_if_alone_and_folding_again_changes_nothing(texts: list[str | None]) -> None:
    together_ = fold(array(*texts))
    assert len(together_) == len(texts)
    for index, text in enumerate(texts):
        alone = fold(array("x. ", text).slice(1)).text(0)
        assert together_.text(index) == alone == alone.strip()
        assert "  " not in alone
        assert fold(array(alone)).text(0) == alone


def test_a_letter_that_folds_to_two_moves_no_other_text() -> None:
    folded = fold(array("Straße", None, "", "ﬁn", "end"))
    assert [folded.text(index) for index in range(5)] == ["strasse", "", "", "fin", "end"]


def test_chunks_and_one_long_text_cover_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atanor.data.duplicates.folding.CHUNK_BYTES", 50)
    texts = array(*(f"Row {number}" for number in range(40)), "x" * 500, None, "", "end")
    found = [
        (first + index, chunk.text(index)) for first, chunk in fold_in_chunks(texts) for index in range(len(chunk))
    ]
    assert [first for first, _ in found] == list(range(44))
    assert [text for _, text in found] == [f"row {number}" for number in range(40)] + ["x" * 500, "", "", "end"]
    assert (signatures(texts) == np.concatenate([signatures(texts.slice(at, 1)) for at in range(44)])).all()


# Signatures


def test_signatures_are_the_same_on_every_machine() -> None:
    found = signatures(array("The library has no end.", "a", "Straße", ""))
    digest = hashlib.sha256(found.astype("<u4").tobytes()).hexdigest()[:16]
    assert digest == "63b77aa0b5b10de1"


def test_texts_without_a_letter_are_explicit_and_like_no_other() -> None:
    found = signatures(array("", "?!", None, "a"))
    assert found.dtype == np.uint32 and found.shape == (4, 128)
    assert (found[:3] == EMPTY).all() and (found[3] != EMPTY).any()
    assert signatures(array()).shape == (0, 128)
    near = NearDuplicates()
    near.add(found)
    assert near.clusters().representative.tolist() == [0, 1, 2, 3]
    assert jaccard(array("", "ab"), array("", "ab")).tolist() == [0, 1]


@given(st.lists(st.tuples(LETTERS, LETTERS), min_size=1, max_size=6), st.integers(1, 7))
def test_jaccard_is_that_of_the_sets_of_shingles(pairs: list[tuple[str, str]], size: int) -> None:
    def shingles(text: str) -> set[str]:
        text = fold(array(text)).text(0)
        return {text[at : at + size] for at in range(max(len(text) - size + 1, 1))} if text else set()

    expected = []
    for left, right in pairs:
        one, other = shingles(left), shingles(right)
        expected.append(len(one & other) / max(len(one | other), 1))
    found = jaccard(array(*(left for left, _ in pairs)), array(*(right for _, right in pairs)), size)
    assert found.tolist() == pytest.approx(expected)


def some_pairs(count: int) -> tuple[pa.StringArray, pa.StringArray]:
    """Pairs of texts of every similarity."""
    draw = random.Random(0)
    words = [f"{draw.getrandbits(32):x}" for _ in range(400)]
    left = [" ".join(draw.choices(words, k=40)) for _ in range(count)]
    cut = [text.split()[: (40 * number) // count] for number, text in enumerate(left)]
    return array(*left), array(*(" ".join([*kept, *draw.choices(words, k=40 - len(kept))]) for kept in cut))


def test_the_estimate_is_within_theory() -> None:
    left, right = some_pairs(2000)
    exact = jaccard(left, right)
    error = (signatures(left) == signatures(right)).mean(axis=1) - exact
    theory = np.sqrt((exact * (1 - exact) / 128).mean())
    assert abs(error.mean()) < 4 * theory / np.sqrt(len(exact))
    assert np.sqrt((error**2).mean()) == pytest.approx(theory, rel=0.1)


def test_it_agrees_with_datasketch() -> None:
    datasketch = pytest.importorskip("datasketch")

    def sketch(text: str) -> object:
        folded = fold(array(text)).text(0)
        found = datasketch.MinHash(num_perm=128)
        found.update_batch([folded[at : at + 5].encode() for at in range(len(folded) - 4)])
        return found

    left, right = some_pairs(200)
    theirs = [[sketch(text) for text in side.to_pylist()] for side in (left, right)]
    estimates = np.array([one.jaccard(other) for one, other in zip(*theirs, strict=True)])
    ours = (signatures(left) == signatures(right)).mean(axis=1)
    exact = jaccard(left, right)
    # The difference of two independent estimates has twice the variance of one.
    assert np.sqrt(((ours - estimates) ** 2).mean()) < 1.3 * np.sqrt(2 * (exact * (1 - exact) / 128).mean())

    index = datasketch.MinHashLSH(num_perm=128, params=(25, 5))
    for number, one in enumerate(theirs[0]):
        index.insert(number, one)
    near = NearDuplicates(0.7)
    near.add(np.concatenate([signatures(left), signatures(right)]))
    representative = near.clusters().representative
    clear = [number for number in range(200) if abs(exact[number] - 0.7) > 0.2]
    for number in clear:
        alike = number in index.query(theirs[1][number]) and estimates[number] >= 0.7
        assert alike == (representative[200 + number] == representative[number]), number
    assert sum(exact[number] > 0.9 for number in clear) > 10


# Bands


def test_bands_follow_the_theory() -> None:
    assert banding_for(0.7, 128) == Banding(25, 5)
    assert banding_for(1.0, 128) == Banding(1, 128)
    for threshold in (0.1, 0.3, 0.5, 0.7, 0.9):
        cut = banding_for(threshold, 128)
        assert cut.bands * cut.rows <= 128
        assert cut.probability(threshold) >= 0.95
    left, right = some_pairs(3000)
    cut = Banding(16, 8)
    shared = (band_keys(signatures(left), cut) == band_keys(signatures(right), cut)).any(axis=0)
    expected = np.array([cut.probability(one) for one in jaccard(left, right).tolist()])
    for low, high in itertools.pairwise((0, 0.3, 0.6, 0.8, 1)):
        here = (expected > cut.probability(low)) & (expected <= cut.probability(high))
        spread = np.sqrt((expected * (1 - expected))[here].sum()) / here.sum()
        assert shared[here].mean() == pytest.approx(expected[here].mean(), abs=4 * spread + 1e-3)


# Near-duplicates


def clusters_of(texts: list[str], *, exact: bool = True, **wishes: float) -> list[int]:
    rows = array(*texts)
    near = NearDuplicates(**wishes)
    near.add(signatures(rows))
    found = near.clusters((lambda wanted: rows.take(pa.array(wanted))) if exact else None)
    assert (found.representative <= np.arange(len(texts))).all()
    assert (found.representative[found.representative] == found.representative).all()
    return found.representative.tolist()


SENTENCE = "The library has no end, and every book in it has read you before you came to its door"


def test_the_lowest_row_stands_for_its_cluster() -> None:
    texts = ["Something else entirely, about rivers", SENTENCE, SENTENCE.upper() + "!", "", SENTENCE + " today", ""]
    assert clusters_of(texts) == [0, 1, 1, 3, 1, 5] == clusters_of(texts, exact=False)


def test_a_row_that_joined_through_others_stays_in_the_data() -> None:
    words = [f"word{number}" for number in range(60)]
    chain = [" ".join(words[start : start + 40]) for start in (0, 5, 10, 15)]
    rows = array(*chain)
    near = NearDuplicates(0.7)
    near.add(signatures(rows))
    found = near.clusters(lambda wanted: rows.take(pa.array(wanted)))
    assert found.representative.tolist() == [0, 0, 0, 0]
    assert found.similarity[0] == 1 and (np.diff(found.similarity) < 0).all() and found.similarity[3] < 0.5
    assert found.copies.tolist() == [1]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_batches_and_files_make_no_difference(kinds: list[int], sizes: list[int]) -> None:
    rows = signatures(array(*(f"{SENTENCE} {'x' * kind * kind}" if kind < 5 else f"row {kind}" for kind in kinds)))
    whole = NearDuplicates()
    whole.add(rows)
    with tempfile.TemporaryDirectory() as folder:
        parts = NearDuplicates(folder=Path(folder))
        for start, end in itertools.pairwise(
            itertools.accumulate(itertools.islice(itertools.cycle(sizes), 40), initial=0)
        ):
            parts.add(rows[start:end])
        one, other = whole.clusters(), parts.clusters()
    assert (one.representative == other.representative).all()
    assert (one.similarity == other.similarity).all()


def test_boilerplate_that_very_many_rows_share_does_not_explode() -> None:
    # All with all would be 800 million pairs.
    rows = np.tile(signatures(array(SENTENCE)), (40_000, 1))
    near = NearDuplicates()
    near.add(rows)
    assert (near.clusters().representative == 0).all()


def test_the_bands_done_are_told() -> None:
    told: list[tuple[int, int]] = []
    near = NearDuplicates()
    near.clusters(done=lambda done, of: told.append((done, of)))
    assert told == [(number, 25) for number in range(1, 26)]


def typos(text: str, draw: random.Random) -> str:
    letters = list(text)
    for _ in range(max(len(text) // 100, 1)):
        letters[draw.randrange(len(letters))] = draw.choice("abcdefghijklmnopqrstuvwxyz")
    return "".join(letters)


def swapped(text: str, draw: random.Random) -> str:
    words = text.split(" ")
    at = draw.randrange(max(len(words) - 1, 1))
    return " ".join([*words[:at], *words[at : at + 2][::-1], *words[at + 2 :]])


def another_word(text: str, draw: random.Random) -> str:
    words = text.split(" ")
    words.insert(draw.randrange(len(words) + 1), "certainly")
    return " ".join(words)


EDITS: list[Callable[[str, random.Random], str]] = [
    typos,
    swapped,
    another_word,
    lambda text, _: text.upper(),
    lambda text, _: text.replace(".", " !").replace(",", "").replace("?", "..."),
]


def test_planted_near_duplicates_are_found_and_little_else() -> None:
    texts, draw = dolly(), random.Random(1)
    sources = draw.sample(range(len(texts)), 1000)
    planted = [EDITS[number % len(EDITS)](texts[source], draw) for number, source in enumerate(sources)]
    representative = np.array(clusters_of(texts + planted, exact=False))
    copies = len(texts) + np.arange(1000)
    found = representative[copies] == representative[sources]
    assert found.mean() >= 0.95
    for kind in range(len(EDITS)):
        assert found[kind :: len(EDITS)].mean() >= 0.9
    truth = np.arange(len(representative))
    truth[copies] = sources
    joined = np.flatnonzero(representative != np.arange(len(representative)))
    assert (truth[joined] == truth[representative[joined]]).mean() >= 0.95


# Exact


@given(st.lists(st.sampled_from(["a", "A", "a ", "b", "", None, "?", "!"]), max_size=20))
def test_the_first_of_equal_texts_is_found(texts: list[str | None]) -> None:
    written = [text or "" for text in texts]
    assert first_occurrences(content_keys(array(*texts))).tolist() == [written.index(text) for text in written]
    folded = [fold(array(text)).text(0) or text.strip() for text in written]
    assert first_occurrences(folded_keys(array(*texts))).tolist() == [folded.index(text) for text in folded]


def test_keys_of_runs_hang_on_order_and_borders() -> None:
    keys = content_keys(array("a", "b", "a", "b", "b", "a"))
    found = joined_keys(keys, np.array([0, 2, 4, 6, 6]))
    assert first_occurrences(found).tolist() == [0, 0, 2, 3]
    assert len(found) == 4


def test_one_prompt_with_different_answers_is_told() -> None:
    prompts = folded_keys(array("Is it open?", "Where?", "is it OPEN", "Where?", "Who?", "Who?", "where"))
    answers = folded_keys(array("yes", "here", "No.", "Here!", "me", "me", "there"))
    labelled = np.array([True, False, True, False, True, True, True])
    assert contradictions(prompts, answers, labelled) == (
        AnswerGroup((0, 2), (0, 1), Disagreement.CONTRADICTION),
        AnswerGroup((1, 3, 6), (0, 0, 1), Disagreement.SEVERAL_REFERENCES),
    )
    assert {group.kind for group in contradictions(prompts, answers)} == {Disagreement.SEVERAL_REFERENCES}
    assert contradictions(prompts[:0], answers[:0]) == ()
    assert contradictions(answers, answers) == ()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=20))
def test_rows_are_together_with_all_they_share_anything_with(pairs: list[tuple[int, int]]) -> None:
    keys = [np.array([pair[kind] for pair in pairs], np.int64) for kind in (0, 1)]
    found = together(len(pairs), *keys).tolist()
    reached = list(range(len(pairs)))
    for _ in pairs:
        for one, other in itertools.combinations(range(len(pairs)), 2):
            if pairs[one][0] == pairs[other][0] or pairs[one][1] == pairs[other][1]:
                reached[one] = reached[other] = min(reached[one], reached[other])
    assert found == reached
