"""The page about the data workshop is what the committed results say."""

from __future__ import annotations

from benchmarks.data_page import PAGE, page
from benchmarks.page import read
from benchmarks.planted_faults import judge


def test_the_page_is_made_of_the_committed_results() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "`make docs` makes it anew"


def test_every_check_that_plants_faults_meets_its_goal() -> None:
    found = read("planted_faults")
    assert found is not None
    missed = [one.subject for one in judge(found) if not one.met]
    assert missed == [] and len(found["checks"]) == 8
