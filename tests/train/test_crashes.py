"""Whatever ends a training, the same command goes on to the very bits of an undisturbed one."""

from __future__ import annotations

import json
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from atanor.errors import StoreError
from atanor.progress import Silent
from atanor.store.holding import holding
from atanor.train import train
from atanor.train.checkpoint import CHECKSUMS, checkpoints, newest_whole, sweep
from atanor.train.run import TRAINER_LOCK
from tests.methods.test_invariants import TECHNIQUES
from tests.train.jobs import LONG, job, tiny_base, train_in_process
from tests.train.killing import ROOT, Server, digest_of, serving

KILLS = 50


@pytest.fixture(scope="module")
def server(tiny_base_folder: Path) -> Iterator[Server]:
    with serving(tiny_base_folder) as running:
        yield running


@pytest.mark.slow
def test_fifty_kills_at_instants_drawn_over_the_whole_life_change_no_bit(server: Server, tmp_path: Path) -> None:
    whole = server.run("long", tmp_path / "whole")
    draw = random.Random(20)
    kills = runs = 0
    while kills < KILLS:
        folder = tmp_path / f"run{runs}"
        runs += 1
        while True:
            # Beyond the end too: then nothing is killed and what it made is compared.
            attempt = server.run("long", folder, after=draw.uniform(0, 1.2 * whole.seconds))
            if not attempt.killed:
                break
            kills += 1
        assert attempt.digest == whole.digest, f"run {runs} after {kills} kills"
        shutil.rmtree(folder)
    assert kills >= KILLS and runs > 1


@pytest.mark.slow
def test_killed_before_every_touch_of_the_disk_it_ends_with_the_same_bits(server: Server, tmp_path: Path) -> None:
    """Between two syncs of a checkpoint's files, before its renaming, in the removal of an old one, in publishing."""
    whole = server.run("long", tmp_path / "whole")
    draw = random.Random(21)
    first = draw.randrange(1, 12)
    for touch in range(first, whole.touches + 1, 23):
        folder = tmp_path / f"touch{touch}"
        assert server.run("long", folder, at_touch=touch).killed
        assert server.run("long", folder).digest == whole.digest, f"killed at touch {touch} of {whole.touches}"
        assert not list(folder.glob(".*.????????")), "nothing half written stays"
        shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(TECHNIQUES)), ids=[str(row) for row in TECHNIQUES])
def test_every_technique_survives_a_kill(server: Server, tmp_path: Path, number: int) -> None:
    whole = server.run(str(number), tmp_path / "whole")
    killed = tmp_path / "killed"
    assert server.run(str(number), killed, at_touch=random.Random(number).randrange(1, whole.touches)).killed
    assert server.run(str(number), killed).digest == whole.digest


@pytest.fixture(scope="module")
def finished(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that went to its end."""
    folder = tmp_path_factory.mktemp("crashes") / "finished"
    train_in_process(tiny_base_folder, folder)
    return folder


def kinds_of_files(run: Path) -> list[str]:
    return sorted(str(file.relative_to(checkpoints(run)[-1].folder)) for file in checkpoints(run)[-1].folder.iterdir())


def test_every_kind_of_file_of_a_checkpoint_is_checked(finished: Path, tmp_path: Path) -> None:
    """Truncated, with one bit turned, or gone: the checkpoint is set aside, and the one before it is whole."""
    kinds = kinds_of_files(finished)
    assert set(kinds) >= {CHECKSUMS, "adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "trainer_state.json"}
    draw = random.Random(22)
    damages = 0
    for name in kinds:
        for damage in ("truncated", "flipped", "gone"):
            run = tmp_path / f"{name}-{damage}"
            shutil.copytree(finished, run)
            before, newest = checkpoints(run)[-2:]
            file = newest.folder / name
            content = bytearray(file.read_bytes())
            if damage == "truncated":
                file.write_bytes(content[: draw.randrange(len(content))])
            elif damage == "flipped":
                place = draw.randrange(len(content))
                if name == CHECKSUMS:  # of the hashes; white space decides nothing
                    place = content.index(b'": "') + 10
                content[place] ^= 1 << draw.randrange(4)
                file.write_bytes(content)
            else:
                file.unlink()
            assert newest_whole(run, Silent()) == before, (name, damage)
            assert (run / f"damaged-checkpoint-{newest.step}").is_dir()
            damages += 1
    assert damages == 3 * len(kinds) >= 21


def test_with_damaged_files_it_ends_with_the_same_bits(finished: Path, tiny_base_folder: Path, tmp_path: Path) -> None:
    for name in ("optimizer.pt", "trainer_state.json"):
        run = tmp_path / name
        shutil.copytree(finished, run)
        shutil.rmtree(run / "adapter")
        file = checkpoints(run)[-1].folder / name
        file.write_bytes(file.read_bytes()[:-7])
        train_in_process(tiny_base_folder, run)
        assert digest_of(run / "adapter") == digest_of(finished / "adapter")


FULL_DISK = """
import sys
from pathlib import Path
from tests.train.jobs import train_in_process
train_in_process(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def _small_files() -> None:
    """No file may grow beyond 40 kB: the system refuses in the middle of writing the optimizer's state."""
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))


def test_a_write_that_the_system_refuses_leaves_the_checkpoint_before_whole(
    finished: Path, tiny_base_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    first = checkpoints(finished)[0]
    shutil.copytree(first.folder, run / first.folder.name)
    assert (first.folder / "optimizer.pt").stat().st_size > 40_000
    command = [sys.executable, "-c", FULL_DISK, str(tiny_base_folder), str(run)]
    refused = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, preexec_fn=_small_files, check=False)
    assert refused.returncode != 0
    assert "StoreError" in refused.stderr and "could not be written" in refused.stderr, refused.stderr[-2000:]
    assert f"Free space on the disk of {run}, where " in refused.stderr and "MB are free" in refused.stderr
    assert [checkpoint.step for checkpoint in checkpoints(run)] == [first.step]
    assert newest_whole(run, Silent()) is not None
    train_in_process(tiny_base_folder, run)
    assert digest_of(run / "adapter") == digest_of(finished / "adapter")


def test_of_two_trainers_on_one_folder_the_second_is_refused(tiny_base_folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from atanor.store.holding import holding\n"
        "with holding(Path(sys.argv[1]), 'the training', sys.argv[2]):\n    print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), TRAINER_LOCK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match="is being worked on by another process") as refused:
        train(job(tiny_base(tiny_base_folder), tmp_path, LONG), Silent())
    assert f"held by process {process.pid} on " in str(refused.value) and "since 20" in str(refused.value)
    assert not checkpoints(tmp_path)
    process.kill()
    process.wait()
    assert json.loads((tmp_path / f"{TRAINER_LOCK}.json").read_text())["process"] == process.pid, "its note stays"
    with holding(tmp_path, "the training", TRAINER_LOCK):
        assert json.loads((tmp_path / f"{TRAINER_LOCK}.json").read_text())["process"] != process.pid


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint-3.a1b2c3d4").mkdir()
    (tmp_path / ".checkpoint-3.a1b2c3d4" / "optimizer.pt").write_text("half")
    (tmp_path / ".versions.json.abcd1234").write_text("half")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".hidden").write_text("mine")
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "notes.txt"]
