"""`atanor data ablate`: whether augmentation helps a role, technique by technique."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from atanor.cli.data_app import HERE, JsonOption, ProjectArgument, RoleOption


def ablate(  # noqa: PLR0917  # the signature is the command line
    project: ProjectArgument = HERE,
    role: RoleOption = None,
    technique: Annotated[
        list[str] | None, typer.Option(help="Only this technique, as `eda`, or `all` together; several times.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Train everything so often, each time with other draws.")] = 1,
    budget: Annotated[str, typer.Option(help="What all trainings have in common: steps or epochs.")] = "steps",
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would take.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a role with and without each technique of augmentation and say which help. Interrupted, it goes on."""
    from atanor.cli import ablation_tables
    from atanor.cli.screen import quiet_libraries, show_json, show_view
    from atanor.cli.trials import TrialWatcher
    from atanor.project.api import Project
    from atanor.project.choices import choice_of
    from atanor.project.trials import Budget

    quiet_libraries()
    common = choice_of(Budget, budget, "--budget")
    opened, watcher = Project.load(project), TrialWatcher(quiet=as_json)
    plan = opened.plan_ablation(role, techniques=technique or (), seeds=seeds, budget=common, watcher=watcher)
    if not as_json:
        show_view(ablation_tables.plan_view(plan))
    elif estimate:
        show_json({**dataclasses.asdict(plan), "seconds": plan.seconds})
    if estimate:
        return
    found = opened.ablate(plan, watcher)
    if as_json:
        show_json(dataclasses.asdict(found))
    else:
        show_view(ablation_tables.ablation_view(found))
