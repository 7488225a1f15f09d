"""The guide to evaluation names the metrics there are, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from atanor.evaluate.metrics import METRIC_NAMES
from atanor.evaluate.options import MetricSpec

GUIDE = (Path(__file__).parents[1] / "docs" / "evaluation.md").read_text(encoding="utf-8")


def test_every_metric_is_in_the_guide() -> None:
    told = GUIDE.partition("## Which metric for what")[2].partition("## How some")[0]
    assert set(METRIC_NAMES) <= set(re.findall(r"`(\w+)`", told))
    table = re.findall(r"^\| [^|]+ \| ([^|]+) \|", told, re.M)[2:]
    assert {name for row in table for name in re.findall(r"`(\w+)`", row)} <= set(METRIC_NAMES)


def test_what_it_writes_can_be_written() -> None:
    blocks = re.findall(r"```yaml\nmetrics:\n(.*?)```", GUIDE, re.S)
    assert blocks
    for block in blocks:
        for entry in yaml.safe_load(block):
            assert MetricSpec.model_validate(entry).name in METRIC_NAMES
