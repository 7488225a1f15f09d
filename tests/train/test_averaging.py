"""Means of weights along training: what they are, that the better one is published, and that a resumed run agrees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from atanor.progress import Silent
from atanor.train import TrainingResult, TrainOptions, train
from atanor.train.checkpoint import checkpoints
from atanor.train.remedies.averaging import MOVING, MovingAverage, mean_of, numbers_of, put, swapped_in
from tests.train.jobs import job, tiny_base

FILE = "adapter_model.safetensors"


class Listener(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def options(average: dict[str, float], **others: object) -> TrainOptions:
    chosen = {"epochs": 3, "batch": 4, "validate_every": 2, "patience": 0, "keep_checkpoints": 2, "learning_rate": 0.03}
    return TrainOptions.model_validate({**chosen, "against_forgetting": {"average": average}, **others})


def run(base_folder: Path, folder: Path, chosen: TrainOptions, progress: Silent | None = None) -> TrainingResult:
    return train(job(tiny_base(base_folder), folder, chosen), progress or Silent())


def published(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "adapter" / FILE)


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_moving_average_is_its_formula(tiny_base_folder: Path, tmp_path: Path) -> None:
    tuned = job(tiny_base(tiny_base_folder), tmp_path, TrainOptions()).tuned
    name, start = next(iter(numbers_of(tuned).items()))
    average, by_hand = MovingAverage(tuned, 0.5), start.double()
    for step in range(1, 30):
        now = {key: torch.full_like(one, float(step)) for key, one in numbers_of(tuned).items()}
        put(tuned, now)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        by_hand = decay * by_hand + (1 - decay) * step
    with average.in_place():
        assert torch.allclose(numbers_of(tuned)[name].double(), by_hand, rtol=1e-5)
    assert torch.equal(numbers_of(tuned)[name], now[name]), "the weights themselves stay"
    average.save(tmp_path)
    again = MovingAverage(tuned, 0.5)
    again.restore(tmp_path)
    with average.in_place():
        first = numbers_of(tuned)
    with again.in_place():
        assert equal(numbers_of(tuned), first)
    assert torch.equal(numbers_of(tuned)[name], now[name])


def test_the_mean_of_checkpoints_is_their_mean(tiny_base_folder: Path, tmp_path: Path) -> None:
    chosen = options({"last": 3})
    run(tiny_base_folder, tmp_path, chosen)
    folders = [checkpoint.folder for checkpoint in checkpoints(tmp_path)][-3:]
    assert len(folders) == 3, "as many as are averaged stay on the disk, whatever `keep_checkpoints` says"
    tuned = job(tiny_base(tiny_base_folder), tmp_path, chosen).tuned
    before = numbers_of(tuned)
    mean = mean_of(tuned, folders)
    assert equal(numbers_of(tuned), before)
    stored = [load_file(folder / FILE) for folder in folders]
    with swapped_in(tuned, mean):
        tuned.save(tmp_path)
    found = load_file(tmp_path / FILE)
    for name, one in found.items():
        assert torch.allclose(one, sum(kept[name] for kept in stored) / 3, atol=1e-7)  # type: ignore[arg-type]


@pytest.mark.parametrize("average", [{"decay": 0.7}, {"last": 3}, {"decay": 0.7, "last": 3}], ids=str)
def test_what_validates_best_is_published_and_said(
    average: dict[str, float], tiny_base_folder: Path, tmp_path: Path
) -> None:
    listener = Listener()
    found = run(tiny_base_folder, tmp_path, options(average), listener)
    state = json.loads((checkpoints(tmp_path)[-1].folder / "trainer_state.json").read_text())
    entries = [entry for entry in state["log_history"] if "eval_loss" in entry]
    losses = {"checkpoint": min(entry["eval_loss"] for entry in entries)}
    if "decay" in average:
        losses["moving"] = min(entry["average_loss"] for entry in entries)
    if "last" in average:
        (said,) = [line for line in listener.said if "mean of the last 3 checkpoints" in line]
        losses["mean"] = float(said.split("validation loss ")[1].split(",")[0])
    best = min(losses, key=losses.__getitem__)
    words = {
        "checkpoint": None,
        "moving": "the moving average of the weights",
        "mean": "the mean of the last 3 checkpoints",
    }
    assert found.averaged == words[best]
    step = tmp_path / f"checkpoint-{found.best_step}"
    folder = {"checkpoint": step, "moving": step / MOVING}.get(best)
    if folder is not None:
        assert equal(published(tmp_path), load_file(folder / FILE))


@pytest.mark.parametrize("average", [{"decay": 0.7}, {"last": 3}], ids=str)
def test_a_resumed_run_agrees_bit_for_bit(average: dict[str, float], tiny_base_folder: Path, tmp_path: Path) -> None:
    chosen = options(average)
    run(tiny_base_folder, tmp_path / "whole", options(average, keep_checkpoints=99))
    for checkpoint in checkpoints(tmp_path / "whole")[:3]:
        shutil.copytree(checkpoint.folder, tmp_path / "resumed" / checkpoint.folder.name)
    run(tiny_base_folder, tmp_path / "resumed", chosen)
    assert equal(published(tmp_path / "whole"), published(tmp_path / "resumed"))
    last = checkpoints(tmp_path / "whole")[-1].folder.name
    folders = [MOVING] if "decay" in average else ["."]
    for folder in folders:
        one, other = (load_file(tmp_path / name / last / folder / FILE) for name in ("whole", "resumed"))
        assert equal(one, other)


def test_a_damaged_checkpoint_is_left_out_of_the_mean_and_told(tiny_base_folder: Path, tmp_path: Path) -> None:
    chosen = options({"last": 3})
    run(tiny_base_folder, tmp_path, chosen)
    (checkpoints(tmp_path)[-2].folder / FILE).write_bytes(b"")
    listener = Listener()
    run(tiny_base_folder, tmp_path, chosen, listener)
    assert any("set aside" in line for line in listener.said)
    assert any("the mean of the last 2 checkpoints is taken: there are no more" in line for line in listener.said)
