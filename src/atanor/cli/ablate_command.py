"""`atanor data ablate`: whether augmentation helps a role, technique by technique."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from atanor.cli.data_app import HERE, JsonOption, ProjectArgument, RoleOption

if TYPE_CHECKING:
    from atanor.project.ablation import Ablation, AblationPlan


def ablate(  # noqa: PLR0917  # the signature is the command line
    project: ProjectArgument = HERE,
    role: RoleOption = None,
    technique: Annotated[
        list[str] | None, typer.Option(help="Only this technique, as `eda`, or `all` together; several times.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Train everything so often, each time with other draws.")] = 1,
    budget: Annotated[str, typer.Option(help="What is equal of all trainings: `steps` or `epochs`.")] = "steps",
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would take.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a role with and without each technique of augmentation and say which help. Interrupted, it goes on."""
    from atanor.cli.commands import quiet_libraries, show_json, show_on_screen
    from atanor.cli.live import TerminalProgress
    from atanor.project.ablation import Budget
    from atanor.project.api import Project
    from atanor.project.choices import choice_of

    quiet_libraries()
    opened = Project.load(project)
    watcher = _watching(TerminalProgress(quiet=as_json))
    common = choice_of(Budget, budget, "--budget")
    plan = opened.plan_ablation(role, techniques=technique or (), seeds=seeds, budget=common, watcher=watcher)
    if estimate and as_json:
        show_json({**dataclasses.asdict(plan), "seconds": plan.seconds})
        return
    if not as_json:
        show_on_screen(plan_view(plan))
    if estimate:
        return
    found = opened.ablate(plan, watcher)
    if as_json:
        show_json(dataclasses.asdict(found))
        return
    show_on_screen(ablation_view(found))
