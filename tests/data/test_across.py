"""Rows nearly the same as rows of another table: none is missed and none is invented."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atanor.data.duplicates import across
from atanor.data.duplicates.across import NO_ROW, nearest_across
from atanor.data.duplicates.shingles import jaccard

WORDS = st.lists(st.sampled_from(["the", "card", "is", "lost", "and", "my", "new", "one", "has", "not"]), max_size=9)
TEXTS = st.lists(st.one_of(WORDS.map(" ".join), st.text(max_size=12)), max_size=12)


def by_all_pairs(rows: list[str], others: list[str], threshold: float) -> list[int]:
    """The most alike other row of each row, found by comparing every pair."""
    left, right = [row for row in rows for _ in others], others * len(rows)
    alike = jaccard(pa.array(left, pa.string()), pa.array(right, pa.string())).reshape(len(rows), len(others))
    return [int(row.argmax()) if len(row) and row.max() >= threshold - 1e-6 else NO_ROW for row in alike]


@settings(deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([0.2, 0.5, 0.7, 1.0]))
def test_it_finds_what_comparing_every_pair_finds(rows: list[str], others: list[str], threshold: float) -> None:
    found = nearest_across(pa.array(rows, pa.string()), pa.array(others, pa.string()), threshold)
    assert found.other.tolist() == by_all_pairs(rows, others, threshold)
    assert ((found.similarity > 0) == (found.other != NO_ROW)).all()


def test_many_rows_are_looked_up_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"word{number}" for number in rng.integers(0, 400, 8)) for _ in range(300)]
    others = [f"{text} more" for text in texts[::7]]
    whole = nearest_across(pa.array(texts), pa.array(others), 0.7)
    for name in ("_ROWS", "_PAIRS", "_TEXTS"):
        monkeypatch.setattr(across, name, 13)
    parts = nearest_across(pa.array(texts), pa.array(others), 0.7)
    assert parts.other.tolist() == whole.other.tolist()
    assert [place for place, other in enumerate(whole.other) if other != NO_ROW] == list(range(0, 300, 7))
