"""Of several processes that ended, the one is told that the others died of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from atanor.errors import AtanorError, Problem, StoreError, TrainingError
from atanor.launch.failure import Ended, UnforeseenError, error_of, leave_error
from atanor.train import Interrupted, PeerLostError

LOST = PeerLostError("another process is gone", [Problem("connection closed")])
CRASH = UnforeseenError("an error that nobody foresaw", [Problem("ZeroDivisionError: division by zero")])


@pytest.mark.parametrize(
    ("left", "codes", "kind", "told"),
    [
        ({0: LOST, 1: StoreError("the disk is full")}, {0: 1, 1: 1}, StoreError, "process 1 of 2: the disk is full"),
        ({0: LOST}, {0: 1, 1: -9}, TrainingError, "process 1 of 2 was ended by SIGKILL"),
        # A library's own words for a peer that is gone are no cause either.
        ({0: CRASH}, {0: 1, 1: -11}, TrainingError, "process 1 of 2 was ended by SIGSEGV"),
        ({1: CRASH, 0: CRASH}, {0: 1, 1: 1}, UnforeseenError, "process 1 of 2: an error that nobody foresaw"),
        ({0: LOST}, {0: 1, 1: -15}, PeerLostError, "process 0 of 2: another process is gone"),
        ({0: LOST}, {0: 1, 1: 1}, TrainingError, "process 1 of 2 ended with an error"),
        ({0: Interrupted("stopped"), 1: LOST}, {0: 130, 1: 1}, Interrupted, "stopped"),
        ({}, {}, TrainingError, "the run ended before it was done"),
    ],
)
def test_the_cause_is_told(
    left: dict[int, AtanorError], codes: dict[int, int], kind: type[AtanorError], told: str, tmp_path: Path
) -> None:
    for instant, (rank, error) in enumerate(left.items()):
        leave_error(tmp_path, rank, error)
        os.utime(tmp_path / f"error-{rank}.json", (instant, instant))
    found = error_of(tmp_path, [Ended(rank, code, None) for rank, code in codes.items()], 2)
    assert type(found) is kind
    assert found.summary == told


def test_an_error_keeps_its_problems_and_what_a_process_printed_last_is_told(tmp_path: Path) -> None:
    problem = Problem("too long", file="rows.jsonl", line=3, field="completion", fix="Shorten it")
    leave_error(tmp_path, 1, StoreError("a row", [problem]))
    assert error_of(tmp_path, [], 2).problems == (problem,)
    (tmp_path / "error-1.json").unlink()
    log = tmp_path / "stderr.log"
    log.write_text("Traceback\n  somewhere\nImportError: no module\n\n", encoding="utf-8")
    found = error_of(tmp_path, [Ended(0, 1, log)], 2)
    assert "ImportError: no module" in str(found) and str(log) in str(found)
