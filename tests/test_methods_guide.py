"""The guide to the methods says what the methods are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from atanor.evaluate.metrics import PREFERENCE_METRICS
from atanor.methods.options import METHOD_OPTIONS, LoraMethodOptions
from atanor.project.options import MethodChoice
from atanor.train.objectives.options import OBJECTIVE_OPTIONS
from atanor.train.optimizers import build_optimizer, set_training
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


CONTROL = GUIDE.partition("## Training control")[2].partition("\n## ")[0]


def test_the_state_of_every_optimizer_takes_the_bytes_it_says() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \|[^|]+\| ([\d.]+) \|", CONTROL, re.M))
    assert told.keys() == set(OptimizerName)
    for name in OptimizerName:
        parameter = nn.Parameter(torch.zeros(512, 256))
        built = build_optimizer([("weight", parameter)], TrainOptions(optimizer=name), {})
        set_training(built, True)
        parameter.grad = torch.ones_like(parameter)
        built.step()
        kept = [one for one in built.state[parameter].values() if isinstance(one, torch.Tensor)]
        measured = sum(one.nbytes for one in kept) / parameter.numel()
        assert float(told[name]) == pytest.approx(measured, abs=0.02), name


def test_what_training_control_names_is_there() -> None:
    options = re.findall(r"`(\w+)`(?: \||,| and| beside|\.)|`(\w+): ", CONTROL)
    named = {one or other for one, other in options}
    known = TrainOptions.model_fields.keys() | set(OptimizerName) | {"targets", "ranks", "layers", "label_smoothing"}
    assert {"max_steps", "max_tokens", "max_minutes", "max_cost"} <= named <= known
    extra = re.search(r"atanor\[(\w+)\]", CONTROL)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert extra and {"schedulefree", "bitsandbytes"} == {
        re.split("[>=]", one)[0] for one in project["project"]["optional-dependencies"][extra[1]]
    }


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
