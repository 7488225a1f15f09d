"""Measured processes take their turns, and say what went wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.workers import Worker, WorkerFailed

TRAINS = """
import sys, time
from benchmarks.peers.steps import Steps
steps = Steps("--stepwise" in sys.argv, {"trainer": "a trial"}, ("torch", "no-such-package"))
print("libraries print to stdout as they like")
steps.ready(threads=1)
for number in range(3):
    steps.wait()
    if "--fails" in sys.argv:
        raise ValueError("out of luck")
    if "--sleeps" in sys.argv:
        time.sleep(30)
    steps.stop_clock()
    steps.done(1.5 - number, logical=7)
steps.finish()
"""


def worker(folder: Path, *arguments: str) -> Worker:
    return Worker("a trial", [sys.executable, "-c", TRAINS, *arguments], folder / "log", limit=30)


def test_a_worker_does_a_step_when_it_is_told(tmp_path: Path) -> None:
    with worker(tmp_path) as one:
        one.ready()
        first, second = one.step(), one.step()

    assert one.about["trainer"] == "a trial"
    assert one.about["versions"]["no-such-package"] == "not installed"
    assert (first["step"], first["loss"], first["logical"]) == (1, 1.5, 7)
    assert (second["step"], second["loss"]) == (2, 0.5)
    assert first["seconds"] >= 0
    assert "as they like" in one.log.read_text(encoding="utf-8")


def test_a_worker_that_fails_is_quoted(tmp_path: Path) -> None:
    with worker(tmp_path, "--fails") as one, pytest.raises(WorkerFailed, match="out of luck"):
        one.ready().step()


def test_a_worker_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    with worker(tmp_path, "--sleeps") as one, pytest.raises(WorkerFailed, match="not done after 0 s"):
        one.ready().step(limit=0.2)
