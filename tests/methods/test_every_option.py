"""Every option of training and of every method changes something that can be seen, on the tiny base.

A new option joins by one entry: what else has to be written with it, two values, and what differs between them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from atanor.compute import gating
from atanor.data.options import TooLong
from atanor.data.rows import Example, Message
from atanor.methods import METHOD_OPTIONS, METHODS, Bench, Made
from atanor.methods.classification.material import ClassMaterial
from atanor.progress import Silent
from atanor.train import Supervision, TrainOptions, run
from atanor.train.checkpoint import checkpoints
from tests.methods.test_classification import CLASSES, local_base, save_encoder
from tests.methods.test_classification import examples as labelled_examples
from tests.train.jobs import rows, tiny_base

SHORT = {"epochs": 1, "batch": 4, "learning_rate": 1e-2, "validate_every": 1, "patience": 0, "keep_checkpoints": 9}


@dataclass(frozen=True)
class Change:
    """Two values of an option, and what they change.

    Attributes:
        values: the two.
        seen: a key of `trace`, in which two trainings differ.
        beside: what else is written, both times.
    """

    values: tuple[Any, Any]
    seen: str
    beside: Mapping[str, Any] = field(default_factory=dict)


TRAINING = {
    "objective": Change(("completion", {"completion": {"label_smoothing": 0.5}}), "losses"),
    "learning_rate": Change((1e-2, 2e-2), "rates"),
    "schedule": Change(("linear", "constant"), "rates"),
    "optimizer": Change(("adamw", "lion"), "numbers"),
    "momentum": Change((0.5, 0.9), "numbers", {"optimizer": "sgd"}),
    "betas": Change(((0.9, 0.999), (0.5, 0.9)), "numbers"),
    "epsilon": Change((1e-8, 1e-2), "numbers"),
    "epochs": Change((1, 2), "steps"),
    "max_steps": Change((2, 3), "steps", {"epochs": 2}),
    "max_tokens": Change((500, 1000), "steps", {"epochs": 9}),
    "max_minutes": Change((1e-6, 600), "ended"),
    "max_cost": Change((1e-9, 1e9), "ended", {"price_per_hour": 1}),
    "price_per_hour": Change((1e-9, 1e12), "ended", {"max_cost": 1}),
    "batch": Change((2, 4), "steps"),
    "order": Change(("shuffled", "by_prefix"), "losses"),
    "share_prefixes": Change((True, False), "executed"),
    "tokens_per_pass": Change((16, 4096), "passes"),
    "warmup": Change((0.0, 0.5), "rates"),
    "weight_decay": Change((0.0, 0.5), "numbers"),
    "clip": Change((0.0, 1e-3), "numbers", {"optimizer": "sgd"}),
    "compile": Change((False, True), "compiled"),
    "neftune": Change((1.0, 10.0), "losses"),
    "precision": Change(("exact", "bfloat16"), "precision"),
    "validate_every": Change((1, 2), "validated"),
    "patience": Change((0, 1), "steps", {"epochs": 4, "learning_rate": 0.9, "warmup": 0}),
    "keep_checkpoints": Change((1, 2), "kept"),
    "against_forgetting": Change(({}, {"l2_sp": 10.0}), "numbers"),
    "loop": Change(("transformers", "lightning"), "loop"),
}
METHOD = {
    "lora": {
        "rank": Change((2, 4), "numbers"),
        "alpha": Change((2, 8), "numbers"),
        "targets": Change((("q_proj",), ("v_proj",)), "numbers"),
        "ranks": Change(({"q_proj": 2}, {"v_proj": 2}), "numbers"),
        "rslora": Change((False, True), "numbers"),
        "dora": Change((False, True), "numbers"),
        "start": Change(("zero", "pissa"), "numbers", {"rank": 4}),
        "second_factor": Change((1, 16), "numbers"),
    },
    "full": {},
    "last_layers": {"layers": Change((1, 2), "numbers"), "head": Change((False, True), "numbers")},
    "ia3": {},
    "adapter": {
        "width": Change((4, 8), "numbers"),
        "placement": Change(("pfeiffer", "houlsby"), "numbers"),
        "activation": Change(("relu", "gelu"), "numbers"),
    },
    "prefix_tuning": {"tokens": Change((2, 4), "numbers"), "start": Change(("goal", "random"), "numbers")},
    "prompt_tuning": {"tokens": Change((2, 4), "numbers"), "start": Change(("goal", "random"), "numbers")},
    "prompt": {"system": Change(("Be brief.", "Be long."), "framing")},
    "few_shot": {"shots": Change((1, 2), "framing")},
}
METHOD["classifier"] = {
    "base": Change((None, "ENCODER"), "numbers"),
    "train": Change(("head", "full"), "numbers"),
    "rank": Change((2, 4), "numbers"),
    "alpha": Change((2, 8), "numbers"),
    "targets": Change((("q_proj",), ("v_proj",)), "numbers"),
    "layers": Change((1, 2), "numbers", {"train": "last_layers"}),
    "class_weights": Change(("none", {CLASSES[0]: 9.0}), "numbers"),
    "multi_label": Change((False, True), "numbers"),
    "threshold": Change((0.3, 0.7), "classes", {"multi_label": True}),
    "pooling": Change(("cls", "mean"), "numbers", {"base": "ENCODER", "train": "head"}),
}
METHOD["qlora"] = {
    **METHOD["lora"],
    "levels": Change(("nf4", "fp4"), "numbers"),
    "double": Change((True, False), "numbers"),
}
del METHOD["qlora"]["start"]  # of its two values one is refused
REFUSED_IN = {("qlora", "start")}
ELSEWHERE = {"start_from": "tests/project/test_lineage.py"}
"""Options that are read before a method is given its work, and where that is tested."""

ALL = [("lora", name, change) for name, change in TRAINING.items()] + [
    (method, name, change) for method, changes in METHOD.items() for name, change in changes.items()
]


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"))


def test_the_tables_have_every_option() -> None:
    assert TRAINING.keys() == TrainOptions.model_fields.keys()
    assert METHOD.keys() == METHOD_OPTIONS.keys()
    for method, options in METHOD_OPTIONS.items():
        own = {name for name in options.model_fields if (method, name) not in REFUSED_IN} - ELSEWHERE.keys()
        trains = issubclass(options, TrainOptions)
        assert METHOD[method].keys() == own - (TrainOptions.model_fields.keys() if trains else set()), method
    assert len(ALL) >= 60
    for path in ELSEWHERE.values():
        assert (Path(__file__).parents[2] / path).is_file()


@pytest.mark.parametrize(("method", "name", "change"), ALL, ids=lambda one: one if isinstance(one, str) else "")
def test_an_option_changes_what_it_says(
    method: str,
    name: str,
    change: Change,
    tiny_base_folder: Path,
    encoder_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    for number, value in enumerate(change.values):
        few = {} if name in TRAINING else {"max_steps": 2}
        written = {**few, **change.beside, name: value}
        bases = (tiny_base_folder, encoder_folder)
        seen.append(trace(method, written, bases, tmp_path / str(number), monkeypatch)[change.seen])
    one, other = seen
    if isinstance(one, dict):
        same = one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    else:
        same = one == other
    assert not same, f"`{name}` changes no {change.seen}: {one}"


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


def trace(
    method: str, written: Mapping[str, Any], bases: tuple[Path, Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What can be seen of one short training on the first of two bases, or of a classifier on the second."""
    compiled: list[str] = []
    monkeypatch.setattr(gating, "compiled", lambda: compiled.append("asked for") or gating.Eager())
    loops: list[str] = []
    choose = run._loop
    monkeypatch.setattr(run, "_loop", lambda name: loops.append(name) or choose(name))
    base = tiny_base(bases[0])
    passes: list[int] = []
    base.model.get_decoder().register_forward_hook(lambda *_: passes.append(1))
    declared = METHOD_OPTIONS[method]
    short = SHORT if issubclass(declared, TrainOptions) else {}
    every = rows(base, 14)
    examples = [
        Example((Message("user", f"question {n}"), Message("assistant", f"answer {n}")), None, "rows.jsonl", n)
        for n in range(4)
    ]
    sides = Supervision(every[2:], examples={one.id: one for one in examples}), Supervision(every[:2])
    named = written.get("base") is not None
    written = {**written, "base": f"path:{bases[1]}"} if named else {**written}
    labelled = labelled_examples(14, multi_label=written.get("multi_label", False))
    classes = ClassMaterial(
        CLASSES, tuple(labelled[2:]), tuple(labelled[:2]), local_base(bases[1]) if named else None, TooLong.REFUSE
    )
    classifies = classes if method == "classifier" else None
    bench = Bench(base, "Answer the question.", *sides, 3, folder, {"atanor": "test"}, classes=classifies)
    chosen = {**short, **written} if short else {key: value for key, value in written.items() if key != "max_steps"}
    made = METHODS[method].make(declared(**chosen), bench, Silent())
    if made.training is None:
        return {"framing": made.framing}
    classifier = None if made.classifier is None else made.classifier.description
    return {**_figures(made, folder), "passes": len(passes), "compiled": compiled, "loop": loops, "classes": classifier}


def _figures(made: Made, folder: Path) -> dict[str, Any]:
    result = made.training
    assert result is not None
    last = checkpoints(folder)[-1].folder
    (weights,) = last.glob("*.safetensors")
    history = json.loads((last / "trainer_state.json").read_text())["log_history"]
    return {
        "steps": result.steps,
        "ended": result.ended,
        "executed": result.executed_tokens,
        "precision": result.precision,
        "losses": [loss for _, loss in result.train_loss],
        "validated": [step for step, _ in result.validation_loss],
        "rates": [entry["learning_rate"] for entry in history if "learning_rate" in entry],
        "kept": len(checkpoints(folder)),
        "numbers": load_file(weights),
    }
