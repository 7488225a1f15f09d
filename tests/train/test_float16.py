"""float16 with dynamic loss scaling: as exact as the plain computation in float16, and nothing overflows unsaid."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from atanor.compute import Engine, LossScale, Route
from atanor.errors import TrainingError
from atanor.models import Base, BaseReference, load_base, resolve_base
from atanor.progress import Silent
from atanor.store.files import sha256_file
from atanor.train import Precision, TrainingResult, TrainOptions, loss_scaling, train
from atanor.train.checkpoint import checkpoints
from atanor.train.loss_scaling import DynamicScale, ScaleState
from atanor.train.remedies.anchor import L2SP
from tests.train.jobs import job, rows
from tests.train.test_training import Listener

OPTIONS = TrainOptions(epochs=4, batch=4, learning_rate=1e-2, validate_every=3, patience=0, precision="float16")


def base_of(folder: Path, dtype: torch.dtype) -> Base:
    return load_base(resolve_base(BaseReference.parse(f"path:{folder}"), Path("/"), Silent()), dtype=dtype)


def trained(base_folder: Path, folder: Path, progress: Silent | None = None) -> TrainingResult:
    return train(job(base_of(base_folder, torch.float16), folder, OPTIONS), progress or Silent())


def gradient(folder: Path, dtype: torch.dtype, route: Route, scale: float, start: Path) -> Tensor:
    """Of a window, on the route that is asked for, divided by the scale."""
    base = base_of(folder, dtype)
    tuned = job(base, start, OPTIONS).tuned
    generator = torch.Generator().manual_seed(1)
    for parameter in tuned.model.parameters():
        if parameter.requires_grad:
            drawn = 0.05 * torch.randn(parameter.shape, generator=generator)
            parameter.data = drawn.to(torch.float64 if dtype == torch.float64 else torch.float32)
    engine = Engine(tuned.model, pad=2, dtype=dtype)
    engine.route = route
    engine.loss_scale.value = scale
    engine.backward(rows(base, 12))
    found = [p.grad.double().flatten() / scale for p in tuned.model.parameters() if p.grad is not None]
    return torch.cat(found)


def test_the_error_of_the_forest_is_that_of_the_plain_computation(tiny_base_folder: Path, tmp_path: Path) -> None:
    def error(route: Route, scale: float) -> float:
        found = gradient(tiny_base_folder, torch.float16, route, scale, tmp_path)
        return float((found - truth).norm() / truth.norm())

    truth = gradient(tiny_base_folder, torch.float64, Route.SEPARATE, 1.0, tmp_path)
    forest, plain = error(Route.FOREST, 65536.0), error(Route.SEPARATE, 65536.0)
    assert forest <= 1.5 * plain
    assert forest < 5e-3
    assert error(Route.FOREST, 2.0**-16) > 2 * forest, "gradients as small as those of a large window vanish unscaled"


def test_it_learns_as_float32_does_and_a_resumed_run_is_the_same_to_the_bit(
    tiny_base_folder: Path, tmp_path: Path
) -> None:
    result = trained(tiny_base_folder, tmp_path / "whole")
    assert result.precision == "float16" and result.skipped == 0
    single = OPTIONS.model_copy(update={"precision": Precision.EXACT})
    exact = train(job(base_of(tiny_base_folder, torch.float32), tmp_path / "exact", single), Silent())
    for (_, half), (_, whole) in zip(result.train_loss, exact.train_loss, strict=True):
        assert half == pytest.approx(whole, rel=1e-2)
    first = checkpoints(tmp_path / "whole")[0]
    shutil.copytree(first.folder, tmp_path / "resumed" / first.folder.name)
    assert first.step < result.steps
    again = trained(tiny_base_folder, tmp_path / "resumed")
    assert again.resumed_at == first.step
    names = ("whole", "resumed")
    hashes = {
        sha256_file(tmp_path / name / f"checkpoint-{result.steps}" / "adapter_model.safetensors") for name in names
    }
    assert len(hashes) == 1


def test_what_holds_weights_back_is_scaled_as_the_loss_is(tiny_base_folder: Path, tmp_path: Path) -> None:
    losses: dict[str, list[float]] = {}
    for precision, dtype in (("float16", torch.float16), ("exact", torch.float32)):
        options = OPTIONS.model_copy(update={"precision": Precision(precision)})
        begun = job(base_of(tiny_base_folder, dtype), tmp_path / precision, options)
        held = replace(begun, regularisers=[L2SP(begun.tuned, 3.0)])
        losses[precision] = [loss for _, loss in train(held, Silent()).train_loss]
    assert losses["float16"] == pytest.approx(losses["exact"], rel=1e-2)


def test_steps_that_overflow_are_left_out_counted_and_told(
    tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_scaling.DynamicScale, "__init__", _beginning_at(2.0**30))
    listener = Listener()
    result = trained(tiny_base_folder, tmp_path, listener)
    assert 0 < result.skipped < result.steps
    assert any(f"{result.skipped} of {result.steps} steps were left out" in said for said in listener.said)
    assert result.train_loss[-1][1] < result.train_loss[0][1]


def _beginning_at(value: float):  # type: ignore[no-untyped-def]
    def begin(self: DynamicScale, scale: LossScale) -> None:
        self._scale = scale
        self._take(ScaleState(value=value))

    return begin


def test_the_scale_halves_on_overflow_and_doubles_after_many_steady_steps(tmp_path: Path) -> None:
    shared = LossScale()
    scale = DynamicScale(shared)
    parameter = nn.Parameter(torch.zeros(3))
    assert shared.value == 65536.0
    parameter.grad = torch.tensor([1.0, float("inf"), 0.0])
    scale.finish([parameter], scale.finite([parameter]))
    assert parameter.grad is None, "no optimizer steps on it"
    assert shared.value == 32768.0
    for _ in range(2000):
        parameter.grad = torch.full((3,), 32768.0)
        assert scale.finite([parameter])
        scale.finish([parameter], True)
    assert parameter.grad.tolist() == [1.0, 1.0, 1.0]
    assert shared.value == 65536.0
    scale.save(tmp_path)
    other = DynamicScale(LossScale())
    other.restore(tmp_path)
    assert other.state == scale.state == ScaleState(65536.0, 0, 1)


def test_gradients_that_overflow_without_a_scale_end_training() -> None:
    scale = DynamicScale(LossScale())
    parameter = nn.Parameter(torch.zeros(1))
    with pytest.raises(TrainingError, match="cannot be trained in float16"):
        for _ in range(20):
            parameter.grad = torch.tensor([float("nan")])
            scale.finish([parameter], scale.finite([parameter]))
