"""`atanor gate`: whether candidates pass, as an exit code and as a file for a CI server."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from atanor.cli.data_app import HERE, JsonOption, ProjectOption

FAILED, UNDECIDED = 3, 4
"""Exit codes."""


def gate(
    candidates: Annotated[list[str], typer.Argument(help="Releases (director@1), roles, runs or candidates.")],
    junit_file: Annotated[
        Path | None, typer.Option("--junit", help="Write the gates as JUnit XML into this file.", metavar="FILE")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say whether candidates pass their gates. Exit code 0: all do; 3: one fails; 4: one cannot be told."""
    from atanor.cli.screen import show_json, show_view
    from atanor.evaluate.decision import Decision, checks_of, decision_of
    from atanor.evaluate.junit import junit
    from atanor.project.api import Project
    from atanor.store.files import write_text

    opened = Project.load(project)
    reports = [opened.report(opened.store.candidate(name).run) for name in candidates]
    decisions = [decision_of(report) for report in reports]
    if junit_file is not None:
        write_text(junit_file, junit(reports))
    if as_json:
        told: list[dict[str, Any]] = [
            {
                "candidate": report.candidate,
                "decision": decision,
                "verdict": report.verdict,
                "checks": [dataclasses.asdict(check) for check in checks_of(report)],
            }
            for report, decision in zip(reports, decisions, strict=True)
        ]
        show_json({"passed": all(one is Decision.PASS for one in decisions), "candidates": told})
    else:
        from rich.text import Text

        from atanor.cli.tables import gates_view

        for name, report, decision in zip(candidates, reports, decisions, strict=True):
            show_view(Text.assemble((name, "bold"), f"  {decision}"))
            show_view(gates_view(checks_of(report)))
    if Decision.FAIL in decisions:
        raise typer.Exit(FAILED)
    if Decision.CANNOT_TELL in decisions:
        raise typer.Exit(UNDECIDED)
