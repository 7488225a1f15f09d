"""The guide to the methods says what the methods are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from atanor.evaluate.metrics import PREFERENCE_METRICS
from atanor.methods.options import METHOD_OPTIONS, LoraMethodOptions
from atanor.project.options import MethodChoice
from atanor.train.objectives.options import OBJECTIVE_OPTIONS
from atanor.train.options import OptimizerName, Schedule, TrainOptions

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")


def test_every_method_is_there_with_its_learning_rate() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]+\| ([^|]+) \|", GUIDE, re.M))
    told = {name: rate for name, rate in rows.items() if name in METHOD_OPTIONS}
    assert told.keys() == METHOD_OPTIONS.keys()
    for name, options in METHOD_OPTIONS.items():
        if issubclass(options, TrainOptions):
            rate = float(told[name].partition(":")[0])
            assert rate == pytest.approx(options.model_fields["learning_rate"].default), name


def test_the_options_it_names_are_there() -> None:
    variants = GUIDE.partition("## LoRA in its variants")[2].partition("## QLoRA")[0]
    named = re.findall(r"`(\w+)[`:]", variants)
    assert named and set(named) <= LoraMethodOptions.model_fields.keys()
    trained = GUIDE.partition("## How it is trained")[2].partition("## What is tested")[0].split("\n\n")[1]
    known = TrainOptions.model_fields.keys() | set(OptimizerName) | set(Schedule)
    named = re.findall(r"`(\w+)`", trained)
    assert set(named) <= known
    assert {*OptimizerName, *Schedule} <= set(named)


def test_every_objective_is_there_with_its_options() -> None:
    section = GUIDE.partition("## What is minimised")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|[^|]+\| ([^|]+) \|", section, re.M)
    assert [name for name, _, _ in rows] == list(OBJECTIVE_OPTIONS)
    for name, learns_from, options in rows:
        declared = OBJECTIVE_OPTIONS[name]
        assert re.findall(r"`(\w+)`", options) == list(declared.model_fields)
        assert learns_from.startswith(declared.learns_from.value)
    slower = re.search(r"\*The learning rate\* of ((?:`\w+`[, and]*)+) is a tenth", section)
    assert slower is not None
    told = re.findall(r"`(\w+)`", slower[1])
    assert told == [name for name, declared in OBJECTIVE_OPTIONS.items() if declared.rate == 0.1]
    assert set(re.findall(r"`(preference\w*)`", section)) == set(PREFERENCE_METRICS)
    written = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])
    assert [MethodChoice.model_validate(entry).name for entry in written["methods"]] == ["lora", "full"]


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
