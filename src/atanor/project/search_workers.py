"""Other processes that train trials of the same study: each loads the project and the base itself.

A worker is told what to do as JSON on its standard input, because an address may hold a password, and the list of
processes shows arguments to everybody. What it says goes into a file beside the study's locks.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from atanor.errors import AtanorError
from atanor.progress import Progress
from atanor.project.events import Unwatched, Watcher
from atanor.project.file import LoadedProject, load_project_file
from atanor.project.searching import OpenSearch, Searching, open_search
from atanor.train import Interrupted
from atanor.train.search.outcome import Search


def tune(loaded: LoadedProject, asked: Searching, watcher: Watcher, workers: int = 1) -> Search:
    """Search, with `workers` processes that train trials of the same study.

    Raises:
        Interrupted: the person pressed ^C; the same call goes on where it was.
        AtanorError: see `open_search`.
    """
    from atanor.train.search.running import run_trials

    opened = open_search(loaded, asked, watcher)
    done = len(opened.study.trials())
    if done:
        watcher.say(f"search    goes on: {done} of {opened.most} trials had begun before")
    try:
        with _helped(opened, workers) as helpers:
            run_trials(opened.study, opened.trainer, watcher, most=opened.most, until=opened.enough)
            for helper in helpers:
                helper.wait(watcher)
        # What a worker left that failed.
        run_trials(opened.study, opened.trainer, watcher, most=opened.most, until=opened.enough)
        return opened.result()
    except Interrupted as error:
        raise Interrupted("the search was stopped; all its trials are safe, and the same command goes on") from error


@contextmanager
def _helped(opened: OpenSearch, workers: int) -> Iterator[list[Worker]]:
    """Processes beside this one, which share the processor; stopped when this one leaves early."""
    threads = torch.get_num_threads()
    helpers: list[Worker] = []
    try:
        for number in range(2, workers + 1):
            log = opened.study.folder / f"worker-{number}.log"
            helpers.append(Worker(opened.job.loaded.path, opened.asked, log, of=workers))
        torch.set_num_threads(max(1, threads // workers))
        yield helpers
    finally:
        torch.set_num_threads(threads)
        for helper in helpers:
            helper.stop()


class Worker:
    """A process that trains trials of a study until there are enough.

    Args:
        project: its file.
        asked: of the search.
        log: receives what it says.
        of: how many share the processor.
    """

    def __init__(self, project: Path, asked: Searching, log: Path, *, of: int) -> None:
        self.log = log
        told = {"project": str(project.resolve()), "asked": dataclasses.asdict(asked), "of": of}
        with log.open("w", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()  # left open: its end tells the worker that this process is gone

    def wait(self, progress: Progress) -> None:
        if self.process.wait() not in (0, 130):
            progress.say(f"worker    one failed; {os.path.relpath(self.log)} says why")

    def stop(self) -> None:
        """Ask for the end of its step; the trial stays begun."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()


class _Log(Unwatched):
    """Lines into the worker's file."""

    def say(self, message: str) -> None:
        sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {message}\n")
        sys.stdout.flush()


def main() -> int:
    """What a worker does."""
    from atanor.train.search.running import run_trials

    told = json.loads(sys.stdin.readline())
    torch.set_num_threads(max(1, torch.get_num_threads() // told["of"]))
    _follow_parent()
    try:
        loaded = load_project_file(Path(told["project"]))
        opened = open_search(loaded, Searching(**told["asked"]), _Log())
        run_trials(opened.study, opened.trainer, _Log(), most=opened.most, until=opened.enough)
    except AtanorError as error:
        _Log().say(str(error))
        return error.exit_code
    return 0


def _follow_parent() -> None:
    """Stop as ^C does when the process that began this one is gone, even killed: its end of the pipe closes."""

    def wait() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
