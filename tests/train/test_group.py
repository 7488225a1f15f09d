"""How a window is divided among processes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atanor.train.group import Group


@given(st.lists(st.integers(1, 500), max_size=40), st.integers(1, 5))
def test_every_item_has_one_process_and_the_loads_are_near(lengths: list[int], size: int) -> None:
    items = list(enumerate(lengths))
    parts = [Group(rank, size).part(items, lambda item: item[1]) for rank in range(size)]
    assert sorted(item for part in parts for item in part) == items
    assert all(part == sorted(part) for part in parts), "in their order"
    loads = [sum(length for _, length in part) for part in parts]
    assert max(loads) - min(loads) <= max(lengths, default=0)


def test_the_division_is_the_same_for_equal_lengths_whoever_asks() -> None:
    items = list(range(7))
    assert [Group(rank, 3).part(items, lambda _: 5) for rank in range(3)] == [[0, 3, 6], [1, 4], [2, 5]]
