"""What each command does: call one function of a room below and show what it returns."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from atanor.cli import tables
from atanor.cli.data_tables import checked_view
from atanor.cli.live import TerminalProgress
from atanor.cli.screen import quiet_libraries, show_json, show_view
from atanor.errors import ConfigurationError, Problem
from atanor.project.api import Project, ProjectResult
from atanor.project.events import BaseReady, DataReady, Event, RunJudged, RunPlanned
from atanor.tracking import read_history


class TerminalWatcher(TerminalProgress):
    """Shows the stages of a run as they come; progress and notices go to stderr, stages to `out`."""

    def __init__(self, out: Console, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self.out = out

    def show(self, event: Event) -> None:
        match event:
            case DataReady():
                self.out.print(tables.data_view(event))
            case BaseReady():
                self.out.print(tables.base_view(event))
            case RunPlanned():
                self.out.print(tables.plan_view(event))
            case RunJudged():
                self.out.print(tables.report_view(event.report))


def init(directory: Path, template: str, as_json: bool) -> None:
    from atanor.project.scaffold import init_project

    written = init_project(directory, template)
    if as_json:
        show_json({"written": [str(path) for path in written]})
        return
    for path in written:
        show_view(f"wrote {path}")
    show_view(f"\nnext: atanor run {directory}")


def check(path: Path, explain: bool, as_json: bool) -> None:
    from atanor.project.explain import explain as explain_values

    project = Project.load(path)
    project.check()
    read = project.read(watching())
    values = explain_values(project.loaded) if explain else []
    if as_json:
        roles = {
            name: {
                "read": checked.version.read,
                "kept": sum(checked.version.sides.values()),
                "refused": len(checked.refusals),
                "stages": [dataclasses.asdict(stage) for stage in checked.version.stages],
            }
            for name, checked in read.items()
        }
        explained = {"values": [dataclasses.asdict(value) for value in values]} if explain else {}
        show_json({"project": str(project.loaded.path), "roles": roles, **explained})
        return
    for name, checked in read.items():
        show_view(f"[bold]{name}[/bold]")
        show_view(checked_view(checked.version, checked.refusals))
    if values:
        show_view(tables.explain_view(values))
    show_view("everything is in order; next: atanor run")


def schema() -> None:
    from atanor.project.schema import project_schema

    show_json(project_schema())


def run(path: Path, role: str | None, method: str | None, again: bool, as_json: bool) -> None:
    quiet_libraries()
    project = Project.load(path)
    # With --json stdout is one document, so the stages go to stderr.
    out = Console(stderr=as_json, highlight=False)
    result = project.run(role, method=method, again=again, watcher=TerminalWatcher(out, quiet=as_json))
    _show_result(project, result, out, path, as_json)


def continue_run(
    name: str, path: Path, *, epochs: float | None, steps: int | None, peak: float | None, as_json: bool
) -> None:
    quiet_libraries()
    project = Project.load(path)
    out = Console(stderr=as_json, highlight=False)
    watcher = TerminalWatcher(out, quiet=as_json)
    result = project.continue_run(name, epochs=epochs, steps=steps, peak=peak, watcher=watcher)
    _show_result(project, result, out, path, as_json)


def _show_result(project: Project, result: ProjectResult, out: Console, path: Path, as_json: bool) -> None:
    if as_json:
        show_json({"passed": result.passed, "reports": [report.model_dump(mode="json") for report in result.reports]})
        return
    for report in result.reports:
        page = os.path.relpath(project.report_page(report.run))
        out.print()
        out.print(tables.next_view(report.released or report.candidate, page, str(path)))


def estimate(path: Path, role: str | None, method: str | None, price: float | None, as_json: bool) -> None:
    quiet_libraries()
    found = Project.load(path).estimate(role, method=method, price=price, watcher=watching())
    if as_json:
        show_json(
            [
                {**dataclasses.asdict(one), "total": one.estimate.memory.total, "fits": one.fits, "advice": one.advice}
                for one in found
            ]
        )
        return
    show_view(tables.estimates_view(found))


def runs(path: Path, as_json: bool) -> None:
    records = Project.load(path).runs()
    if as_json:
        show_json([dataclasses.asdict(record) for record in records])
        return
    show_view(tables.runs_table(records))


def show(name: str, path: Path, as_json: bool) -> None:
    project = Project.load(path)
    record = project.store.run(name)
    folder = project.store.run_folder(record)
    report = project.report(record.id) if (folder / "report.json").is_file() else None
    history = read_history(folder)
    if as_json:
        told = None if report is None else report.model_dump(mode="json")
        steps = [dataclasses.asdict(point) for point in history]
        show_json({**dataclasses.asdict(record), "report": told, "history": steps})
        return
    show_view(tables.run_view(record, report, os.path.relpath(folder), history))


def report(name: str, path: Path, as_json: bool, open_page: bool) -> None:
    project = Project.load(path)
    if as_json:
        show_json(project.report(name).model_dump(mode="json"))
        return
    page = project.report_page(name)
    show_view(os.path.relpath(page))
    if open_page:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def promote(candidate: str, reason: str | None, path: Path, as_json: bool) -> None:
    release = Project.load(path).promote(candidate, reason)
    if as_json:
        show_json({"name": release.name, **dataclasses.asdict(release)})
        return
    forced = f" although it has not passed: {release.forced}" if release.forced else ""
    show_view(f"{release.name} is {release.candidate}{forced}")


_SHOWN_CLASSES = 5
"""Classes whose probability chat shows; --json has all."""


def chat(candidate: str, message: str | None, path: Path, as_json: bool) -> None:
    quiet_libraries()
    conversation = Project.load(path).chat(candidate, watching())
    if message is not None:
        answer = conversation.ask(message)
        if as_json:
            told = {"probabilities": dict(found)} if (found := _probabilities(conversation)) else {}
            show_json({"candidate": candidate, "message": message, "answer": answer, **told})
        else:
            sys.stdout.write(answer + "\n")
            _show_probabilities(conversation)
        return
    if as_json:
        raise ConfigurationError(
            "--json needs --message",
            [Problem("a conversation is no single document", field="--json", fix="Write `--message TEXT --json`")],
        )
    _converse(conversation)


def _converse(conversation: Any) -> None:
    from rich.prompt import Prompt

    sys.stderr.write("an empty line ends the conversation\n")
    while True:
        try:
            text = Prompt.ask("you") if sys.stdin.isatty() else sys.stdin.readline().strip()
        except EOFError:
            return
        if not text.strip():
            return
        conversation.ask(text, on_text=_write)
        sys.stdout.write("\n")
        _show_probabilities(conversation)


def _probabilities(conversation: Any) -> tuple[tuple[str, float], ...]:
    """Of classes or of the only answers allowed, the likeliest first; a candidate that writes freely has none."""
    found: tuple[tuple[str, float], ...] = conversation.probabilities
    return found


def _show_probabilities(conversation: Any) -> None:
    for name, probability in _probabilities(conversation)[:_SHOWN_CLASSES]:
        sys.stdout.write(f"  {probability:7.2%}  {name}\n")


def watching() -> TerminalWatcher:
    """For commands whose only stage is their result."""
    return TerminalWatcher(Console(stderr=True, highlight=False))


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
