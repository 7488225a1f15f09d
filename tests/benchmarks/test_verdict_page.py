"""The page about verdicts is what the committed simulation says, and every goal is met."""

from __future__ import annotations

from benchmarks.coverage import judge
from benchmarks.page import read
from benchmarks.verdict_page import PAGE, page


def test_the_page_is_made_of_the_committed_results() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "`make docs` makes it anew"


def test_every_goal_is_met() -> None:
    found = read("coverage")
    assert found is not None and found["simulations"] == 2_000
    assert [one.subject for one in judge(found) if not one.met] == []
