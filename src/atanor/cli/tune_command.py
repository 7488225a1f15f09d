"""`atanor tune`: a search of a method's options, its trials in a table, and the winner written into the project."""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atanor.cli.data_app import HERE, JsonOption, ProjectOption

if TYPE_CHECKING:
    from rich.console import RenderableType

    from atanor.project.write_back import Written
    from atanor.train.search.outcome import Search


def tune(  # noqa: PLR0917  # the signature is the command line
    role: Annotated[str | None, typer.Argument(help="Which role; it may be left out where there is one.")] = None,
    method: Annotated[str | None, typer.Option(help="Which of its methods; the first that trains.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trainings in all, those of before included; 20.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="After so many no trial begins.")] = None,
    storage: Annotated[
        str | None, typer.Option(help="Database of the trials, as postgresql://…; a file of the project.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that train at a time.")] = 1,
    write: Annotated[bool, typer.Option("--write", help="Write the winner into the project file, unasked.")] = False,
    project: ProjectOption = HERE,
    open_page: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Search learning rate, rank, epochs and batch by trials on validation rows. Interrupted, it goes on."""
    from rich.console import Console

    from atanor.cli.commands import TerminalWatcher
    from atanor.cli.screen import quiet_libraries, show_json, show_view
    from atanor.project.api import Project

    quiet_libraries()
    opened = Project.load(project)
    watcher = TerminalWatcher(Console(stderr=True, highlight=False), quiet=as_json)
    found = opened.tune(
        role,
        method=method,
        trials=trials,
        minutes=minutes,
        storage=storage,
        workers=workers,
        watcher=watcher,
    )
    page = opened.tune_page(found)
    if not as_json:
        show_view(search_view(found, os.path.relpath(page)))
    written = opened.write_winner(found) if write or (not as_json and _agreed(found)) else None
    if as_json:
        show_json(search_json(found, written))
        return
    show_view(next_view(found, written))
    if open_page:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def search_json(found: Search, written: Written | None) -> dict[str, Any]:
    """Everything that was found, for a program."""
    best = found.best
    return {
        **dataclasses.asdict(found),
        "best": None if best is None else dataclasses.asdict(best),
        "place_of_default": found.place_of_default,
        "warnings": found.warnings,
        "written": None if written is None else {**dataclasses.asdict(written), "values": dict(written.values)},
    }


def search_view(found: Search, page: str) -> RenderableType:
    """One line a trial, the best first, those that did not finish behind; then what to know of the winner."""
    from rich.console import Group
    from rich.text import Text

    from atanor.cli.tables import facts, ruled
    from atanor.page import figures
    from atanor.train.search.outcome import TrialState
    from atanor.train.search.space import plain

    names = [parameter.name for parameter in found.space]
    table = ruled()
    for name in ("trial", *(name.replace("_", " ") for name in names), "validation loss", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    ranking = found.ranking
    for one in (*ranking, *(other for other in found.trials if other.state is not TrialState.FINISHED)):
        mark = " *" if one == found.best else ""
        words = [
            *(["default"] if one.default else []),
            *([one.state.value] if one.state is not TrialState.FINISHED else []),
            *([one.note] if one.note else []),
        ]
        table.add_row(
            f"{one.number + 1}{mark}",
            *(plain(one.values[name]) for name in names),
            "–" if one.loss is None else f"{one.loss:.4f}",
            figures.duration(one.seconds) if one.seconds else "–",
            ", ".join(words),
        )
    lines = [("search", counts_in_words(found)), *(("note", warning) for warning in found.warnings)]
    if found.importance:
        told = ", ".join(
            f"{name.replace('_', ' ')} {figures.percent(share)}" for name, share in found.importance.items()
        )
        lines.append(("matters", f"{told} (PED-ANOVA)"))
    trainings, size = found.removed
    if trainings:
        lines.append(("removed", f"{figures.things(trainings, 'training')} that lost, {size / 1e6:.1f} MB"))
    return Group(Text(), table, Text(), facts([*lines, ("page", page)]))


def counts_in_words(found: Search) -> str:
    """How many trials ended how, and the place of the default."""
    from atanor.train.search.outcome import TrialState

    counts = [f"{found.count(state)} {state}" for state in TrialState if found.count(state)]
    place = found.place_of_default
    default = "" if place is None else f" · the default is number {place} of {len(found.ranking)}"
    return f"{found.method} of {found.role} · {', '.join(counts)} of {found.wanted} trials{default}"


def next_view(found: Search, written: Written | None) -> RenderableType:
    """What was written, or how to."""
    from atanor.cli.tables import facts
    from atanor.train.search.space import plain

    if written is not None:
        told = ", ".join(f"{name} {plain(value)}" for name, value in written.values.items())
        file, backup = os.path.relpath(written.file), os.path.relpath(written.backup)
        return facts([("written", f"{told} into {file}; before: {backup}"), ("next", "atanor run")])
    if found.best is None or found.best.default:
        return facts([("next", "the values of the project are the best found; nothing is to be written")])
    return facts([("next", "atanor tune --write writes the winner into the project file; then atanor run")])


def _agreed(found: Search) -> bool:
    """The person at the terminal wants the winner in the project file."""
    if found.best is None or found.best.default or not sys.stdin.isatty() or not sys.stdout.isatty():
        return False
    return typer.confirm("write the winner into the project file?", default=False)
