"""Training in two processes: the losses of one, whoever starts them; kills, errors, hangs and ^C end as they should."""

from __future__ import annotations

import json
import shutil
import signal
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from atanor.errors import AtanorError, ConfigurationError, MissingExtraError, TrainingError
from atanor.launch import LAUNCHERS, LaunchKind, Specification, launch
from atanor.progress import Activity, Silent
from atanor.train import ALONE, Interrupted, Sharding, TrainingResult, train
from atanor.train.checkpoint import checkpoints
from tests.launch.parts import Part, prepared

OPTIONS = {"epochs": 2.5, "batch": 4, "learning_rate": 3e-3, "validate_every": 3, "patience": 0, "keep_checkpoints": 13}
HERE, TORCHRUN, RAY = LAUNCHERS[LaunchKind.HERE], LAUNCHERS[LaunchKind.TORCHRUN], LAUNCHERS[LaunchKind.RAY]

pytestmark = pytest.mark.slow


class Watching(Silent):
    """Keeps what is said and counts the steps shown; may press ^C after some of them."""

    def __init__(self, press_after: int = 0) -> None:
        self.said: list[str] = []
        self.steps = 0
        self.press_after = press_after

    def say(self, message: str) -> None:
        self.said.append(message)

    def start(self, name: str, total: int, unit: str, done: int = 0) -> Activity:
        watching = self

        class Bar:
            def advance(self, count: int = 1, **figures: float | str) -> None:
                if name != "training":
                    return
                watching.steps += count
                if count and watching.steps == watching.press_after:
                    signal.raise_signal(signal.SIGINT)

            def __enter__(self) -> Bar:
                return self

            def __exit__(self, *_: object) -> None: ...

        return Bar()


def finished(part: Part, folder: Path) -> TrainingResult:
    """What the process that launched makes of the folder: the same job, alone."""
    return train(part.job(folder, ALONE), Silent())


def largest_difference(one: TrainingResult, other: TrainingResult) -> float:
    """Of losses, relative to them; the steps have to be the same."""
    assert [step for step, _ in one.train_loss] == [step for step, _ in other.train_loss]
    assert [step for step, _ in one.validation_loss] == [step for step, _ in other.validation_loss]
    pairs = zip(one.train_loss + one.validation_loss, other.train_loss + other.validation_loss, strict=True)
    return max(abs(ours - theirs) / ours for (_, ours), (_, theirs) in pairs)


def weights_apart(one: TrainingResult, other: TrainingResult) -> float:
    ours, theirs = (
        {n: t for f in r.folder.glob("*.safetensors") for n, t in load_file(f).items()} for r in (one, other)
    )
    assert ours.keys() == theirs.keys()
    scale = max(float(tensor.abs().max()) for tensor in ours.values())
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours) / scale


CASES = {
    "lora": (Sharding.NONE, "lora completion", "transformers"),
    "lora-preference": (Sharding.NONE, "lora preference", "lightning"),
    "full": (Sharding.NONE, "full completion", "transformers"),
    "full-preference": (Sharding.NONE, "full preference", "transformers"),
    "full-shards": (Sharding.FSDP, "full completion", "transformers"),
    "full-shards-preference": (Sharding.FSDP, "full preference", "lightning"),
    "last-shards": (Sharding.FSDP, "last completion", "transformers"),
}


@pytest.fixture(scope="module")
def together(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Watching]:
    """Every case trained by two processes, one after another in one launch; and what was seen of it."""
    folder = tmp_path_factory.mktemp("together")
    parts = {name: (sharding, asdict(part_of(name, tiny_base_folder))) for name, (sharding, *_) in CASES.items()}
    (folder / "parts.json").write_text(json.dumps(parts), encoding="utf-8")
    watching = Watching()
    launch(TORCHRUN, Specification(folder, "tests.launch.parts:run_several", 2, timeout=60), watching)
    return folder, watching


def part_of(case: str, base: Path) -> Part:
    _, what, loop = CASES[case]
    return Part(str(base), what, {**OPTIONS, "loop": loop})


@pytest.mark.parametrize("case", CASES)
def test_two_processes_have_the_losses_of_one(
    case: str, together: tuple[Path, Watching], tiny_base_folder: Path, tmp_path: Path
) -> None:
    folder, part = together[0] / case, part_of(case, tiny_base_folder)
    assert not (folder / "adapter").exists() and not (folder / "model").exists(), "who launched publishes"
    one, two = finished(part, tmp_path), finished(part, folder)
    assert two.resumed_at == two.steps == 13, "nothing is trained again"
    assert largest_difference(one, two) <= 1e-5
    assert weights_apart(one, two) <= 1e-3
    assert two.best_step == one.best_step
    assert two.logical_tokens == one.logical_tokens


def test_progress_is_shown_once_and_memory_is_that_of_both(together: tuple[Path, Watching]) -> None:
    folder, watching = together
    assert watching.steps == 13 * len(CASES)
    told = json.loads((folder / "lora" / "checkpoint-3" / "trainer_state.json").read_text(encoding="utf-8"))
    (memory,) = [entry["peak_memory"] for entry in told["log_history"] if "peak_memory" in entry]
    assert memory > 1.5 * 2**20 * 150, "an interpreter with torch takes more than 150 MiB"


