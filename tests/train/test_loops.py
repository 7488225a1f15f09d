"""One training under both loops: the same losses and weights, the same checkpoints, the same ends."""

from __future__ import annotations

import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from atanor.errors import MissingExtraError
from atanor.models import attach_all
from atanor.progress import Activity, Silent
from atanor.train import DirectPreference, Interrupted, TrainingJob, TrainingResult, TrainOptions, train
from atanor.train.options import Loop, OptimizerName
from tests.train.jobs import job, paired, rows, tiny_base

OPTIONS = TrainOptions(epochs=2.5, batch=4, learning_rate=3e-3, validate_every=3, patience=0, keep_checkpoints=13)
LIGHTNING = OPTIONS.model_copy(update={"loop": Loop.LIGHTNING})


def made(base_folder: Path, folder: Path, options: TrainOptions, *, what: str = "lora completion") -> TrainingJob:
    base = tiny_base(base_folder)
    one = job(base, folder, options)
    if "full" in what:
        one = replace(job(tiny_base(base_folder), folder, options), tuned=attach_all(base))
    if "preference" in what:
        pairs = paired(rows(base, 23))
        objective = DirectPreference(one.tuned)
        one = replace(one, training=pairs[:18], validation=pairs[18:], objective=objective)
    return one


def weights(result: TrainingResult) -> dict[str, bytes]:
    return {
        name: tensor.numpy().tobytes()
        for file in result.folder.glob("*.safetensors")
        for name, tensor in load_file(file).items()
    }


@pytest.mark.parametrize("what", ["lora completion", "full completion", "lora preference", "full preference"])
def test_both_loops_give_the_same_losses_and_weights(what: str, tiny_base_folder: Path, tmp_path: Path) -> None:
    ours = train(made(tiny_base_folder, tmp_path / "ours", OPTIONS, what=what), Silent())
    theirs = train(made(tiny_base_folder, tmp_path / "theirs", LIGHTNING, what=what), Silent())
    assert len(ours.train_loss) == ours.steps == 13, "two epochs and a half of five windows each"
    assert theirs.train_loss == ours.train_loss
    assert theirs.validation_loss == ours.validation_loss
    assert [step for step, _ in ours.validation_loss] == [3, 6, 9, 12, 13]
    assert weights(theirs) == weights(ours)
    assert (theirs.best_step, theirs.logical_tokens) == (ours.best_step, ours.logical_tokens)


@pytest.mark.parametrize("loop", list(Loop))
@pytest.mark.parametrize("step", [3, 6])
def test_either_loop_resumes_what_the_other_began(
    loop: Loop, step: int, tiny_base_folder: Path, tmp_path: Path
) -> None:
    options = OPTIONS.model_copy(update={"loop": loop, "epochs": 2, "validate_every": 1})
    other = options.model_copy(update={"loop": next(one for one in Loop if one is not loop)})
    whole = train(made(tiny_base_folder, tmp_path / "whole", options), Silent())
    for number in range(1, step + 1):
        name = f"checkpoint-{number}"
        shutil.copytree(tmp_path / "whole" / name, tmp_path / "resumed" / name)
    resumed = train(made(tiny_base_folder, tmp_path / "resumed", other), Silent())
    assert resumed.resumed_at == step
    assert resumed.train_loss == whole.train_loss
    assert weights(resumed) == weights(whole)


class Presses(Silent):
    """Presses ^C when a number of steps is done."""

    def __init__(self, after: int, times: int = 1) -> None:
        self.left = after
        self.times = times

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        watching = self

        class Watching:
            def advance(self, count: int = 1, **figures: float | str) -> None:
                watching.left -= count
                if watching.left == 0 and count:
                    for _ in range(watching.times):
                        signal.raise_signal(signal.SIGINT)

            def __enter__(self) -> Watching:
                return self

            def __exit__(self, *_: object) -> None: ...

        return Watching()


def test_under_lightning_one_interrupt_saves_and_two_end_at_once(tiny_base_folder: Path, tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="stopped after step 5 of 13"):
        train(made(tiny_base_folder, tmp_path, LIGHTNING), Presses(4))
    assert (tmp_path / "checkpoint-5").is_dir()
    with pytest.raises(KeyboardInterrupt) as caught:
        train(made(tiny_base_folder, tmp_path, LIGHTNING), Presses(2, times=2))
    assert not isinstance(caught.value, Interrupted)
    assert signal.getsignal(signal.SIGINT) is handler
    whole = train(made(tiny_base_folder, tmp_path / "whole", LIGHTNING), Silent())
    assert weights(train(made(tiny_base_folder, tmp_path, LIGHTNING), Silent())) == weights(whole)


@pytest.mark.parametrize("optimizer", ["schedule_free", "muon", "adafactor"])
def test_an_optimizer_is_the_same_under_both(optimizer: str, tiny_base_folder: Path, tmp_path: Path) -> None:
    results = []
    for loop in Loop:
        options = TrainOptions(epochs=1, batch=4, validate_every=2, optimizer=OptimizerName(optimizer), loop=loop)
        results.append(train(made(tiny_base_folder, tmp_path / loop, options), Silent()))
    assert results[0].train_loss == results[1].train_loss
    assert weights(results[0]) == weights(results[1])


def test_lightning_stops_early_where_the_other_loop_does(tiny_base_folder: Path, tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"learning_rate": 0.5, "patience": 2, "validate_every": 1, "clip": 0.0})
    ours = train(made(tiny_base_folder, tmp_path / "ours", options), Silent())
    options = options.model_copy(update={"loop": Loop.LIGHTNING})
    theirs = train(made(tiny_base_folder, tmp_path / "theirs", options), Silent())
    assert theirs.steps == ours.steps < 13
    assert theirs.train_loss == ours.train_loss


def test_lightning_prints_nothing_and_leaves_no_files_of_its_own(
    tiny_base_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train(made(tiny_base_folder, tmp_path, LIGHTNING), Silent())
    assert "".join(capfd.readouterr()) == ""
    names = {path.name.partition("-")[0] for path in tmp_path.iterdir()}
    assert names == {"checkpoint", "adapter", "versions.json", "trainer.lock", "trainer.lock.json"}


def test_without_the_package_it_says_what_to_install(
    tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'atanor\[lightning\]'"):
        train(made(tiny_base_folder, tmp_path, LIGHTNING), Silent())
