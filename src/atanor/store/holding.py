"""One process works on a folder at a time; a second one is told who does.

The lock is the operating system's (`flock`), which ends with the process that holds it: what a killed process leaves
behind is no obstacle.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from atanor.errors import Problem, StoreError
from atanor.store.files import storage_error, write_text

LOCK = "lock"


@contextmanager
def holding(folder: Path, name: str, lock: str = LOCK) -> Iterator[None]:
    """Hold a folder for this process.

    Args:
        folder: made if it is not there.
        name: what is held, for the error.
        lock: name of the lock file; two names are two locks.

    Raises:
        StoreError: another process holds it; says which one and since when.
    """
    held = _lock(folder, lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        problem = Problem(
            f"two writers would mix their checkpoints; it is held by {_who(folder, lock)}",
            file=str(folder),
            fix="Wait for it, or stop it first",
        )
        raise StoreError(f"{name} is being worked on by another process", [problem]) from None
    try:
        write_text(_note(folder, lock), json.dumps(_myself()))
        yield
    finally:
        held.release()


def is_held(folder: Path, lock: str = LOCK) -> bool:
    """Whether a living process holds the folder."""
    held = _lock(folder, lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        return True
    held.release()
    return False


def _lock(folder: Path, lock: str) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    return FileLock(folder / lock)


def _note(folder: Path, lock: str) -> Path:
    """Beside the lock file, which is emptied by everybody who tries it."""
    return folder / f"{lock}.json"


def _myself() -> dict[str, str | int]:
    return {"process": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat("T", "seconds")}


def _who(folder: Path, lock: str) -> str:
    try:
        note = json.loads(_note(folder, lock).read_text(encoding="utf-8"))
        return f"process {note['process']} on {note['host']} since {note['since']}"
    except (OSError, ValueError, KeyError):
        return "a process that has not said which it is"
