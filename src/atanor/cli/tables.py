"""What the terminal shows: the stages of a run, the comparison, lists, errors. It reads well without colour too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from atanor.cli import figures
from atanor.errors import AtanorError, Problem
from atanor.evaluate.items import Comparison, GateResult, Verdict
from atanor.evaluate.report import DataSection, Report, TrainingSection
from atanor.project.events import BaseReady, DataReady, RunPlanned
from atanor.project.explain import ExplainedValue
from atanor.store.records import RunRecord
from atanor.tracking import Point

if TYPE_CHECKING:
    from atanor.project.estimating import Prediction

VERDICT_STYLE = {
    Verdict.BETTER: "bold green",
    Verdict.WORSE: "bold red",
    Verdict.NO_DIFFERENCE: "bold",
    Verdict.CANNOT_TELL: "bold yellow",
}


def data_view(event: DataReady) -> RenderableType:
    """The data in counts that add up, and one example marked by loss weight."""
    return Group(
        Text(f"\n{event.role}", style="bold"),
        facts(_data_rows(event.data)),
        Text("          one example; only what is marked ⟦so⟧ carries loss:"),
        weights_view(event.pieces),
    )


def base_view(event: BaseReady) -> RenderableType:
    """Which base, from where, under which licence, how large, in which precision."""
    licence = event.licence or "licence not stated"
    return facts(
        [
            (
                "base",
                f"{event.title} ({event.reference}, {licence}) · {figures.count(event.parameters)} parameters · "
                f"{event.precision}",
            )
        ]
    )


def plan_view(event: RunPlanned) -> RenderableType:
    """What a run is about to do."""
    lines = [("run", f"{event.run} · {event.method}"), ("plan", event.plan)]
    if event.prediction is not None:
        estimate = event.prediction.estimate
        lines.append(
            (
                "predicted",
                f"{figures.duration(estimate.seconds)} training · {figures.gigabytes(estimate.memory.total)} peak of "
                f"{figures.gigabytes(event.prediction.available)} · {_shared(estimate.logical, estimate.executed)}",
            )
        )
        lines += [("", note) for note in (event.prediction.advice, _doubt(event.prediction)) if note]
    return facts(lines)


def estimates_view(predictions: Sequence[Prediction]) -> RenderableType:
    """For each method memory by its parts, time and cost."""
    if not predictions:
        return Text("there is no method here whose training can be predicted")
    parts: list[RenderableType] = []
    for found in predictions:
        estimate, memory = found.estimate, found.estimate.memory
        of_memory = [
            ("weights", memory.weights),
            ("adapter, gradients, optimizer", memory.trained),
            ("activations", memory.activations),
            ("working memory", memory.transient),
            ("gaps in the heap", memory.lost),
            ("libraries", memory.process),
        ]
        lines = [
            ("memory", f"{figures.gigabytes(memory.total)} peak of {figures.gigabytes(found.available)} there is"),
            ("", " · ".join(f"{name} {figures.gigabytes(size)}" for name, size in of_memory if size)),
            ("time", f"{figures.duration(estimate.seconds)} training · {estimate.steps:,} steps"),
            ("", _shared(estimate.logical, estimate.executed)),
        ]
        if found.cost is not None:
            lines.append(("cost", f"{found.cost:,.2f}" if found.cost >= 1 else f"{found.cost:.2g}"))
        lines += [("", note) for note in (found.advice, _doubt(found)) if note]
        parts += [Text(f"\n{found.role} · {found.method}", style="bold"), facts(lines)]
    return Group(*parts)


def report_view(report: Report) -> RenderableType:
    """The comparison, the gates and the verdict."""
    parts: list[RenderableType] = []
    if report.training is not None:
        parts.append(facts([("measured", _training(report.training))]))
    parts += [Text(), _compared(report, report.comparisons)]
    for section in report.sections:
        parts += [Text(f"\n{section.title}", style="bold"), _compared(report, section.comparisons)]
    if report.gates:
        parts.append(gates_view(report.gates))
    released = f" Released as {report.released}." if report.released else " Not released."
    parts += [
        Text(),
        Text.assemble("Verdict: ", (str(report.verdict), VERDICT_STYLE[report.verdict]), f". {report.headline}"),
        Text(released.strip()),
    ]
    return Group(*parts)


def _compared(report: Report, comparisons: Sequence[Comparison]) -> Table:
    return comparison_table(comparisons, _name(report), report.confidence)


def comparison_table(comparisons: Sequence[Comparison], candidate: str, confidence: float) -> Table:
    """One line a metric: base, candidate, change with its interval, verdict."""
    table = ruled()
    table.add_column("")
    table.add_column("base", justify="right")
    table.add_column(candidate, justify="right")
    table.add_column(f"change [{100 * confidence:g} %]", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for found in comparisons:
        # On a line of its own, so that the names of metrics keep theirs at 80 columns.
        margin = f"\nmargin {figures.score(found.margin)}" if found.verdict is Verdict.NO_DIFFERENCE else ""
        table.add_row(
            found.label,
            figures.score(found.baseline),
            figures.score(found.candidate),
            figures.change(found),
            Text.assemble((str(found.verdict), VERDICT_STYLE[found.verdict]), (margin, "dim")),
        )
    return table


def gates_view(gates: Sequence[GateResult]) -> RenderableType:
    """One line a gate, and why it passes or not."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for gate in gates:
        table.add_row(_gate_mark(gate), Text.assemble(gate.gate, (f"  {gate.reason}", "dim")))
    return Group(Text(), table)


