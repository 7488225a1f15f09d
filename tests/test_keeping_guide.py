"""The guide to runs that are kept says what there is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from atanor.methods.options import TuningOptions
from atanor.project.options import ProjectFile
from atanor.project.tracking import FILES
from atanor.tracking import records
from atanor.train.continuing import PEAK

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "keeping.md").read_text(encoding="utf-8")


def test_its_examples_are_accepted() -> None:
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)]
    assert len(blocks) == 3
    role = {"goal": "x", "data": "y"}
    for block in blocks:
        track = {"track": block["track"]} if "track" in block else {}
        methods = {"methods": block["methods"]} if "methods" in block else {}
        ProjectFile.model_validate({"project": "p", "base": "hf:a/b", "roles": {"r": {**role, **methods}}, **track})


def test_the_figures_and_files_it_names_are_told() -> None:
    told = {records.TRAIN_LOSS, records.VALIDATION_LOSS, records.LEARNING_RATE, records.GRADIENT_NORM, records.SPEED}
    assert set(re.findall(r"`((?:train|validation)/\w+)`", GUIDE)) == told
    assert all(f"`{name}`" in GUIDE for name in FILES)
    assert PEAK == 0.5 and "Its peak is half the first one" in GUIDE
    assert "start_from" in TuningOptions.model_fields


def test_its_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", GUIDE) if not link.startswith("http")]
    assert links
    for link in links:
        assert (ROOT / "docs" / link).exists(), link
