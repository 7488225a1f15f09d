"""The page about the ways to tune is what the committed results say."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import methods_page
from benchmarks.methods_page import PAGE, page

MACHINE = {"processor": "a processor", "threads": 1}


def test_the_page_is_made_of_the_committed_results() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "`make docs` makes it anew"


def arm(change: float, **more: Any) -> dict[str, Any]:
    bleu = {"baseline": 10.0, "candidate": 10 + change, "change": change, "low": change - 1, "high": change + 1}
    return {"metrics": {"bleu": bleu}, **more}


def test_an_arm_is_told_with_its_change_and_its_cost_and_one_that_trains_nothing_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = arm(12.5, processor_seconds=90.0, peak_bytes=3e9, trained_share=0.0421, file_bytes=19_500_000)
    kept = {"rows": {"train": 8, "validation": 2, "test": 4}, "methods": {"LoRA": trained, "prompt": arm(-2.0)}}
    result = {"machine": MACHINE, "sets": {"e2e_nlg": kept}}
    monkeypatch.setattr(methods_page, "read", lambda name: result if name == "methods" else None)
    lines = page().splitlines()
    assert "| LoRA | 22.50 (+12.5 [+11.5, +13.5]) | 1.5 | 3.00 | 4.21% | 20 |" in lines
    assert "| prompt | 8.00 (−2.00 [−3.00, −1.00]) | – | – | – | – |" in lines
    assert lines.count("Not measured yet.") == 5
