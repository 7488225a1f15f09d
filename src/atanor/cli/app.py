"""The commands: parse, call one function of a room below, render. Heavy rooms are imported inside commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atanor.cli.ablate_command import ablate
from atanor.cli.contest_command import compare
from atanor.cli.curve_command import curve
from atanor.cli.data_app import data_app
from atanor.cli.eval_command import evaluate
from atanor.cli.gate_command import gate
from atanor.cli.harness_command import harness
from atanor.cli.outliers_command import outliers
from atanor.cli.prune_command import prune
from atanor.cli.sweep_command import sweep
from atanor.cli.tune_command import tune

app = typer.Typer(
    name="atanor",
    help="Turn a general language model into a specialist, and prove that it is one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app.command("ablate")(ablate)
data_app.command("outliers")(outliers)
app.command("compare")(compare)
app.command("eval")(evaluate)
app.command()(gate)
app.command()(prune)
app.add_typer(data_app, name="data")

ProjectArgument = Annotated[Path, typer.Argument(help="Project file, or the folder it is in.", show_default=True)]
ProjectOption = Annotated[Path, typer.Option("--project", "-p", help="Project file, or the folder it is in.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document for a program to read.")]
HERE = Path()


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Folder to make; it may exist.")],
    template: Annotated[str, typer.Option("--template", "-t", help="answer, label, text, chat or json.")] = "answer",
    as_json: JsonOption = False,
) -> None:
    """Write a commented project with a little data to start from."""
    from atanor.cli import commands

    commands.init(directory, template, as_json)


@app.command()
def check(
    project: ProjectArgument = HERE,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every value in force and where it is from.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check project file and data without loading a model. Everything wrong is said at once."""
    from atanor.cli import commands

    commands.check(project, explain, as_json)


@app.command()
def schema() -> None:
    """Print the JSON schema of the project file, for editors."""
    from atanor.cli import commands

    commands.schema()


@app.command()
def run(
    project: ProjectArgument = HERE,
    role: Annotated[str | None, typer.Option(help="Only this role.")] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Make new runs even where finished ones exist.")] = False,
    as_json: JsonOption = False,
) -> None:
    """From data to verdict: check, split, train, compare with the base, report. Interrupted, it goes on."""
    from atanor.cli import commands

    commands.run(project, role, method, again, as_json)


@app.command("continue")
def continue_run(
    run: Annotated[str, typer.Argument(help="Finished run, by id or the start of it.")],
    *,
    epochs: Annotated[float | None, typer.Option(min=0, help="Epochs to add.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Optimizer steps to add, in place of epochs.")] = None,
    peak: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the first peak the learning rate rises to; 0.5.")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Train a finished run for longer, from its last checkpoint, as a new run with its own verdict."""
    from atanor.cli import commands

    commands.continue_run(run, project, epochs=epochs, steps=steps, peak=peak, as_json=as_json)


@app.command()
def estimate(
    project: ProjectArgument = HERE,
    role: Annotated[str | None, typer.Option(help="Only this role.")] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    price: Annotated[float | None, typer.Option(min=0, help="Of an hour of this machine, to print the cost.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Predict peak memory, time and cost of training on this machine before any weight is loaded."""
    from atanor.cli import commands

    commands.estimate(project, role, method, price, as_json)


@app.command()
def runs(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the runs of a project, newest first."""
    from atanor.cli import commands

    commands.runs(project, as_json)


@app.command()
def show(
    run: Annotated[str, typer.Argument(help="Run, by id or the start of it.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show one run: its state, data, training, comparisons and gates."""
    from atanor.cli import commands

    commands.show(run, project, as_json)


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="Run, by id or the start of it.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Say where a run's HTML report lies, or open it; with --json print the whole report."""
    from atanor.cli import commands

    commands.report(run, project, as_json, open_page)


@app.command()
def promote(
    candidate: Annotated[str, typer.Argument(help="Run, candidate, or an earlier release to go back to.")],
    force: Annotated[
        str | None, typer.Option(help="Release it although it has not passed; the reason is kept.", metavar="REASON")
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Point a role's alias at a candidate. One that has not passed is refused, unless you say why."""
    from atanor.cli import commands

    commands.promote(candidate, force, project, as_json)


@app.command()
def chat(
    candidate: Annotated[str, typer.Argument(help="Release (director@1), role, run or candidate.")],
    message: Annotated[str | None, typer.Option("--message", "-m", help="Ask one thing and leave.")] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Talk with a candidate as it was judged: same base, adapter, framing and decoding."""
    from atanor.cli import commands

    commands.chat(candidate, message, project, as_json)


app.command()(curve)
app.command()(harness)
app.command()(sweep)
app.command()(tune)


@app.command()
def version() -> None:
    """Print the version."""
    from atanor import __version__

    typer.echo(__version__)
