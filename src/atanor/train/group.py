"""The processes that train one job together.

Each holds the network, keeps the same history and is stepped as if it were alone; what is divided is the computing. A
window of an optimizer step is cut into a part for each process, by items and balanced by tokens; each adds the gradient
of its part, weighed by the part's share of the whole, and the sum of all is the gradient of the window, as one process
would have computed it. Validation is divided likewise. Only the first process writes.

How processes are started is not known here; `torch.distributed` has to be ready (see `meet`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from atanor.errors import Problem, TrainingError
from atanor.train.options import Sharding

Item = TypeVar("Item")

_BUCKET = 1 << 25
"""Numbers that are summed in one call."""


class PeerLostError(TrainingError):
    """Another process of the group ended, or did not answer in time; what it died of is its own to say."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Group:
    """One process's place among those that train together.

    Attributes:
        rank: its number from 0; the first one writes.
        size: how many there are.
        sharding: whether each keeps the state of all weights or of its shard.
        stop_requested: whether who started the processes wants them to stop after the running step.
    """

    rank: int = 0
    size: int = 1
    sharding: Sharding = Sharding.NONE
    stop_requested: Callable[[], bool] = _never

    @property
    def alone(self) -> bool:
        return self.size == 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def part(self, items: Sequence[Item], tokens: Callable[[Item], int]) -> list[Item]:
        """This process's items, in their order; every process divides alike.

        The longest item goes first, each to the process that has the fewest tokens so far (Graham 1969).
        """
        if self.alone:
            return list(items)
        loads = [0] * self.size
        mine = []
        for number in sorted(range(len(items)), key=lambda number: (-tokens(items[number]), number)):
            owner = min(range(self.size), key=lambda rank: (loads[rank], rank))
            loads[owner] += tokens(items[number])
            if owner == self.rank:
                mine.append(number)
        return [items[number] for number in sorted(mine)]

    def total(self, numbers: Sequence[float]) -> list[float]:
        """The sums of these numbers over all processes, the same bits in each."""
        if self.alone:
            return list(numbers)
        sums = torch.tensor(numbers, dtype=torch.float64)
        with together():
            dist.all_reduce(sums)
        return [float(number) for number in sums]

    def any(self, flag: bool) -> bool:
        """Whether it holds of any process."""
        return self.total([float(flag)])[0] > 0

    def of_first(self, number: int) -> int:
        """What the first process says."""
        return int(self.total([float(number if self.first else 0)])[0])

    def wait(self) -> None:
        """Until all processes are here."""
        self.total([0.0])

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Make every gradient the sum over all processes; one that no process has stays none."""
        if self.alone:
            return
        there = torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.int32)
        with together():
            dist.all_reduce(there)
            for bucket in _buckets([one for one, found in zip(parameters, there.tolist(), strict=True) if found]):
                flat = torch.cat([_gradient(parameter).reshape(-1) for parameter in bucket])
                dist.all_reduce(flat)
                parts = torch.split(flat, [parameter.numel() for parameter in bucket])
                for parameter, part in zip(bucket, parts, strict=True):
                    parameter.grad = part.view_as(parameter).clone()


ALONE = Group()
"""One process that trains by itself."""


def meet(timeout: float) -> None:
    """Meet the other processes of this training, where the launcher's environment says.

    Args:
        timeout: seconds that one waits for the others before it gives up.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    with together():
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout))


@contextmanager
def together() -> Iterator[None]:
    """A collective call; where it fails, another process is gone or late."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        problem = Problem(reason, fix="See what ended the other process; `launch.timeout` says how long is waited")
        raise PeerLostError("another process of this training is gone or did not answer in time", [problem]) from error


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Parameters of one type and device, together not much larger than a bucket, in order."""
    bucket: list[nn.Parameter] = []
    for parameter in parameters:
        alike = not bucket or (bucket[0].dtype, bucket[0].device) == (parameter.dtype, parameter.device)
        if not alike or sum(one.numel() for one in bucket) >= _BUCKET:
            yield bucket
            bucket = []
        bucket.append(parameter)
    if bucket:
        yield bucket