def _gate_mark(gate: GateResult) -> Text:
    if gate.passed:
        return Text("pass", style="green")
    return Text("cannot tell", style="bold yellow") if gate.undecided else Text("FAIL", style="bold red")


def next_view(role: str, page: str, project: str) -> RenderableType:
    """The commands that make sense now."""
    where = f" -p {project}" if project not in ("", ".") else ""
    return facts([("look", page), ("talk", f"atanor chat {role}{where}"), ("your own", "atanor init my-project")])


def runs_table(runs: Sequence[RunRecord]) -> RenderableType:
    """One line a run, newest first."""
    if not runs:
        return Text("no runs yet; `atanor run` makes one")
    table = ruled()
    table.add_column("run", no_wrap=True)
    table.add_column("role", overflow="fold", max_width=17)
    table.add_column("method", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    table.add_column("begun", no_wrap=True)
    table.add_column("took", no_wrap=True, justify="right")
    for run in runs:
        table.add_row(
            run.id,
            run.role,
            run.method,
            str(run.state),
            _verdict(run),
            run.created.replace("T", " ")[5:16],  # without the year, so that 80 columns hold all
            "–" if run.seconds is None else figures.duration(run.seconds),
        )
    return table


def _verdict(run: RunRecord) -> Text:
    if run.verdict:
        return Text(
            run.verdict, style={str(known): style for known, style in VERDICT_STYLE.items()}.get(run.verdict, "")
        )
    return Text(visible(run.error or "–"))


def ruled() -> Table:
    """A table with one line under its head and as little air as can be read."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))


def run_view(run: RunRecord, report: Report | None, folder: str, history: Sequence[Point] = ()) -> RenderableType:
    """One run with everything known of it; while it trains, the newest figures of its history."""
    head = [("run", f"{run.id} · {run.role} · {run.method} · {run.state}"), ("folder", folder)]
    if run.error:
        head.append(("error", run.error))
    if report is None:
        newest = {name: (point.step, value) for point in history for name, value in point.values.items()}
        told = [f"{name} {value:.4g} at step {step:,}" for name, (step, value) in sorted(newest.items())]
        head += [("training", line) for line in told]
        return facts(head)
    head += [
        ("goal", report.goal),
        ("base", f"{report.base} ({report.base_licence or 'licence not stated'}) · {report.base_sha[:12]}"),
        *_data_rows(report.data),
    ]
    return Group(facts(head), report_view(report))


def explain_view(values: Sequence[ExplainedValue]) -> RenderableType:
    """Every option in force and where it came from."""
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    for value in values:
        table.add_row(value.path, value.value, Text(value.source, style="dim"))
    return table


def problems_view(error: AtanorError) -> RenderableType:
    """An error with its problems in aligned columns, and what to do about each."""
    if not error.problems:
        return Text(error.summary, style="bold")
    files = {problem.file for problem in error.problems}
    # A file the summary has already named need not be repeated on every line.
    named = next(iter(files)) if len(files) == 1 else None
    short = named is not None and named in error.summary
    return Group(Text(error.summary, style="bold"), Text(), problems_table(error.problems, short=short))


def problems_table(problems: Sequence[Problem], *, short: bool = False) -> RenderableType:
    """Place, field, reason with value, fix. A column that would be empty is left out; `short` leaves the file out.

    Long places and fields would squeeze the reasons out of a narrow screen, which then stand under them.
    """
    rows = [_problem_row(problem, short) for problem in problems]
    heads = [tuple(part for part in (place, field) if part) for place, field, _ in rows]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    table = Table.grid(padding=(0, 2))
    if sum(widths) > BESIDE:
        for head, (_, _, text) in zip(heads, rows, strict=True):
            table.add_row(Text("  ".join(head), style="cyan"))
            table.add_row(Padding(text, (0, 0, 0, 4)))
        return Padding(table, (0, 0, 0, 2))
    kept = [number for number in (0, 1) if widths[number]]
    for number in kept:
        table.add_column(overflow="fold", no_wrap=number == 0, style="cyan" if number == 0 else None)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(row[number])) for number in kept), row[2])
    return Padding(table, (0, 0, 0, 2))


BESIDE = 42
"""Widest place and field that still leave room for a reason beside them at 80 columns."""


def _problem_row(problem: Problem, short: bool) -> tuple[str, str, Text]:
    line = f"line {problem.line}" if problem.line is not None else ""
    shown = f" (got {problem.value})" if problem.value is not None else ""
    text = Text(visible(_sentence(problem.reason + shown)))
    if problem.fix:
        text.append(f" {visible(_sentence(problem.fix))}", style="bold")
    return visible(line if short else problem.place), visible(problem.field or ""), text


def _sentence(text: str) -> str:
    """With a full stop, unless it ends like a sentence already."""
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def weights_view(pieces: Sequence[tuple[str, float]]) -> RenderableType:
    """One example: what carries loss is bold, green and in ⟦ ⟧, so that it shows without colour too."""
    return Padding(_Weighed(tuple(pieces)), (0, 0, 0, 10))


@dataclass(frozen=True)
class _Weighed:
    """Pieces of one example with their weights; the marks are [[ ]] where the screen has no others."""

    pieces: tuple[tuple[str, float], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        opening, closing = ("[[", "]]") if options.ascii_only else ("⟦", "⟧")
        text = Text()
        # Neighbours alike, as an answer and its end token, are one piece to the reader.
        for carries_loss, group in groupby(self.pieces, key=lambda piece: piece[1] > 0):
            piece = visible("".join(part for part, _ in group))
            if carries_loss:
                text.append(f"{opening}{piece}{closing}", style="bold green")
            else:
                text.append(piece)
        text.highlight_regex(SPECIAL, "dim")
        yield text


SPECIAL = r"<\|[^<>|]+\|>|</?s>|<(?:bos|eos|pad|start_of_turn|end_of_turn)>"
"""Tokens of chat templates, which a reader looks past."""


def visible(text: str) -> str:
    """Data and answers may hold control characters; they are shown and never sent to the terminal."""
    return _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] < " " else "\ufffd", text)


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _name(report: Report) -> str:
    return "tuned" if report.training is not None else report.candidate


def _data_rows(data: DataSection) -> list[tuple[str, str]]:
    other = "".join(
        f" · {number} {what}"
        for number, what in (
            (data.added - data.augmented, "added"),
            (data.augmented, "made by augmentation"),
            (data.joined, "joined to others"),
            (data.left_out, "left out"),
            (data.duplicates, "duplicates"),
            (data.truncated, "cut"),
            (data.split, "split"),
        )
        if number
    )
    refused = f" · {data.refused} refused ({data.quarantine})" if data.refused else " · none refused"
    mended = f" · {data.changed} mended" if data.changed else ""
    near = f" · {data.near_duplicates} near-duplicates kept together" if data.near_duplicates else ""
    share = data.supervised_tokens / data.tokens if data.tokens else 0
    cut = "" if data.truncated else " · nothing cut"
    return [
        ("data", f"{', '.join(data.sources)} · {data.read} rows read{mended}{refused}{other}"),
        (
            "",
            f"{data.train} train · {data.validation} validation · {data.test} test{near} · dataset {data.dataset}",
        ),
        (
            "",
            f"{data.tokens:,} tokens · {share:.0%} supervised · longest {data.longest} of {data.context:,}{cut}",
        ),
    ]


def _shared(logical: int, executed: int) -> str:
    shared = 1 - executed / logical if logical else 0
    once = f", {shared:.0%} of them shared and computed once" if shared > 0.01 else ""
    return f"{logical:,} tokens{once}"


def _doubt(prediction: Prediction) -> str | None:
    doubt = prediction.estimate.doubt
    return None if doubt is None else f"only roughly: {doubt}"


def _against(measured: float, predicted: float | None) -> str:
    """How far the measured value lies from the predicted one."""
    return "" if not predicted else f" ({measured / predicted - 1:+.0%} of predicted)".replace("-", "−")


def _training(training: TrainingSection) -> str:
    rate = training.logical_tokens / training.seconds if training.seconds else 0
    share = f"{figures.count(training.trainable_parameters)} of {figures.count(training.total_parameters)} parameters"
    shared = 1 - training.executed_tokens / training.logical_tokens if training.logical_tokens else 0
    once = f" · {shared:.0%} shared" if shared > 0.01 else ""
    return (
        f"{figures.duration(training.seconds)} training{_against(training.seconds, training.predicted_seconds)} · "
        f"{rate:,.0f} tokens/s{once} · {figures.gigabytes(training.peak_memory_bytes)} peak"
        f"{_against(training.peak_memory_bytes, training.predicted_memory_bytes)} · {share} trained · "
        f"best step {training.best_step} of {training.steps}"
    )


def facts(rows: Sequence[tuple[str, str]]) -> Table:
    """Names and what they are, under each other."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=9, no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(Text(name, style="bold"), Text(text))
    return table
