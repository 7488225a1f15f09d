"""A command in a process of its own, with its time and the most memory that it and its children held."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

EVERY = 0.2
"""Seconds between two looks at the processes."""


@dataclass(frozen=True)
class Ran:
    """How a command ran.

    Attributes:
        output: what it wrote to its standard output.
        seconds: from its start to its end.
        peak_memory_bytes: the largest sum of resident memory over its processes; pages that several of them share, and
            pages of mapped files, count in each.
        killed: whether it was killed because `until` was true.
    """

    output: str
    seconds: float
    peak_memory_bytes: int
    killed: bool = False


def run(
    command: Sequence[str], *, until: Callable[[], bool] | None = None, environment: Mapping[str, str] | None = None
) -> Ran:
    """Run a command to its end.

    Args:
        command: what to run; its standard error is passed on.
        until: asked at every look; when it is true the whole tree is killed (SIGKILL).
        environment: variables besides those of this process.

    Raises:
        subprocess.CalledProcessError: it failed and was not killed.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        start_new_session=True,  # so that its children can be killed with it
    )
    peak, killed = 0, False
    while process.poll() is None:
        peak = max(peak, _resident(process.pid))
        if until is not None and until():
            os.killpg(process.pid, signal.SIGKILL)
            killed = True
            break
        time.sleep(EVERY)
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode and not killed:
        raise subprocess.CalledProcessError(process.returncode, list(command), output)
    return Ran(output, seconds, peak, killed)


def _resident(parent: int) -> int:
    try:
        root = psutil.Process(parent)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(map(_resident_of_one, processes))


def _resident_of_one(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
