"""A smaller base to teach: some layers of a base, or random weights in its shape, written as a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from atanor.errors import ConfigurationError, Problem
from atanor.progress import Progress


@dataclass(frozen=True)
class Pruned:
    """What was written.

    Attributes:
        folder: that `path:` names.
        layers: the layers of the base that stayed, from 0; empty where the weights are random.
        parameters: numbers in all weights.
        parameters_before: of the base.
    """

    folder: Path
    layers: tuple[int, ...]
    parameters: int
    parameters_before: int


def prune_base(
    reference: str,
    layers: str,
    *,
    random: bool = False,
    width: int | None = None,
    seed: int = 17,
    out: Path | None = None,
    progress: Progress,
) -> Pruned:
    """Write a base with fewer layers, to be named as `path:OUT`.

    Args:
        reference: the base, as `pkg:NAME`.
        layers: how many stay, evenly spread, or their numbers as `0,2,5`.
        random: random weights in the base's shape instead of its own.
        width: of a random network; None: the base's.
        seed: of random weights.
        out: folder to write, which must not be there yet; None: one beside, named after the base and the layers.
        progress: told about a base that has to be fetched or converted first.

    Raises:
        ConfigurationError: the folder is there already, or the layers or the width cannot be.
        BaseModelError: the base is not there.
        StoreError: the folder cannot be written.
    """
    from atanor.compute import Architecture
    from atanor.models import BaseReference, config_of, load_base, resolve_base
    from atanor.models.pruning import evenly, keep_layers, random_student, require_layers, save_student

    if width is not None and not random:
        problem = Problem("layers that were trained keep their width", field="--width", fix="Add `--random`")
        raise ConfigurationError("only a random network can be of another width", [problem])
    named = _numbers(layers)
    local = resolve_base(BaseReference.parse(reference), Path(), progress)
    there = int(config_of(local).get_text_config().num_hidden_layers)
    kept = named if len(named) > 1 or "," in layers else evenly(there, min(named[0], there + 1))
    require_layers(kept, there)
    folder = out or Path(f"{Path(local.title).name}-{len(kept)}-layers{'-random' if random else ''}")
    if folder.exists():
        problem = Problem("it is there already", file=str(folder), fix="Name another with `--out`, or remove this one")
        raise ConfigurationError("the smaller base was not written", [problem])
    before = Architecture.of(config_of(local)).parameters
    if random:
        network = random_student(local, layers=len(kept), width=width, seed=seed)
    else:
        base = load_base(local)
        keep_layers(base, kept)
        network = base.model
    save_student(local, network, folder)
    return Pruned(folder, () if random else kept, sum(one.numel() for one in network.parameters()), before)


def _numbers(layers: str) -> tuple[int, ...]:
    """`6`, or `0,2,5`."""
    if not re.fullmatch(r"\d+(,\d+)*,?", layers.replace(" ", "")) or layers.strip() == "0":
        reason = "neither a number nor a list of them"
        problem = Problem(reason, field="--layers", value=layers, fix="Write 6, or 0,2,5")
        raise ConfigurationError("the layers that stay cannot be read", [problem])
    return tuple(int(number) for number in layers.replace(" ", "").split(",") if number)
