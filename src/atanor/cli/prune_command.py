"""`atanor prune`: a smaller base to teach."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def prune(  # noqa: PLR0917  # the signature is the command line
    base: Annotated[str, typer.Argument(help="Base, as pkg:NAME, hf:owner/name, path:DIRECTORY or gguf:FILE.")],
    layers: Annotated[str, typer.Option("--layers", help="How many stay, evenly spread, or their numbers as 0,2,5.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; by default named after the base.")] = None,
    random: Annotated[bool, typer.Option("--random", help="Random weights in the base's shape instead.")] = False,
    width: Annotated[int | None, typer.Option("--width", min=1, help="Of random weights; default: as it is.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of random weights.")] = 17,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document for a program to read.")] = False,
) -> None:
    """Write a base with fewer layers, or a random one of its shape: a student for distillation."""
    import dataclasses

    from rich.text import Text

    from atanor.cli.live import TerminalProgress
    from atanor.cli.screen import quiet_libraries, show_json, show_view
    from atanor.project.pruning import prune_base

    quiet_libraries()
    made = prune_base(base, layers, random=random, width=width, seed=seed, out=out, progress=TerminalProgress())
    if as_json:
        show_json({**dataclasses.asdict(made), "folder": str(made.folder)})
        return
    stayed = "random weights" if random else f"layers {', '.join(map(str, made.layers))}"
    share = made.parameters / made.parameters_before
    show_view(Text(f"{made.folder}: {stayed}, {made.parameters:,} parameters, {share:.0%} of {base}"))
    show_view(Text(f"write `base: path:{made.folder}` in atanor.yaml, and name a teacher in `objective: distillation`"))
