"""Training as a user would notice it: what accumulation, seeds, kills and damage change (nothing), and what is said."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from atanor.compute import Engine
from atanor.data.rows import TokenRow
from atanor.errors import DataError, StoreError, TrainingError
from atanor.models import Adapter
from atanor.progress import Silent
from atanor.train import Completion, Interrupted, TrainingJob, TrainOptions, steps_of, train
from atanor.train.checkpoint import checkpoints, newest_whole
from atanor.train.options import Precision
from tests.train.jobs import LONG, job, rows, tiny_base, train_in_process


class Listener(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def adapter_of(folder: Path, **changes: object) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / "adapter_model.safetensors")


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    scale = max(float(tensor.abs().max()) for tensor in one.values())
    return max(float((one[name] - other[name]).abs().max()) for name in one) / scale


def test_accumulation_1x8_equals_8x1_with_a_ragged_last_window(tiny_base_folder: Path, tmp_path: Path) -> None:
    histories, adapters = [], []
    for tokens_per_pass in (16, 4096):
        options = TrainOptions(
            epochs=3, batch=8, tokens_per_pass=tokens_per_pass, learning_rate=1e-3, validate_every=2, patience=0
        )
        folder = tmp_path / str(tokens_per_pass)
        result = train(job(tiny_base(tiny_base_folder), folder, options, training=19), Silent())
        assert result.steps == 9, "19 rows in windows of 8 leave a window of 3"
        histories.append(result.train_loss)
        adapters.append(adapter_of(folder))
    for (_, one), (_, eight) in zip(*histories, strict=True):
        assert one == pytest.approx(eight, rel=1e-5)
    assert largest_difference(*adapters) <= 1e-5


def test_the_loss_of_a_window_is_the_one_transformers_computes(tiny_base_folder: Path, tmp_path: Path) -> None:
    base = tiny_base(tiny_base_folder)
    window = rows(base, 8)
    width = max(len(row.tokens) for row in window)
    tokens = torch.full((8, width), 2)
    labels = torch.full((8, width), -100)
    for line, row in enumerate(window):
        tokens[line, : len(row.tokens)] = torch.tensor(row.tokens)
        chosen = [token if weight else -100 for token, weight in zip(row.tokens, row.weights, strict=True)]
        labels[line, : len(row.tokens)] = torch.tensor(chosen)
    theirs = float(base.model(input_ids=tokens, labels=labels).loss)
    options = TrainOptions(epochs=1, batch=8, tokens_per_pass=40)
    result = train(job(base, tmp_path, options, training=8, validation=1), Silent())
    assert result.train_loss[0][1] == pytest.approx(theirs, rel=1e-5)


def test_two_runs_with_one_seed_are_bit_identical(tiny_base_folder: Path, tmp_path: Path) -> None:
    assert train_in_process(tiny_base_folder, tmp_path / "one") == train_in_process(tiny_base_folder, tmp_path / "two")


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_bit_identical_weights(tiny_base_folder: Path, tmp_path: Path) -> None:
    whole = train_in_process(tiny_base_folder, tmp_path / "whole")
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "tests.train.jobs", str(tiny_base_folder), str(folder)]
    seen: set[int] = set()
    kills = 0
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        while process.poll() is None:
            steps = {checkpoint.step for checkpoint in checkpoints(folder)}
            if steps - seen:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
                seen |= steps
                break
            time.sleep(0.002)
        process.communicate()
    assert kills, "the process was killed at least once"
    assert not (folder / "adapter").exists(), "it was killed before the end"
    finished = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert finished.stdout.split()[-1] == whole
    assert not list(folder.glob(".checkpoint*")) or newest_whole(folder, Silent()) is not None


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_used(tiny_base_folder: Path, tmp_path: Path) -> None:
    whole = train_in_process(tiny_base_folder, tmp_path)
    shutil.rmtree(tmp_path / "adapter")
    newest = checkpoints(tmp_path)[-1]
    weights = newest.folder / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    listener = Listener()
    train(job(tiny_base(tiny_base_folder), tmp_path, LONG), listener)
    assert any(
        f"step {newest.step} is damaged (adapter_model.safetensors has changed)" in said for said in listener.said
    )
    assert (tmp_path / f"damaged-checkpoint-{newest.step}").is_dir(), "nothing is lost"
    assert adapter_of(tmp_path).keys()
    assert train_in_process(tiny_base_folder, tmp_path) == whole


class Worsening(Completion):
    """Validation is best at the fifth time and gets worse from there."""

    times = 0

    def mean_loss(self, engine: Engine, items: Sequence[TokenRow]) -> float:
        self.times += 1
        return 1 + abs(self.times - 5) / 10


def test_a_damaged_best_checkpoint_is_not_published(tiny_base_folder: Path, tmp_path: Path) -> None:
    def worsening() -> TrainingJob:
        return replace(job(tiny_base(tiny_base_folder), tmp_path, LONG), objective=Worsening())

    first = train(worsening(), Silent())
    assert first.best_step < first.steps
    weights = tmp_path / f"checkpoint-{first.best_step}" / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    listener = Listener()
    again = train(worsening(), listener)
    left = {checkpoint.step for checkpoint in checkpoints(tmp_path)}
    assert again.best_step == min((loss, step) for step, loss in again.validation_loss if step in left)[1]
    assert again.best_step != first.best_step
    assert any(f"step {first.best_step} is damaged" in said for said in listener.said)
    assert any(f"is gone; that of step {again.best_step} is taken" in said for said in listener.said)


def test_interrupted_by_the_person_it_says_so_and_goes_on(tiny_base_folder: Path, tmp_path: Path) -> None:
    whole = train_in_process(tiny_base_folder, tmp_path / "whole")

    class Impatient(Silent):
        def start(self, name: str, total: int, unit: str, done: int = 0):  # type: ignore[no-untyped-def]
            activity = super().start(name, total, unit, done)
            advance = activity.advance
            steps = iter(range(100))

            def watch(count: int = 1, **figures: float | str) -> None:
                advance(count, **figures)
                if count and next(steps) == 4:
                    os.kill(os.getpid(), signal.SIGINT)

            activity.advance = watch  # type: ignore[method-assign]
            return activity

    folder = tmp_path / "stopped"
    with pytest.raises(Interrupted, match=r"stopped after step \d+ of 40; the state of that step is safe") as stopped:
        train(job(tiny_base(tiny_base_folder), folder, LONG), Impatient())
    assert stopped.value.exit_code == 130
    assert train_in_process(tiny_base_folder, folder) == whole


def test_early_stopping_keeps_the_best_checkpoint(tiny_base_folder: Path, tmp_path: Path) -> None:
    options = TrainOptions(epochs=60, batch=4, learning_rate=0.05, validate_every=5, patience=2, keep_checkpoints=1)
    result = train(job(tiny_base(tiny_base_folder), tmp_path, options), Silent())
    assert result.steps < steps_of(19, options), "it stopped early"
    losses = dict(result.validation_loss)
    assert result.best_step == min(losses, key=lambda step: (losses[step], step))
    best = load_file(tmp_path / f"checkpoint-{result.best_step}" / "adapter_model.safetensors")
    assert largest_difference(adapter_of(tmp_path), best) == 0
    assert len(checkpoints(tmp_path)) == 2, "the best and the newest"
    again = train(job(tiny_base(tiny_base_folder), tmp_path, options), Silent())
    assert again.steps == result.steps, "a finished run is not trained further"


def test_a_mask_of_all_zeros_is_never_trained(tiny_base_folder: Path, tmp_path: Path) -> None:
    base = tiny_base(tiny_base_folder)
    start = job(base, tmp_path, TrainOptions())
    empty = [TokenRow(row.example_id, row.tokens, (0.0,) * len(row.tokens), 0) for row in start.training]
    nothing = type(start)(**{**start.__dict__, "training": empty})
    with pytest.raises(DataError, match="none of the 19 training rows has a token with a loss weight"):
        train(nothing, Silent())
    assert not checkpoints(tmp_path)


def test_a_loss_that_is_not_finite_stops_with_the_rows_and_the_fix(tiny_base_folder: Path, tmp_path: Path) -> None:
    base = tiny_base(tiny_base_folder)
    start = job(base, tmp_path, TrainOptions(batch=4))
    with torch.no_grad():
        for name, parameter in start.tuned.model.named_parameters():
            if "lora_B" in name:
                parameter.fill_(float("nan"))
    # The self-check sees the same nan on both paths, so it is the step that must stop.
    with pytest.raises(TrainingError, match="the loss of step 1 is not a finite number") as stopped:
        train(start, Silent())
    assert "row" in str(stopped.value) and "Lower the learning rate" in str(stopped.value)


def test_a_full_disk_is_said_and_leaves_whole_checkpoints(
    tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Adapter.save

    def full(self: Adapter, folder: Path) -> None:
        if len(checkpoints(tmp_path)) == 1:
            raise OSError(28, "No space left on device")
        save(self, folder)

    monkeypatch.setattr(Adapter, "save", full)
    with pytest.raises(StoreError, match="No space left on device") as stopped:
        train(job(tiny_base(tiny_base_folder), tmp_path, LONG), Silent())
    assert "Free space on the disk" in str(stopped.value)
    assert [checkpoint.step for checkpoint in checkpoints(tmp_path)] == [3]
    assert not list(tmp_path.glob(".checkpoint*")), "nothing half written stays"
    monkeypatch.undo()
    assert train_in_process(tiny_base_folder, tmp_path) == train_in_process(tiny_base_folder, tmp_path / "whole")


def test_resuming_under_other_versions_is_told(tiny_base_folder: Path, tmp_path: Path) -> None:
    train_in_process(tiny_base_folder, tmp_path)
    (tmp_path / "versions.json").write_text(json.dumps({"atanor": "0.0.9"}))
    listener = Listener()
    train(job(tiny_base(tiny_base_folder), tmp_path, LONG), listener)
    assert "training  began with atanor 0.0.9, goes on with test: bits may differ" in listener.said


def test_bfloat16_stays_near_float32(tiny_base_folder: Path, tmp_path: Path) -> None:
    losses = {}
    for precision in (Precision.EXACT, Precision.BFLOAT16):
        options = TrainOptions(epochs=3, batch=4, precision=precision, learning_rate=1e-3, patience=0)
        result = train(job(tiny_base(tiny_base_folder), tmp_path / precision, options), Silent())
        assert result.precision == ("float32" if precision is Precision.EXACT else "bfloat16")
        losses[precision] = [loss for _, loss in result.train_loss]
    for exact, rounded in zip(losses[Precision.EXACT], losses[Precision.BFLOAT16], strict=True):
        assert rounded == pytest.approx(exact, rel=2e-2)
    assert losses[Precision.BFLOAT16] != losses[Precision.EXACT]
