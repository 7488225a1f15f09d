"""A run in several processes of this machine, started and watched by torchrun's agent (torch.distributed.elastic).

As a module it is the supervisor: `python -m atanor.launch.torchrun FOLDER`.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from atanor.launch.failure import Ended
from atanor.launch.specification import Specification
from atanor.launch.supervised import Supervised, leave_ended
from atanor.launch.worker import end_with_parent

_SHUTDOWN = 5
"""Seconds that workers have to end when one of them failed."""


class Torchrun:
    """Executes runs as `torchrun --standalone` does."""

    def submit(self, specification: Specification) -> Supervised:
        """See `Launcher.submit`."""
        return Supervised(specification, __name__)


def supervise(folder: Path) -> int:
    """Start the workers of the run in a folder and wait for them; when one fails, the others are ended."""
    specification = Specification.read(folder)
    logs = specification.control / "logs"
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=specification.processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
        shutdown_timeout=_SHUTDOWN,
        logs_specs=DefaultLogsSpecs(log_dir=str(logs), redirects=Std.ALL),
    )
    try:
        elastic_launch(config, sys.executable)("-m", "atanor.launch.worker", str(folder))
    except ChildFailedError as error:
        leave_ended(
            specification.control,
            [Ended(rank, failure.exitcode, _log(logs, rank)) for rank, failure in error.failures.items()],
        )
        return 1
    return 0


def _log(logs: Path, rank: int) -> Path | None:
    """What a worker printed as errors; the agent makes a folder for each attempt and worker."""
    return next(iter(logs.glob(f"*/attempt_0/{rank}/stderr.log")), None)


if __name__ == "__main__":
    end_with_parent()
    sys.exit(supervise(Path(sys.argv[1])))
