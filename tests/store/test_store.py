"""The store finds things again, refuses damage, and shows a killed run as interrupted."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from atanor.errors import NotFoundError, StoreError
from atanor.store import CandidateRecord, RunState, Store, now
from atanor.store.files import write_text, writing_folder


def candidate(run: str, role: str = "director") -> CandidateRecord:
    return CandidateRecord(f"{role}-{run}", run, role, "lora", "pkg:x", f"runs/{run}", "0" * 64, now())


def test_a_run_is_found_by_its_key_and_by_the_start_of_its_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = store.begin_run("abcd" + "0" * 60, "director", "lora")
    other = store.begin_run("abcd" + "1" * 60, "npc", "lora")
    assert (one.id, other.id) == ("abcd", "abcd1")
    assert store.begin_run(one.key, "director", "lora").id == one.id
    assert store.run("abcd") == dataclasses.replace(one, state=RunState.INTERRUPTED), "an exact name wins"
    with pytest.raises(NotFoundError, match="Runs here: "):
        store.run("zzzz")
    with pytest.raises(NotFoundError, match="several runs begin with it"):
        store.run("abc")


def test_a_run_whose_process_died_is_interrupted_and_one_at_work_cannot_be_taken(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.begin_run("feed" + "0" * 60, "director", "lora")
    program = (
        "import sys; from pathlib import Path; from atanor.store import Store\n"
        "store = Store(Path(sys.argv[1])); run = store.run('feed')\n"
        "with store.running(run):\n    print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    assert store.run("feed").state is RunState.RUNNING
    with pytest.raises(StoreError, match="being worked on by another process"), store.running(run):
        pass
    process.kill()
    process.wait()
    assert store.run("feed").state is RunState.INTERRUPTED
    with store.running(run):
        pass


def test_releases_count_up_and_the_alias_points_at_the_newest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for run in ("aaaa", "bbbb"):
        store.begin_run(run + "0" * 60, "director", "lora")
        store.add_candidate(candidate(run))
    assert store.release("director", "director-aaaa").name == "director@1"
    assert store.release("director", "director-aaaa").name == "director@1", "the same again is the same release"
    assert store.release("director", "director-bbbb").name == "director@2"
    assert store.candidate("director").id == "director-bbbb"
    assert store.candidate("director@1").id == "director-aaaa"
    assert store.candidate("aaaa").id == "director-aaaa"
    with pytest.raises(NotFoundError, match="director@2"):
        store.candidate("nobody")


def test_artefacts_are_named_by_content_and_damage_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    sha = store.put_artefact(b"weights")
    assert store.put_artefact(b"weights") == sha
    assert store.artefact(sha) == b"weights"
    (tmp_path / ".atanor" / "artefacts" / sha[:2] / sha).write_bytes(b"weight?")
    with pytest.raises(StoreError, match="no longer has its hash"):
        store.artefact(sha)


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_text(path, "old")
    with pytest.raises(RuntimeError, match="in the middle"), writing_folder(tmp_path / "folder") as folder:
        (folder / "half").write_text("half")
        raise RuntimeError("in the middle")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["report.json"]
    write_text(path, "new")
    assert path.read_text() == "new"


def test_a_candidate_looks_at_a_split_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert [store.look("split", name) for name in ("one", "two", "one", "three")] == [1, 2, 2, 3]
    assert store.look("other", "one") == 1
