"""The page of a dataset: complete in itself, true to the numbers, and safe whatever the rows hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from atanor.data.options import SourceOptions, SplitOptions
from atanor.data.workshop.build import build_dataset
from atanor.data.workshop.dataset import Dataset
from atanor.data.workshop.page import dataset_page, write_page
from atanor.data.workshop.page_findings import _difference
from atanor.data.workshop.recipe import Recipe

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("page")
    rows = [{"text": f"question {n} about item {n * 37}", "label": f"kind {n % 14}"} for n in range(60)]
    rows += [rows[0], {"text": "itâ€™s a café question", "label": HOSTILE}]
    rows += [
        {"text": f"{word} is what else", "label": HOSTILE} for word in ("snow", "bread", "glass", "whales", "maps")
    ]
    lines = [json.dumps(row) for row in rows] + ['{"text": ']
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    recipe = Recipe(sources=(SourceOptions(path="rows.jsonl"),), split=SplitOptions(test=10, validation=5))
    return build_dataset(recipe, folder, folder / "datasets")


@pytest.fixture(scope="module")
def page(made: Dataset) -> str:
    return dataset_page(made)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_the_numbers_of_the_page_are_those_of_the_dataset(made: Dataset, page: str) -> None:
    text = text_of(page)
    assert "68 read − 1 refused − 1 left out = 66 rows" in text
    for side, count in made.version.sides.items():
        assert f"{count} {side}" in text
    assert made.version.sha in page and made.version.key in page
    assert "rows that cannot be read 1 row" in text and "exact copies 1 row" in text
    assert text.index("Refused") < text.index("Mended") < text.index("Left out")


def test_the_page_loads_nothing_and_interprets_no_row(page: str) -> None:
    assert "<script" not in page and "<img" not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "&lt;script&gt;" in page, "the row is shown as text"
    assert "style=" not in page, "the policy allows no style but the page's own"


def test_plots_have_every_step_and_rare_names_are_put_together(page: str) -> None:
    text = text_of(page)
    assert "0.0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9" in text
    assert "5 others" in text, "ten of fifteen labels have a bar of their own"
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_only_what_is_not_the_default_is_shown_first(page: str) -> None:
    first = page[page.index('aria-label="Recipe"') :].partition("</pre>")[0]
    assert "rows.jsonl" in first and "&quot;test&quot;: 10" in first
    assert "canned_refusals" not in first and "canned_refusals" in page


def test_changes_show_what_went_and_what_came() -> None:
    assert _difference("it was  here", "it was here") == "it was <del>␣</del>here"
    assert _difference("cafÃ©s", "cafés") == "caf<del>Ã©</del><ins>é</ins>s"
    assert _difference("a\u200bb", "ab") == "a<del>U+200B</del>b"
    assert "&lt;b&gt;" in _difference("<b>x", "x")
    assert _difference("the same start, and then", "the same start") == "the same start", "cut to a length"


def test_the_page_lies_in_the_folder_or_beside_the_work(
    made: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.jsonl.gz").write_bytes(b"")
    assert write_page(made) == made.folder / "report.html"
    assert write_page(made, "talk.jsonl.gz") == Path("talk.report.html") and Path("talk.report.html").is_file()
