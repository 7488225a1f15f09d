"""A trained change at other sizes: 0 is the base, 1 what was trained bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from atanor.errors import ConfigurationError
from atanor.methods import METHOD_OPTIONS, METHODS, Bench
from atanor.methods.training import Trained
from atanor.models import Base, Scaling, Tuned, attach_lora, load_tuned
from atanor.train import Supervision
from tests.train.jobs import rows, tiny_base

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10]])
TECHNIQUES: list[tuple[str, dict[str, Any]]] = [
    ("lora", {}),
    ("lora", {"dora": True}),
    ("lora", {"start": "pissa", "rank": 4}),
    ("full", {}),
    ("last_layers", {"layers": 1}),
    ("ia3", {}),
    ("adapter", {"width": 8}),
]


@torch.no_grad()
def logits(model: Any) -> Tensor:
    found: Tensor = model.eval()(input_ids=TOKENS, use_cache=False).logits
    return found


def changed(base: Base, method: str, options: dict[str, Any], folder: Path) -> Tuned:
    """A tuned network whose numbers were moved at random, published and loaded again."""
    side = Supervision(rows(base, 2))
    bench = Bench(base, "Answer.", side, side, 3, folder, {})
    made = METHODS[method]
    assert isinstance(made, Trained)
    tuned = made.attach(METHOD_OPTIONS[method](**options), bench)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in tuned.model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=draw))
    folder.mkdir()
    tuned.publish(folder)
    tuned.detach()
    return load_tuned(base, folder)


@pytest.mark.parametrize(("method", "options"), TECHNIQUES, ids=[f"{name}-{o}" for name, o in TECHNIQUES])
def test_nothing_is_the_base_and_one_is_what_was_trained(
    method: str, options: dict[str, Any], tiny_base_folder: Path, tmp_path: Path
) -> None:
    base = tiny_base(tiny_base_folder)
    untouched = logits(base.model)
    tuned = changed(base, method, options, tmp_path / "whole")
    trained = logits(tuned.model)
    scaling = Scaling(tuned)
    scaling.at(0.0)
    assert torch.allclose(logits(tuned.model), untouched, atol=1e-5)
    far = []
    for scale in (0.25, 0.5, 1.5):
        scaling.at(scale)
        far.append(float((logits(tuned.model) - untouched).norm()))
    assert far == sorted(far) and far[0] > 0
    (tmp_path / "scaled").mkdir()
    tuned.publish(tmp_path / "scaled")
    scaled = logits(tuned.model)
    scaling.at(1.0)
    assert torch.equal(logits(tuned.model), trained)
    tuned.detach()
    assert torch.allclose(logits(load_tuned(base, tmp_path / "scaled").model), scaled, atol=1e-5), "as published"


def test_half_of_a_lora_is_half_of_its_update(tiny_base_folder: Path, tmp_path: Path) -> None:
    base = tiny_base(tiny_base_folder)
    before = {name: one.detach().clone() for name, one in base.model.named_parameters()}
    tuned = changed(base, "lora", {}, tmp_path / "lora")
    Scaling(tuned).at(0.5)
    half = dict(tuned.merge().named_parameters())
    whole = dict(load_tuned(tiny_base(tiny_base_folder), tmp_path / "lora").merge().named_parameters())
    moved = [name for name in before if not torch.equal(before[name], whole[name])]
    assert len(moved) == 14
    for name in moved:
        assert torch.allclose(half[name], (before[name] + whole[name]) / 2, atol=1e-6)


REFUSED = [
    ("prefix_tuning", {"tokens": 4}, "virtual tokens are read"),
    ("prompt_tuning", {"tokens": 4}, "virtual tokens are read"),
]


@pytest.mark.parametrize(("method", "options", "reason"), REFUSED)
def test_what_has_no_size_is_refused_with_the_reason(
    method: str, options: dict[str, Any], reason: str, tiny_base_folder: Path, tmp_path: Path
) -> None:
    tuned = changed(tiny_base(tiny_base_folder), method, options, tmp_path / "published")
    with pytest.raises(ConfigurationError, match="no other scales") as error:
        Scaling(tuned)
    assert reason in error.value.problems[0].reason


def test_an_adapter_with_a_trained_head_is_refused(tiny_base_folder: Path) -> None:
    tuned = attach_lora(tiny_base(tiny_base_folder), rank=2, alpha=4, seed=1)
    tuned.config.modules_to_save = ["lm_head"]
    with pytest.raises(ConfigurationError, match="no other scales"):
        Scaling(tuned)
