"""No option is accepted and ignored: each is declared once, described, in the reference, and read somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from atanor.options import Options
from atanor.project.notation import option_groups
from atanor.project.options import ProjectFile, RoleOptions
from atanor.project.reference import reference_markdown

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "atanor"
DECLARATIONS = set(SOURCES.rglob("options.py"))
FIELDS = [(group.place, group.model, key) for group in option_groups() for key in group.model.model_fields]


def every_options_class(base: type[BaseModel] = Options) -> set[type[BaseModel]]:
    below = set(base.__subclasses__())
    return below.union(*(every_options_class(one) for one in below)) if below else below


def test_every_class_of_options_is_part_of_the_project_file() -> None:
    reachable = {cls for group in option_groups() for cls in group.model.__mro__}
    assert every_options_class() - reachable == set()
    assert {ProjectFile, RoleOptions} < reachable


@pytest.mark.parametrize(("place", "model", "key"), FIELDS, ids=[f"{place}.{key}" for place, _, key in FIELDS])
def test_an_option_is_described_and_read(place: str, model: type[BaseModel], key: str) -> None:
    del place
    assert model.model_fields[key].description
    reading = re.compile(rf"\.{key}\b(?!\s*=[^=])")
    # What only shows or checks options does not act on them.
    passive = {SOURCES / "project" / name for name in ("checking.py", "explain.py", "schema.py", "reference.py")}
    readers = [
        path
        for path in SOURCES.rglob("*.py")
        if path not in DECLARATIONS | passive and reading.search(path.read_text())
    ]
    in_its_own_room = [path for path in DECLARATIONS if re.search(rf"self\.{key}\b", path.read_text())]
    assert readers or in_its_own_room, f"`{key}` is accepted and read by nobody"


def test_the_reference_has_every_option() -> None:
    page = reference_markdown()
    for place, model, key in FIELDS:
        section = page.split(f"## `{place}`" if place else "## The top", 1)[1].split("\n## ", 1)[0]
        assert f"| `{key}` |" in section, (place, model, key)
    assert len(FIELDS) >= 50


def test_the_page_in_the_docs_is_the_generated_one() -> None:
    page = ROOT / "docs" / "reference" / "project-file.md"
    if not page.parent.is_dir():
        pytest.skip("no reference in the docs yet")
    assert page.read_text(encoding="utf-8") == reference_markdown()
