"""What is measured on a few blocks and drawn out to the base's depth is what the whole base allocates."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from atanor.methods import METHOD_OPTIONS, METHODS, Probed, probe, probing
from atanor.methods.options import TuningOptions
from atanor.methods.training import Trained
from tests.train.jobs import rows, tiny_base

TECHNIQUES = [
    ("lora", {}),
    ("lora", {"dora": True}),
    ("lora", {"targets": ["q_proj", "v_proj"], "ranks": {"v_proj": 2}}),
    ("full", {"optimizer": "adafactor"}),
    ("full", {"optimizer": "adamw_8bit"}),
    ("full", {"optimizer": "schedule_free"}),
    ("last_layers", {"layers": 2}),
    ("ia3", {}),
    ("adapter", {"width": 16}),
    ("prefix_tuning", {"tokens": 8}),
    ("prompt_tuning", {"tokens": 8}),
]


@pytest.fixture(scope="module")
def probed(tiny_base_folder: Path) -> Probed:
    """A base of ten blocks."""
    base = tiny_base(tiny_base_folder)
    config: Any = copy.deepcopy(base.model.config)
    config.num_hidden_layers, config.hidden_size, config.intermediate_size, config.head_dim = 10, 64, 160, 16
    return Probed(config, base.local, base.context, "Answer the question.", rows(base, 16), seed=3, process=1000)


@pytest.mark.parametrize(("method", "written"), TECHNIQUES, ids=str)
def test_a_few_blocks_tell_the_memory_of_all(method: str, written: dict[str, Any], probed: Probed) -> None:
    options = METHOD_OPTIONS[method](**{"batch": 4, **written})
    made = METHODS[method]
    assert isinstance(made, Trained) and isinstance(options, TuningOptions)
    predicted = probe(made, options, probed)
    memory = predicted.memory
    whole = probing._cost(made, options, probed, 10)
    assert memory.process == 1000
    assert memory.weights == pytest.approx(whole.weights, rel=0.01)
    assert memory.trained == 4 * whole.trained
    assert memory.trained + memory.activations == pytest.approx(whole.peak, rel=0.05)
    assert predicted.steps == 8 and predicted.seconds > 0
    assert predicted.executed <= predicted.logical == 2 * sum(len(row.tokens) for row in probed.training)


def test_a_pass_that_is_cut_holds_the_gradients_of_the_one_before(probed: Probed) -> None:
    options = METHOD_OPTIONS["full"](batch=8, tokens_per_pass=64)
    assert isinstance(options, TuningOptions)
    chosen, passes = probing._heaviest_pass(options, probed)
    assert passes == 2 and sum(len(row.tokens) for row in chosen) < sum(len(row.tokens) for row in probed.training)


def test_probing_draws_nothing_that_a_run_would_have_drawn(probed: Probed) -> None:
    torch.manual_seed(4)
    expected = torch.rand(1)
    torch.manual_seed(4)
    made, options = METHODS["ia3"], METHOD_OPTIONS["ia3"]()
    assert isinstance(made, Trained) and isinstance(options, TuningOptions)
    probe(made, options, replace(probed, training=probed.training[:4]))
    assert torch.equal(torch.rand(1), expected)
