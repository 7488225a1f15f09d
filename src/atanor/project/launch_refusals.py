"""What a project asks of several processes that they cannot do; nothing is loaded to see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from atanor.launch.options import LaunchKind, LaunchOptions
from atanor.methods.options import FullOptions, LastLayersOptions
from atanor.methods.tuning import TuningOptions
from atanor.options import Options
from atanor.train.options import OptimizerName, Sharding

_SHARDED = (FullOptions, LastLayersOptions)
_BY_NUMBER = (OptimizerName.ADAMW, OptimizerName.SGD, OptimizerName.LION)
"""Optimizers that step every number by its own history, so that a shard steps as the whole does."""


def launch_refusals(launch: LaunchOptions, methods: Mapping[str, Options]) -> Iterator[tuple[str, str]]:
    """(reason, fix) of each method that cannot be trained as `launch` says.

    Args:
        launch: where training runs.
        methods: options by the place of the method, as `roles.poet.methods.lora`.
    """
    if launch.kind is LaunchKind.HERE:
        return
    for place, options in methods.items():
        if not isinstance(options, TuningOptions):
            continue
        if options.batch < launch.processes_in_force:
            yield (
                f"{place} has {options.batch} rows a step, fewer than the {launch.processes_in_force} processes that "
                "divide them",
                f"Raise its `batch`, or write `processes: {options.batch}`",
            )
        if launch.processes_in_force > 1 and options.objective.name == "distillation":
            yield (
                f"{place} learns from a teacher, which stays in the process that opened it",
                "Write `processes: 1`, or leave `launch` out of a project that distils",
            )
        if launch.processes_in_force > 1 and options.objective.name == "kto":
            yield (
                f"{place} learns by `kto`, which measures a whole step's distance from the base, and a part of it does "
                "not know that",
                "Write `processes: 1`, or another objective",
            )
        remedies = options.against_forgetting
        if launch.processes_in_force > 1 and remedies.kl_to_base is not None:
            yield (
                f"{place} has `kl_to_base`, a mean over the places of a whole step, which a part of it does not know",
                "Write `processes: 1`, or `l2_sp` or `replay` in its place",
            )
        if launch.sharding is not Sharding.FSDP:
            continue
        held = [name for name in ("l2_sp", "ewc") if getattr(remedies, name) is not None]
        held += ["average.decay"] if remedies.average is not None and remedies.average.decay is not None else []
        if held:
            yield (
                f"{place} has `{held[0]}`, which compares weights whole with how they were",
                "Write `sharding: none`, or leave it out",
            )
        if not isinstance(options, _SHARDED):
            yield (
                f"{place} trains few numbers beside the base, which `fsdp` would not make fewer",
                "Write `sharding: none`, or give `full` a project of its own",
            )
        elif options.optimizer not in _BY_NUMBER:
            yield (
                f"{place} steps with `{options.optimizer}`, which has to see a matrix whole",
                f"Write `sharding: none`, or one of {', '.join(f'`{name}`' for name in _BY_NUMBER)} as its optimizer",
            )
