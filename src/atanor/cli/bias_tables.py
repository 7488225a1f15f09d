"""What the terminal shows of groups of people in the data: how often, beside which words, with what sentiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from atanor.cli.data_tables import in_a_line
from atanor.cli.tables import facts, ruled, visible
from atanor.data.rows import Example

if TYPE_CHECKING:
    from atanor.data.bias import BiasReport, Difference, DimensionReport
    from atanor.data.workshop.groups import SwappedRows

_WORDS = 6
_OCCUPATIONS = 10
_REASONS = 6


def bias_view(report: BiasReport) -> RenderableType:
    """For each dimension its groups, then occupations by gender, then what a person should look at."""
    parts: list[RenderableType] = [facts([("looked at", f"{report.rows:,} rows · {report.texts:,} texts")])]
    for dimension in report.dimensions:
        parts += [Text(), _dimension(dimension)]
    if report.occupations:
        table = ruled()
        for name in ("occupation", "female", "male"):
            table.add_column(name, justify="left" if name == "occupation" else "right")
        for one in report.occupations[:_OCCUPATIONS]:
            table.add_row(visible(one.occupation), f"{one.female:,}", f"{one.male:,}")
        parts += [Text(), table]
    parts += [Text(), *(Text(f"! {warning}", style="yellow") for warning in report.warnings)]
    if not report.warnings:
        parts.append(Text("nothing stands out: no group's sentiment differs for sure from the others'"))
    parts.append(Text("Counts are a lower bound: only words of the lexicons are found.", style="dim"))
    return Group(*parts)


def _dimension(report: DimensionReport) -> RenderableType:
    if not report.groups:
        return Text.assemble((str(report.dimension), "bold"), "  nobody is named by it")
    even = "" if report.evenness is None else f" · evenness {report.evenness:.2f} of 1"
    head = Text.assemble(
        (str(report.dimension), "bold"), f"  {report.mentions:,} mentions in {report.rows:,} rows{even}"
    )
    table = ruled()
    table.add_column("group")
    table.add_column("mentions", justify="right")
    table.add_column("share", justify="right")
    table.add_column("sentiment [95 %]", justify="right", no_wrap=True)
    table.add_column("words near it", overflow="fold")
    for group in report.groups[:10]:
        mood = group.sentiment
        shown = "–" if mood is None else f"{mood.mean:+.2f} [{mood.low:+.2f}, {mood.high:+.2f}]".replace("-", "−")
        words = ", ".join(visible(one.word) for one in group.words[:_WORDS]) or "–"
        table.add_row(group.group, f"{group.mentions:,}", f"{group.share:.0%}", shown, words)
    more = len(report.groups) - 10
    return Group(head, table, *([Text(f"… and {more} more; --json has all")] if more > 0 else []))


def groups_table(groups: Sequence[Difference]) -> RenderableType:
    """How often each group is named before and after."""
    table = ruled()
    for name in ("dimension", "group", "before", "after", "share before", "share after"):
        table.add_column(name, justify="left" if name in ("dimension", "group") else "right")
    for one in groups:
        table.add_row(
            str(one.dimension),
            one.group,
            f"{one.mentions_before:,}",
            f"{one.mentions_after:,}",
            f"{one.share_before:.0%}",
            f"{one.share_after:.0%}",
        )
    return table


def swapped_view(swapped: SwappedRows, out: Path) -> RenderableType:
    """The groups before and after, some new rows, and why others were not swapped."""
    made = swapped.made
    parts: list[RenderableType] = [groups_table(made.table), Text()]
    parts += [
        Text.assemble((f"{example.technique}  ", "dim"), in_a_line(visible(_said(example)), 160))
        for example in made.examples[:3]
    ]
    lines = [(str(dimension), _reasons(reasons)) for dimension, reasons in made.reasons.items() if reasons]
    lines.append(("wrote", f"{out} · {swapped.written:,} rows, {len(made.examples):,} of them new"))
    if swapped.unswapped is not None:
        lines.append(("", f"rows that were not swapped, and why: {swapped.unswapped}"))
    return Group(*parts, Text(), facts(lines))


def _reasons(reasons: Mapping[str, int]) -> str:
    told = list(reasons.items())[:_REASONS]
    return "not swapped: " + " · ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in told)


def _said(example: Example) -> str:
    """The words of a row, the prompt first where there is one."""
    return " → ".join([*(turn.content for turn in example.prompt if turn.speaker == "user"), example.reference])
