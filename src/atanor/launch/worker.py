"""One process of a run: `python -m atanor.launch.worker FOLDER`, started by torchrun's agent or by hand."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

import torch

from atanor.errors import AtanorError, Problem
from atanor.launch.failure import UnforeseenError, leave_error
from atanor.launch.relay import EVENTS, Recorder
from atanor.launch.specification import Specification
from atanor.progress import Silent
from atanor.train.group import Group, meet

_OF_THE_GROUP = ("WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


def run_part(specification: Specification, rank: int) -> None:
    """Run this process's part; where there are several, they have met already."""
    group = Group(rank, specification.processes, specification.sharding, specification.stop.exists)
    progress = Recorder(specification.control / EVENTS) if group.first else Silent()
    # A loop that found these would divide the rows a second time: to it, this process is alone.
    for name in _OF_THE_GROUP:
        os.environ.pop(name, None)
    specification.function()(specification.folder, group, progress)


def end_with_parent() -> None:
    """End this process when the one that started it is gone: nobody would wait for what it makes."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def tell_crashes(control: Path, rank: int) -> None:
    """Have this process leave a mistake in the code for whoever started it, before its peers see it gone."""

    def on_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        problem = Problem(f"{kind.__name__}: {error}", fix=f"The whole of it is in {control / 'logs'}")
        leave_error(control, rank, UnforeseenError("an error that nobody foresaw", [problem]))
        sys.__excepthook__(kind, error, trace)
        sys.stderr.flush()
        os._exit(1)

    sys.excepthook = on_crash


def main(folder: str) -> int:
    """Run one part of the run in a folder, as the environment of torchrun says; alone without one."""
    specification = Specification.read(Path(folder))
    rank = int(os.environ.get("RANK", "0"))
    end_with_parent()
    tell_crashes(specification.control, rank)
    try:
        if specification.processes > 1:
            if torch.cuda.is_available():
                torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
            meet(specification.timeout)
        run_part(specification, rank)
    except AtanorError as error:
        leave_error(specification.control, rank, error)
        print(error, file=sys.stderr)  # noqa: T201  # the log of this process
        return error.exit_code
    return 0


if __name__ == "__main__":
    # Without the interpreter's own end: a peer that is gone keeps the threads of the group waiting.
    code = main(sys.argv[1])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
