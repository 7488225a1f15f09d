"""Measured processes, each stepped in turn: see `benchmarks.peers.steps` for what happens inside them."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self


class WorkerFailed(RuntimeError):
    """A measured process ended, or was silent for too long, before its step was done."""


class Worker:
    """A training process that waits before every optimizer step.

    Args:
        name: for messages.
        command: what to run; it gets `--stepwise`.
        log: file that receives what it prints beside its results.
        limit: most seconds to wait for any one answer.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, limit: float) -> None:
        self.name = name
        self.log = log
        self.limit = limit
        self.about: dict[str, Any] = {}
        self.steps: list[dict[str, Any]] = []
        self._lines: queue.Queue[str] = queue.Queue()
        with log.open("w", encoding="utf-8") as file:
            self._process = subprocess.Popen(
                [*command, "--stepwise"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            )
        threading.Thread(target=self._listen, daemon=True).start()

    def ready(self) -> Self:
        """Wait until everything is loaded."""
        self.about = self._answer(self.limit)["ready"]
        return self

    def step(self, limit: float | None = None) -> dict[str, Any]:
        """Let it do one optimizer step and return what it says of it.

        Raises:
            WorkerFailed: it did not answer within `limit` seconds, or ended.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended; what it left in the log is told below
            self._process.stdin.write("go on\n")
            self._process.stdin.flush()
        step: dict[str, Any] = self._answer(limit or self.limit)["step"]
        self.steps.append(step)
        return step

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing more is asked of it: it stops where it is."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _answer(self, limit: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=limit)
        except queue.Empty:
            raise WorkerFailed(f"{self.name} was not done after {limit:.0f} s") from None
        if not line:
            tail = "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-15:])
            raise WorkerFailed(f"{self.name} ended:\n{tail}")
        answer: dict[str, Any] = json.loads(line)
        return answer
