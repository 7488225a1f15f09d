"""The options of where training runs, as they are written under `launch:` in a project file."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from atanor.options import Options
from atanor.train.options import Sharding


class LaunchKind(StrEnum):
    """What starts the processes that train."""

    HERE = "here"
    """Nothing: this process trains."""
    TORCHRUN = "torchrun"
    """Processes on this machine under torchrun's agent."""
    RAY = "ray"
    """Workers of Ray Train, on a cluster that `RAY_ADDRESS` names or on this machine. Needs the extra `ray`."""


class LaunchOptions(Options):
    """Where training runs. What is trained, and the loss of every step, is the same everywhere."""

    kind: LaunchKind = Field(
        LaunchKind.HERE,
        description="`here` (this process), `torchrun` (processes on this machine) or `ray` (workers of Ray Train; "
        "`atanor[ray]`).",
    )
    processes: int | None = Field(
        None, ge=1, description="How many train together; each computes its part of every step. Default: 2."
    )
    sharding: Sharding = Field(
        Sharding.NONE,
        description="`none`: every process keeps everything; `fsdp`: each keeps its shard of weights, gradients and "
        "optimizer state, for `full` and `last_layers` with `adamw`, `sgd` or `lion`.",
    )
    timeout: float = Field(
        600.0, gt=0, description="Seconds a process waits for the others before the run ends with an error."
    )

    @model_validator(mode="after")
    def _possible_together(self) -> LaunchOptions:
        if self.kind is LaunchKind.HERE:
            for name in ("processes", "sharding", "timeout"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"`here` is this one process and has no `{name}`; write `kind: torchrun` or `ray`")
        return self

    @property
    def processes_in_force(self) -> int:
        """The number written, or what it is by default."""
        if self.kind is LaunchKind.HERE:
            return 1
        return 2 if self.processes is None else self.processes

    @property
    def in_words(self) -> tuple[str, ...]:
        """What the plan says of it; nothing where nothing is launched."""
        if self.kind is LaunchKind.HERE:
            return ()
        count = self.processes_in_force
        sharded = ", weights in shards" if self.sharding is Sharding.FSDP else ""
        return (f"{count} {'process' if count == 1 else 'processes'} under {self.kind}{sharded}",)
