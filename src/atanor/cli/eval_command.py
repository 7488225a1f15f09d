"""`atanor eval`: a metric tried on answers there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from atanor.evaluate.trying import Tried

HERE = Path()
_SHOWN = 5
_UNMARKED = 1
"""Exit code where some item could not be marked."""


def evaluate(
    answers: Annotated[str, typer.Argument(help="A finished run, or a .jsonl file of prompt, reference and answer.")],
    metric: Annotated[
        str, typer.Option("--metric", "-m", help="A name, NAME=ARGUMENT, file.py:function, or an entry point.")
    ],
    project: Annotated[Path, typer.Option("--project", "-p", help="Project file, or the folder it is in.")] = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document for a program to read.")] = False,
) -> None:
    """Try a metric on answers there are: its scores, and the items it cannot mark. Exit code 1 if there are any."""
    import dataclasses

    from atanor.cli.screen import show_json, show_view
    from atanor.evaluate import build_metric
    from atanor.evaluate.trying import answers_of_report, answers_of_rows, metric_named, try_metric
    from atanor.project.api import Project

    rows = Path(answers)
    folder = Path()
    if rows.suffix == ".jsonl":
        found = answers_of_rows(rows)
    else:
        loaded = Project.load(project)
        folder, found = loaded.loaded.root, answers_of_report(loaded.report(answers))
    tried = try_metric(build_metric(metric_named(metric), folder), found)
    if as_json:
        show_json(dataclasses.asdict(tried))
    else:
        show_view(_view(tried))
    if tried.unmarked:
        raise typer.Exit(_UNMARKED)


def _view(tried: Tried) -> RenderableType:
    """The scores, the lowest and highest items, and what could not be marked."""
    from rich.console import Group
    from rich.text import Text

    from atanor.page.figures import score

    marked = [item for item in tried.items if item.candidate is not None]
    lines = [f"{tried.label}: {score(tried.candidate)}"]
    if tried.baseline is not None:
        lines.append(f"of the base: {score(tried.baseline)}")
    lines.append(f"{len(marked)} of {len(tried.items)} items have a score of their own")
    ordered = sorted(marked, key=lambda item: item.candidate or 0.0)
    shown = ordered if len(ordered) <= 2 * _SHOWN else [*ordered[:_SHOWN], *ordered[-_SHOWN:]]
    lines += [f"  {score(item.candidate):>8}  {item.item}  {_short(item.answer)}" for item in shown]
    if tried.unmarked:
        lines.append(f"{len(tried.unmarked)} answers could not be marked:")
        lines += [f"  {one.item} ({one.whose}): {one.reason}" for one in tried.unmarked]
    return Group(*(Text(line) for line in lines))


def _short(answer: str | None) -> str:
    from atanor.errors import shorten

    return shorten(answer or "")
