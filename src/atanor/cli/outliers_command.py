"""`atanor data outliers`: the training rows that the base finds strangest and most obvious."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from atanor.cli.data_app import HERE, JsonOption, ProjectArgument, RoleOption


def outliers(
    project: ProjectArgument = HERE,
    role: RoleOption = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Rows shown of each end.")] = 8,
    as_json: JsonOption = False,
) -> None:
    """Score every training row with the untouched base: the most surprising rows, and the least surprising ones."""
    from atanor.cli import outliers_table
    from atanor.cli.screen import quiet_libraries, show_json, show_view
    from atanor.cli.trials import TrialWatcher
    from atanor.project.api import Project

    quiet_libraries()
    found = Project.load(project).outliers(role, watcher=TrialWatcher(quiet=as_json))
    if as_json:
        rows = [{**dataclasses.asdict(row), "outlier": row.is_outlier} for row in found.rows]
        show_json({**dataclasses.asdict(found), "rows": rows})
        return
    show_view(outliers_table.outliers_view(found, count))
