"""What the commands about groups of people do: call one function of a room below and show what it returns."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from atanor.cli import bias_tables
from atanor.cli.live import TerminalProgress
from atanor.cli.screen import show_json, show_view
from atanor.project.choices import choices_of, group_of, source_of


def bias(what: str | None, pairs: tuple[str, ...], dimensions: str, *, project: Path, as_json: bool) -> None:
    from atanor.data.bias import BiasOptions, Dimension
    from atanor.data.workshop.groups import bias_of_dataset
    from atanor.project.datasets import dataset_or_file

    wanted = choices_of(Dimension, dimensions, "--dimensions")
    options = group_of(BiasOptions, {"dimensions": wanted or None})
    with dataset_or_file(what, project, pairs, TerminalProgress(), plain=True) as dataset:
        report = bias_of_dataset(dataset, options)
    if as_json:
        show_json(dataclasses.asdict(report))
        return
    show_view(bias_tables.bias_view(report))


def swap(
    source: str, out: Path, pairs: tuple[str, ...], *, dimensions: str, balancing: bool, seed: int, as_json: bool
) -> None:
    from atanor.data.bias import CounterfactualOptions, Dimension
    from atanor.data.workshop.groups import swap_file

    wanted = choices_of(Dimension, dimensions, "--dimensions")
    options = group_of(CounterfactualOptions, {"dimensions": wanted or None, "balancing": balancing})
    swapped = swap_file(source_of(source, pairs), out, options, seed, TerminalProgress())
    if as_json:
        made = swapped.made
        show_json(
            {
                "read": swapped.version.read,
                "written": swapped.written,
                "made": len(made.examples),
                "path": str(out),
                "unswapped": None if swapped.unswapped is None else str(swapped.unswapped),
                "reasons": {str(dimension): dict(reasons) for dimension, reasons in made.reasons.items()},
                "table": [dataclasses.asdict(one) for one in made.table],
            }
        )
        return
    show_view(bias_tables.swapped_view(swapped, out))
