"""A network whose weights, gradients and optimizer state are kept in shards, one a process (FSDP2 of torch).

Between steps each process holds its shard of every weight that trains and of what the optimizer knows of it. For the
computing of a window, of a validation and of a checkpoint the weights are gathered, once, and let go after it: passes
over a forest differ in number from process to process, so that gathering a layer at a time would make the processes
wait for passes the others do not have. This is the division of ZeRO's second stage (Rajbhandari et al. 2020,
arXiv:1910.02054): memory for one copy of weights and gradients, and a share of the optimizer's state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer
from transformers import PreTrainedModel

from atanor.compute import device_name
from atanor.train.group import together


class Sharded:
    """A network made into shards, in place.

    Args:
        network: the same on every process.
        size: how many processes there are.
    """

    def __init__(self, network: PreTrainedModel, size: int) -> None:
        self.network = network
        mesh = init_device_mesh(device_name(), (size,))
        decoder = network.get_decoder()
        layers = getattr(decoder, "layers", None) or getattr(decoder, "h", [])
        for module in (*layers, network):
            fully_shard(module, mesh=mesh, reshard_after_forward=False)
        self._modules = [module for module in network.modules() if isinstance(module, FSDPModule)]
        for module in self._modules:
            # Each process weighs its part itself: gradients are added, not averaged.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
            module.set_reshard_after_backward(False, recurse=False)
            module.set_requires_gradient_sync(False, recurse=False)
        with torch.no_grad():
            self._pass_over_one_token()  # FSDP tells its root by the first forward pass
        self._let_go()

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Within this context every process holds all weights."""
        with together():
            for module in self._modules:
                module.unshard()
        try:
            yield
        finally:
            self._let_go()

    def add_gradients(self) -> None:
        """Leave on each shard the sum of all processes' gradients; to be called while weights are gathered.

        FSDP adds gradients up in a backward pass; this is one that adds nothing of its own.
        """
        for module in self._modules:
            module.set_requires_gradient_sync(True, recurse=False)
        with together():
            torch.autograd.backward(self._pass_over_one_token().sum() * 0)
        for module in self._modules:
            module.set_requires_gradient_sync(False, recurse=False)

    def _pass_over_one_token(self) -> Tensor:
        token = torch.zeros(1, 1, dtype=torch.long, device=self.network.device)
        logits: Tensor = self.network(input_ids=token, use_cache=False).logits
        return logits

    def _let_go(self) -> None:
        for module in self._modules:
            module.reshard()


def whole(value: Any) -> Any:
    """A state with every shard in it gathered; every process has to ask alike."""
    if isinstance(value, DTensor):
        with together():
            return value.full_tensor()
    if isinstance(value, dict):
        return {key: whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    return value


def is_sharded(optimizer: Optimizer) -> bool:
    """Whether it steps shards."""
    return any(isinstance(parameter, DTensor) for group in optimizer.param_groups for parameter in group["params"])


def sharded_state(state: dict[str, Any], optimizer: Optimizer) -> dict[str, Any]:
    """An optimizer's whole state as the shards that this process keeps.

    What has the shape of a parameter lies as the parameter does; counters are the same everywhere.
    """
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    of = dict(zip(numbers, parameters, strict=True))
    return {
        **state,
        "state": {
            number: {
                name: as_sharded(value, of[number]) if getattr(value, "shape", None) == of[number].shape else value
                for name, value in kept.items()
            }
            for number, kept in state["state"].items()
        },
    }


def as_sharded(value: Tensor, like: Tensor) -> Tensor:
    """This process's shard of a whole tensor, laid out as another is; the tensor itself where that is whole."""
    if not isinstance(like, DTensor):
        return value
    shard: Tensor = distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)
    return shard