def test_on_ray_it_is_the_same(tiny_base_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'atanor[ray]'")
    part = Part(str(tiny_base_folder), "lora completion", OPTIONS)
    watching = Watching()
    folder = launch(RAY, prepared(tmp_path / "two", part), watching)
    assert watching.steps == 13
    assert largest_difference(finished(part, tmp_path / "one"), finished(part, folder)) <= 1e-5
    failing = Part(str(tiny_base_folder), "lora completion", OPTIONS, fault=("error", 3))
    with pytest.raises(TrainingError, match=r"process \d of 2: the loss of step 4 is not a finite number"):
        launch(RAY, prepared(tmp_path / "failing", failing), Silent())


def test_in_this_process_it_is_the_same_bit_for_bit(tiny_base_folder: Path, tmp_path: Path) -> None:
    part = Part(str(tiny_base_folder), "lora completion", OPTIONS)
    watching = Watching()
    folder = launch(HERE, prepared(tmp_path / "here", part, processes=1), watching)
    assert watching.steps == 13
    assert weights_apart(finished(part, tmp_path / "one"), finished(part, folder)) == 0
    with pytest.raises(ConfigurationError, match="several processes need something that starts them"):
        launch(HERE, prepared(tmp_path / "here", part, processes=2), Silent())


@pytest.mark.parametrize("case", ["lora", "full-shards"])
def test_a_killed_process_ends_the_others_and_the_run_goes_on_bit_for_bit(
    case: str, together: tuple[Path, Watching], tiny_base_folder: Path, tmp_path: Path
) -> None:
    sharding, whole = CASES[case][0], part_of(case, tiny_base_folder)
    killed = replace(whole, fault=("kill", 7))
    with pytest.raises(TrainingError, match="process 1 of 2 was ended by SIGKILL") as caught:
        launch(TORCHRUN, prepared(tmp_path / "killed", killed, sharding=sharding), Silent())
    assert "`atanor run` goes on from the last checkpoint" in str(caught.value)
    assert [checkpoint.step for checkpoint in checkpoints(tmp_path / "killed")] == [3, 6]
    launch(TORCHRUN, prepared(tmp_path / "killed", whole, sharding=sharding), Silent())
    undisturbed, resumed = finished(whole, together[0] / case), finished(whole, tmp_path / "killed")
    assert resumed.train_loss == undisturbed.train_loss
    assert weights_apart(undisturbed, resumed) == 0


def test_a_checkpoint_goes_on_under_any_number_of_processes(tiny_base_folder: Path, tmp_path: Path) -> None:
    part = Part(str(tiny_base_folder), "full completion", OPTIONS)
    one = finished(part, tmp_path / "one")
    shutil.copytree(tmp_path / "one" / "checkpoint-6", tmp_path / "more" / "checkpoint-6")
    launch(TORCHRUN, prepared(tmp_path / "more", part, sharding=Sharding.FSDP), Silent())
    assert largest_difference(one, finished(part, tmp_path / "more")) <= 1e-5
    shutil.copytree(tmp_path / "more" / "checkpoint-9", tmp_path / "alone" / "checkpoint-9")
    assert largest_difference(one, finished(part, tmp_path / "alone")) <= 1e-5


@pytest.mark.parametrize(
    ("fault", "timeout", "told"),
    [
        ("error", 60.0, r"process [01] of 2: the loss of step 4 is not a finite number"),
        ("crash", 60.0, r"process 1 of 2: an error that nobody foresaw\n.*ZeroDivisionError: a mistake in the code"),
        ("hang", 15.0, r"process 0 of 2: another process of this training is gone or did not answer in time"),
    ],
)
def test_a_worker_that_fails_gives_its_error(
    fault: str, timeout: float, told: str, tiny_base_folder: Path, tmp_path: Path
) -> None:
    part = Part(str(tiny_base_folder), "lora completion", OPTIONS, fault=(fault, 3))
    with pytest.raises(AtanorError, match=told):
        launch(TORCHRUN, prepared(tmp_path, part, timeout=timeout), Silent())


def test_one_interrupt_saves_in_all_processes(tiny_base_folder: Path, tmp_path: Path) -> None:
    part = Part(str(tiny_base_folder), "lora completion", {**OPTIONS, "epochs": 200, "validate_every": 400})
    specification = prepared(tmp_path, part)
    with pytest.raises(Interrupted, match=r"stopped after step \d+ of 1000; the state of that step is safe"):
        launch(TORCHRUN, specification, Watching(press_after=4))
    (saved,) = checkpoints(tmp_path)
    assert 4 <= saved.step < 1000


def test_nothing_runs_on_when_who_launched_is_gone(tiny_base_folder: Path, tmp_path: Path) -> None:
    part = Part(str(tiny_base_folder), "lora completion", {**OPTIONS, "epochs": 4000, "validate_every": 10})
    specification = prepared(tmp_path, part)
    specification.write()
    submitted = TORCHRUN.submit(specification)
    deadline = time.monotonic() + 60
    while not checkpoints(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    submitted.end()
    newest = checkpoints(tmp_path)[-1].step
    time.sleep(2)
    assert checkpoints(tmp_path)[-1].step == newest
    with pytest.raises(AtanorError):
        submitted.follow(Silent())


def test_without_ray_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'atanor\[ray\]'"):
        RAY.submit(Specification(tmp_path, "x:y"))
