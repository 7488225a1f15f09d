"""A process that trains and is killed: at an instant of the clock, or at the n-th time it touches the disk.

Starting torch takes longer than the training, so one server process imports everything once and forks a child for each
attempt. The server itself never trains: a process that did may not be forked.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Attempt:
    """How one process ended: `killed` or with the digest of everything it published, after so many seconds."""

    killed: bool
    digest: str
    touches: int
    seconds: float


class Server:
    """Forks a child for each attempt.

    Args:
        base: folder of the tiny base.
    """

    def __init__(self, base: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.train.killing", str(base)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._read() == "ready"

    def run(self, what: str, folder: Path, *, after: float | None = None, at_touch: int = 0) -> Attempt:
        """Train in a child.

        Args:
            what: `long`, or the number of a technique in the table of invariants.
            folder: of the run.
            after: seconds until SIGKILL.
            at_touch: the child kills itself where it would touch the disk for the n-th time; 0: never.
        """
        started = time.monotonic()
        self._write(f"{what} {at_touch} {folder}")
        child = int(self._read())
        if after is not None:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)  # the server has not reaped it, so the number is still the child's
        self._write("wait")
        status = int(self._read())
        seconds = time.monotonic() - started
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return Attempt(True, "", 0, seconds)
        assert status == 0, f"the child failed with {status}"
        digest, touches = (folder.parent / f"{folder.name}.done").read_text().split()
        return Attempt(False, digest, int(touches), seconds)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def serving(base: Path) -> Iterator[Server]:
    server = Server(base)
    try:
        yield server
    finally:
        server.close()


def digest_of(folder: Path) -> str:
    """Of every file of a published folder."""
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            found.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return found.hexdigest()


class Touches:
    """Counts the times a process is about to change the disk in a way that lasts, and kills it at one of them."""

    def __init__(self, deadly: int) -> None:
        self.count = 0
        self.deadly = deadly

    def watch(self, owner: Any, name: str) -> None:
        """Count the calls of a function of the system; the deadly one is not made."""
        function: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        setattr(owner, name, watched)


def _train(what: str, base: Path, folder: Path) -> Path:
    """Train in this process; returns what was published."""
    from atanor.progress import Silent
    from atanor.train import TrainOptions, train
    from tests.methods.test_invariants import TECHNIQUES, Maker
    from tests.train.jobs import job, tiny_base

    if what == "long":
        options = TrainOptions(
            epochs=4, batch=4, learning_rate=1e-2, validate_every=2, patience=0, optimizer="muon", keep_checkpoints=2
        )
        return train(job(tiny_base(base), folder, options), Silent()).folder
    _, made = Maker(TECHNIQUES[int(what)], "completion", base).job(folder)
    return train(made, Silent()).folder


def _child(line: str, base: Path) -> None:
    what, at_touch, name = line.split(" ", 2)
    folder = Path(name)
    touches = Touches(int(at_touch))
    for owner, function in ((os, "fsync"), (os, "replace"), (os, "rename"), (os, "rmdir"), (os, "unlink")):
        touches.watch(owner, function)
    digest = digest_of(_train(what, base, folder))
    (folder.parent / f"{folder.name}.done").write_text(f"{digest} {touches.count}")


def _serve(base: Path) -> None:
    import tests.methods.test_invariants  # noqa: F401  # imports everything a child needs

    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdout = sys.stderr
            status = 1
            try:
                _child(line.strip(), base)
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        print(child, flush=True)
        assert sys.stdin.readline().strip() == "wait"
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
