"""`atanor curve`: scores by the number of training rows, and what twice as many would bring."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Annotated

import typer

from atanor.cli.data_app import HERE, JsonOption, ProjectOption

if TYPE_CHECKING:
    from rich.console import RenderableType

    from atanor.project.curve import CurvePlan, LearningCurve


def curve(  # noqa: PLR0917  # the signature is the command line
    role: Annotated[str | None, typer.Argument(help="Which role; it may be left out where there is one.")] = None,
    share: Annotated[
        list[float] | None,
        typer.Option(min=0.001, max=1, help="Share of the training rows; several times. 0.125, 0.25, 0.5, and all."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Train every size so often, each time on other rows.")] = 1,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would take.")] = False,
    project: ProjectOption = HERE,
    open_page: Annotated[bool, typer.Option("--open", help="Open the drawing in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train on shares of the rows and say what twice as many would bring. Interrupted, it goes on."""
    from atanor.cli.screen import quiet_libraries, show_json, show_view
    from atanor.cli.trials import TrialWatcher
    from atanor.project.api import Project

    quiet_libraries()
    opened, watcher = Project.load(project), TrialWatcher(quiet=as_json)
    plan = opened.plan_curve(role, shares=share or (), seeds=seeds, watcher=watcher)
    if not as_json:
        show_view(plan_view(plan))
    elif estimate:
        show_json({**dataclasses.asdict(plan), "seconds": plan.seconds})
    if estimate:
        return
    found = opened.learning_curve(plan, watcher)
    page = opened.curve_page(found)
    if as_json:
        show_json({**dataclasses.asdict(found), "page": str(page)})
    else:
        show_view(curve_view(found, os.path.relpath(page)))
    if open_page:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def plan_view(plan: CurvePlan) -> RenderableType:
    """Every training with its rows, steps and predicted time, and what all take together."""
    from rich.console import Group
    from rich.text import Text

    from atanor.cli import figures
    from atanor.cli.tables import facts, ruled

    table = ruled()
    for name in ("share", "training rows", "steps", "predicted"):
        table.add_column(name, justify="right", no_wrap=True)
    for size in plan.sizes:
        time = "–" if size.prediction is None else figures.duration(size.prediction.estimate.seconds)
        table.add_row(f"{size.share:.3g}", f"{size.rows:,}", f"{size.steps:,}", time)
    times = "" if plan.repetitions == 1 else f" · {plan.repetitions} times"
    lines = [
        ("role", f"{plan.role} · {plan.method}{times}"),
        ("predicted", f"{figures.duration(plan.seconds)} training in all; answering the test items comes on top"),
        ("", "what was trained and judged before is found again"),
    ]
    return Group(Text(), facts(lines), Text(), table)


def curve_view(found: LearningCurve, page: str) -> RenderableType:
    """One line a size with every metric's score, the law's in the last, and what follows."""
    from rich.console import Group
    from rich.text import Text

    from atanor.cli import figures
    from atanor.cli.tables import facts, ruled
    from atanor.project.curve_page import outlook

    table = ruled()
    table.add_column("training rows", justify="right", no_wrap=True)
    for one in found.forecasts:
        table.add_column(one.label, justify="right", no_wrap=True)
    table.add_row("the base", *(figures.score(one.base) for one in found.forecasts))
    for number, size in enumerate(found.sizes):
        table.add_row(f"{size.rows:,}", *(figures.score(one.scores[number]) for one in found.forecasts))
    ahead = found.forecasts[0].rows
    table.add_row(
        f"{ahead:,}, by the law", *(figures.score(one.score) if one.follows else "–" for one in found.forecasts)
    )
    lines = [
        ("role", f"{found.role} · {found.method} · {found.items:,} test items"),
        ("outlook", outlook(found.forecasts[0], found.confidence)),
    ]
    if found.repetitions == 1:
        lines.append(("", "what other rows would do is not in the interval; `--seeds 3` trains three times"))
    return Group(Text(), table, Text(), facts([*lines, ("page", page)]))
