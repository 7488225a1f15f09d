"""The page on probes: its probes, metrics and examples are those there are."""

from __future__ import annotations

import re
from pathlib import Path

from atanor.evaluate.contamination.leaks import ALIKE, COVERED
from atanor.evaluate.probing.options import PROBE_OPTIONS
from tests.project.sample import SHORT, checked

PAGE = (Path(__file__).parents[1] / "docs" / "probes.md").read_text(encoding="utf-8")


def test_the_table_has_every_probe_with_its_metrics() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`[^|]+`) \|", PAGE, re.MULTILINE)
    assert {name: tuple(re.findall(r"\w+", metrics)) for name, metrics in rows} == {
        name: options.metrics for name, options in PROBE_OPTIONS.items()
    }


def test_the_examples_check(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert checked(tmp_path, SHORT + block) == []


def test_the_limits_are_those_in_force() -> None:
    assert f"similarity of {ALIKE}" in PAGE and f"cover {COVERED:.0%}".replace("%", " %") in PAGE
