"""The published probes as they come: CrowS-Pairs, Winogender and XSTest are read without a change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from atanor.evaluate.probing.reading import read_material

DATA = Path(os.environ.get("ATANOR_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.mark.parametrize(
    ("probe", "path", "keys", "rows"),
    [
        ("stereotypes", "bias_probes/crows_pairs.jsonl", ("sent_more", "sent_less"), 1508),
        ("pronouns", "bias_probes/winogender.jsonl", ("sentid", "sentence"), 720),
        ("refusals", "xstest/part1.jsonl", ("prompt", "label"), 225),
    ],
)
def test_a_published_probe_is_read(probe: str, path: str, keys: tuple[str, ...], rows: int) -> None:
    if not (DATA / path).is_file():
        pytest.skip(f"{DATA / path} is not there")
    found = read_material(probe, path, DATA, keys)
    assert len(found) == rows and all(set(row) == set(keys) for row in found)
