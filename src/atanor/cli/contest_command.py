"""`atanor compare`: candidates beside each other on the same test items."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from atanor.project.contest import Beside, Contest

HERE = Path()


def compare(
    candidates: Annotated[list[str], typer.Argument(help="Runs, candidates or releases; the first is the reference.")],
    project: Annotated[Path, typer.Option("--project", "-p", help="Project file, or the folder it is in.")] = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document for a program to read.")] = False,
) -> None:
    """Compare candidates of a role with the first named, on the same test items. Nothing is asked again."""
    from atanor.cli.screen import quiet_libraries, show_json, show_view
    from atanor.cli.trials import TrialWatcher
    from atanor.project.api import Project

    quiet_libraries()
    found = Project.load(project).compare(candidates, TrialWatcher(quiet=as_json))
    if as_json:
        show_json({**_record(found), "candidates": [_record(one) for one in found.candidates]})
    else:
        show_view(_view(found))


def _record(found: Contest | Beside) -> dict[str, Any]:
    """The fields; of a report what names it."""
    fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    report = fields.pop("report", None)
    if report is not None:
        fields |= {"run": report.run, "candidate": report.candidate, "verdict": report.verdict}
        fields["comparisons"] = [dataclasses.asdict(one) for one in found.comparisons]  # type: ignore[union-attr]
    return fields


def _view(found: Contest) -> RenderableType:
    """One table a metric: every candidate's score, its change from the first, and what that comes to."""
    from rich.console import Group
    from rich.text import Text

    from atanor.cli import figures
    from atanor.cli.tables import facts, ruled
    from atanor.page.figures import p_value

    first = found.first
    others = found.candidates[1:]
    head = [
        ("role", f"{found.role} · {found.items:,} test items"),
        ("first", f"{first.name} · {_made(first)}"),
        ("change", "from the first; `better` only where it stands Holm's adjustment for looking often"),
    ]
    parts: list[RenderableType] = [Text(), facts(head)]
    for place, metric in enumerate(others[0].comparisons):
        table = ruled()
        table.add_column(metric.label, no_wrap=True)
        for name in ("score", f"change [{100 * found.confidence:g} %]", "p"):
            table.add_column(name, justify="right", no_wrap=True)
        for name in ("", "against the base"):
            table.add_column(name, no_wrap=True)
        table.add_row(first.name, figures.score(metric.baseline), "", "", "", str(first.report.verdict))
        for one in others:
            change = one.comparisons[place]
            word = "better" if change.label in one.better else "worse" if change.label in one.worse else _open(change)
            table.add_row(
                one.name,
                figures.score(change.candidate),
                figures.change(change),
                p_value(one.p_values[place]),
                word,
                str(one.report.verdict),
            )
        parts += [Text(), table]
    return Group(*parts)


def _open(change: Any) -> str:
    return "no difference" if change.verdict == "no difference" else "cannot tell"


def _made(one: Beside) -> str:
    training = one.report.training
    return "nothing was trained" if training is None else f"{training.method}, {training.steps} steps"
