"""A prefix begins as the goal: the base then answers as if the goal stood before every prompt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from atanor.errors import BaseModelError
from atanor.methods import METHOD_OPTIONS, Bench
from atanor.methods.options import PrefixTuningOptions
from atanor.methods.training import prefix_tuning
from atanor.models import Base, BaseReference, load_base, resolve_base
from atanor.progress import Silent
from atanor.train import Supervision

GOAL = "Ask for the map of the seventh floor."


@pytest.fixture
def base(tiny_base_folder: Path) -> Base:
    return load_base(resolve_base(BaseReference.parse(f"path:{tiny_base_folder}"), tiny_base_folder, Silent()))


def bench_of(base: Base, folder: Path) -> Bench:
    row = Supervision([_Row()])  # type: ignore[list-item]
    return Bench(base=base, goal=GOAL, training=row, validation=row, seed=0, folder=folder, versions={})


class _Row:
    tokens = (5, 6, 7)


def test_the_prompt_is_read_as_if_the_goal_stood_before_it(base: Base, tmp_path: Path) -> None:
    goal = base.tokenizer(GOAL, add_special_tokens=False)["input_ids"]
    options = METHOD_OPTIONS["prefix_tuning"](tokens=len(goal) + 2)
    assert isinstance(options, PrefixTuningOptions) and options.start == "goal"
    prompt = base.tokenizer("Who left the door open?", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        told = base.model(torch.tensor([[*goal, *goal[:2], *prompt]])).logits[0, -len(prompt) :]
        alone = base.model(torch.tensor([prompt])).logits[0]
    tuned = prefix_tuning(options, bench_of(base, tmp_path))
    with torch.no_grad():
        begun = tuned.model(input_ids=torch.tensor([prompt])).logits[0]
    assert torch.allclose(begun, told, atol=1e-5) and not torch.allclose(begun, alone, atol=1e-3)


def test_a_family_that_keeps_something_else_is_told_what_to_write(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base.model.config, "num_hidden_layers", 5)
    options = PrefixTuningOptions(tokens=4)
    with pytest.raises(BaseModelError, match="cannot begin as the goal") as refused:
        prefix_tuning(options, bench_of(base, tmp_path))
    assert refused.value.problems[0].fix == "Write `start: random`"
