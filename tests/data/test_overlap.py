"""Held-out rows of a dataset that stand in its training rows are found, shown on its page and by the command."""

from __future__ import annotations

from pathlib import Path
from random import Random
from string import ascii_lowercase

from atanor.data import Side, SourceOptions, SplitOptions
from atanor.data.workshop.build import build_dataset
from atanor.data.workshop.dataset import Dataset
from atanor.data.workshop.overlap import overlap_of_sides
from atanor.data.workshop.page import dataset_page
from atanor.data.workshop.recipe import Recipe
from tests.data.test_workshop import write


def sentence(number: int, length: int = 30) -> str:
    """Words that no other sentence has."""
    draw = Random(number)
    return " ".join("".join(draw.choices(ascii_lowercase, k=6)) for _ in range(length))


def made(folder: Path, rows: list[dict[str, str]], split: SplitOptions | None) -> Dataset:
    write(folder, "rows.jsonl", rows)
    recipe = Recipe(sources=(SourceOptions(path="rows.jsonl"),), split=split)
    return build_dataset(recipe, folder, folder / "datasets", processes=1)


def test_a_quote_that_lies_on_both_sides_is_found(tmp_path: Path) -> None:
    quote = sentence(1000, 16)
    rows = [
        {"prompt": f"{number} {sentence(number)}", "completion": f"{sentence(500 + number)} {quote * (number < 9)}"}
        for number in range(30)
    ]
    dataset = made(tmp_path, rows, SplitOptions(test=8, validation=4))
    quoting = {
        side: {f"rows.jsonl:{one.line}" for one in dataset.examples(side) if quote in one.reference} for side in Side
    }
    held_out = quoting[Side.TEST] | quoting[Side.VALIDATION]
    assert held_out and quoting[Side.TRAIN], "the seed divides them"
    report = overlap_of_sides(dataset)
    assert report is not None
    assert {one.test for one in report.found} == held_out
    assert {one.train for one in report.found} <= quoting[Side.TRAIN]
    assert (report.items, report.rows, report.counts["ngram"]) == (12, 18, len(held_out))
    page = dataset_page(dataset)
    assert "What of the held-out rows stands in training" in page and report.found[0].test in page


def test_clean_data_and_data_without_a_test(tmp_path: Path) -> None:
    rows = [{"prompt": f"{number} {sentence(number)}", "completion": sentence(500 + number)} for number in range(30)]
    clean = made(tmp_path, rows, SplitOptions(test=8, validation=4))
    report = overlap_of_sides(clean)
    assert report is not None and not report.found
    assert "none is there, whole, nearly or as a run of 13 words" in dataset_page(clean)
    whole = made(tmp_path / "whole", rows, None)
    assert overlap_of_sides(whole) is None and "stands in training" not in dataset_page(whole)
