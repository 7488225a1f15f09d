"""`atanor sweep`: a candidate's trained change at several scales, gain against forgetting."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Annotated

import typer

from atanor.cli.data_app import HERE, JsonOption, ProjectOption

if TYPE_CHECKING:
    from rich.console import RenderableType

    from atanor.project.sweep import Sweep


def sweep(  # the signature is the command line
    candidate: Annotated[str, typer.Argument(help="Release (director@1), role, run or candidate.")],
    scale: Annotated[
        list[float] | None, typer.Option(min=0, help="A scale to look at; several times. Default: 0, 0.25 … 1.5.")
    ] = None,
    project: ProjectOption = HERE,
    open_page: Annotated[bool, typer.Option("--open", help="Open the drawing in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure what a candidate trained at several scales; the best that forgets little becomes a candidate."""
    from rich.console import Console

    from atanor.cli.commands import TerminalWatcher
    from atanor.cli.screen import quiet_libraries, show_json, show_view
    from atanor.project.api import Project

    quiet_libraries()
    opened = Project.load(project)
    found = opened.sweep(candidate, scales=scale, watcher=TerminalWatcher(Console(stderr=True), quiet=as_json))
    page = os.path.relpath(opened.sweep_page(found))
    if as_json:
        report = None if found.report is None else found.report.model_dump(mode="json")
        points = [{**dataclasses.asdict(one), "allowed": one.allowed, "gain": one.gain} for one in found.points]
        show_json({**dataclasses.asdict(dataclasses.replace(found, report=None)), "points": points, "report": report})
        return
    show_view(sweep_view(found, page))
    if open_page:
        import webbrowser

        webbrowser.open(opened.sweep_page(found).resolve().as_uri())


def sweep_view(found: Sweep, page: str) -> RenderableType:
    """One line a scale: both metrics, their changes with intervals, and whether the gates allow it."""
    from rich.console import Group
    from rich.text import Text

    from atanor.cli import figures
    from atanor.cli.tables import facts, ruled
    from atanor.project.sweep_page import verdict_of

    first = found.points[0]
    table = ruled()
    for name in ("scale", first.target.label, "change", first.forgetting.label, "change", "allowed"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.points:
        target, guard = one.target, one.forgetting
        table.add_row(
            f"{one.scale:g}" + (" *" if one.scale == found.picked else ""),
            figures.score(target.candidate),
            figures.change(target),
            figures.score(guard.candidate),
            figures.change(guard),
            "yes" if one.allowed else "no",
        )
    lines = [
        ("sweep", f"{found.candidate} · {found.items:,} validation rows, never the test"),
        ("picked", verdict_of(found)),
        ("page", page),
    ]
    return Group(Text(), table, Text(), facts(lines))
