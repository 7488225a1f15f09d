"""`atanor harness`: tasks of the lm-evaluation-harness, candidate beside base."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atanor.cli.data_app import HERE, JsonOption, ProjectOption

if TYPE_CHECKING:
    from rich.console import RenderableType

    from atanor.project.harness import HarnessChange


def harness(  # noqa: PLR0917  # the signature is the command line
    candidate: Annotated[str, typer.Argument(help="Release (director@1), role, run or candidate.")],
    task: Annotated[list[str], typer.Option(help="Task, as the harness names it; several times.")],
    include: Annotated[Path | None, typer.Option(help="Folder with tasks of your own, as YAML.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most items of a task.")] = None,
    shots: Annotated[int | None, typer.Option(min=0, help="Examples before each item; as the task says.")] = None,
    chat: Annotated[bool, typer.Option("--chat", help="Put prompts as conversations.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Ask a candidate and its base tasks of the lm-evaluation-harness, and compare them item by item."""
    from atanor.cli.live import TerminalProgress
    from atanor.cli.screen import quiet_libraries, show_json, show_view
    from atanor.project.api import Project

    quiet_libraries()
    found = Project.load(project).harness(
        candidate,
        task,
        include=include,
        limit=limit,
        shots=shots,
        chat=chat,
        progress=TerminalProgress(quiet=as_json),
    )
    if as_json:
        show_json([_finite(one) for one in found])
    else:
        show_view(harness_view(found))


def harness_view(found: list[HarnessChange]) -> RenderableType:
    """One line a task and metric."""
    from rich.text import Text

    from atanor.cli import figures
    from atanor.cli.tables import ruled

    table = ruled()
    for name in ("task", "metric"):
        table.add_column(name, no_wrap=True)
    for name in ("items", "base", "tuned", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in found:
        interval = f"{figures.signed(one.change)} [{figures.signed(one.low)}, {figures.signed(one.high)}]"
        scores = (figures.score(one.base), figures.score(one.candidate))
        table.add_row(one.task, one.metric, f"{one.items:,}", *scores, interval, Text(one.verdict))
    return table


def _finite(one: HarnessChange) -> dict[str, object]:
    """For JSON, which has no infinity."""
    found = dataclasses.asdict(one)
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in found.items()
    }
