"""A run on workers of Ray Train.

The cluster is the one that `RAY_ADDRESS` names, or one on this machine for as long as the run lasts.

As a module it is the supervisor: `python -m atanor.launch.ray_train FOLDER`. The folder has to be on a disk that all
machines of the cluster share.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from atanor.errors import AtanorError, MissingExtraError, Problem
from atanor.launch.failure import Ended, leave_error
from atanor.launch.specification import Specification
from atanor.launch.supervised import Supervised, leave_ended
from atanor.launch.worker import end_with_parent, run_part
from atanor.store.files import write_text

_STORE = 100 * 2**20
"""Bytes of Ray's object store: nothing of a training goes through it."""


class RayTrain:
    """Executes runs as `ray.train.torch.TorchTrainer`."""

    def submit(self, specification: Specification) -> Supervised:
        """See `Launcher.submit`."""
        if importlib.util.find_spec("ray") is None:
            fix = "Run `python -m pip install 'atanor[ray]'`, or write `kind: torchrun`"
            problem = Problem("it is not installed", field="launch.kind", value="ray", fix=fix)
            raise MissingExtraError("training on Ray needs the `ray` package", [problem])
        return Supervised(specification, __name__)


def supervise(folder: Path) -> int:
    """Have the workers of a cluster run what is in a folder, and wait for them."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2.api.exceptions import WorkerGroupError

    specification = Specification.read(folder)
    _connect(ray, specification.processes)
    gpus = ray.cluster_resources().get("GPU", 0) >= specification.processes
    backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
    trainer = TorchTrainer(
        _run_in_worker,
        train_loop_config={"folder": str(folder)},
        torch_config=TorchConfig(backend=backend, timeout_s=int(max(1, specification.timeout))),
        scaling_config=ScalingConfig(num_workers=specification.processes, use_gpu=gpus),
        run_config=RunConfig(name="run", storage_path=str(specification.control / "ray")),
    )
    try:
        trainer.fit()
    except WorkerGroupError as error:
        ended = []
        for rank, failure in error.worker_failures.items():
            log = specification.control / f"worker-{rank}.log"
            write_text(log, str(failure))
            ended.append(Ended(rank, None, log))
        leave_ended(specification.control, ended)
        return 1
    finally:
        ray.shutdown()
    return 0


def _connect(ray: Any, processes: int) -> None:
    """To the cluster that the environment names, or to a new one on this machine with a place for each process."""
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False)
        return
    ray.init(num_cpus=processes + 1, object_store_memory=_STORE, include_dashboard=False, log_to_driver=False)


def _run_in_worker(config: dict[str, str]) -> None:
    from ray.train import get_context

    specification = Specification.read(Path(config["folder"]))
    rank = get_context().get_world_rank()
    try:
        run_part(specification, rank)
    except AtanorError as error:
        leave_error(specification.control, rank, error)
        raise RuntimeError(str(error)) from None


if __name__ == "__main__":
    end_with_parent()
    sys.exit(supervise(Path(sys.argv[1])))
