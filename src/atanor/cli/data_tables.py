"""What the data commands show of datasets: stages, rows, where they are from, and how two differ."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from atanor.cli.tables import facts, problems_table, ruled, visible, weights_view
from atanor.data import Refusal, problem_of
from atanor.data.rows import Example

if TYPE_CHECKING:
    from atanor.data.workshop.accepting import Accepted
    from atanor.data.workshop.dataset import Dataset, Version
    from atanor.data.workshop.history import Difference, Lineage
    from atanor.data.workshop.log import Entry
    from atanor.data.workshop.stages import StageReport
    from atanor.data.workshop.viewing import Pieces, Recognised

SHOWN = 20
"""Refused rows listed on a screen; the quarantine file has all."""
LONGEST = 400
"""Characters of a text that are shown."""
MOST_BARS = 8
"""Values of a count that are shown; the rest is put together."""

_NUMBERED = ("quality", "characters")
_TITLES = {
    "language": "language of the answer or of the text that has a label",
    "label": "label",
    "quality": "quality score, from",
    "characters": "characters of it, from",
}


def cut(text: str, longest: int = LONGEST) -> str:
    """A text for the screen: no control characters, and `…` where it goes on."""
    shown = visible(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def in_a_line(text: str, longest: int = 80) -> str:
    """A text on one line."""
    return cut(" ".join(text.split()), longest)


def checked_view(version: Version, refusals: Sequence[Refusal]) -> RenderableType:
    """What was read from which file as what, what every stage did, and every refused row."""
    sources = [
        Text(f"{source.path}: {source.kind}, {source.shape} · {source.rows:,} rows") for source in version.sources
    ]
    return Group(*sources, *refusals_view(refusals), stages_table(version.stages))


def refusals_view(refusals: Sequence[Refusal]) -> list[RenderableType]:
    """The first refused rows with place, reason and fix; nothing where there are none."""
    if not refusals:
        return []
    more = len(refusals) - SHOWN
    rest = [Text(f"  … and {more:,} more, all in the quarantine file")] if more > 0 else []
    return [problems_table([problem_of(refusal) for refusal in refusals[:SHOWN]]), *rest]


def recognised_view(files: Sequence[Recognised], version: Version) -> RenderableType:
    """Each file with its shape, the columns that are read and those that are not."""
    rows = {source.path: source.rows for source in version.sources}
    lines: list[RenderableType] = []
    for file in files[:SHOWN]:
        lines.append(
            Text.assemble((file.path, "bold"), f"  {file.kind}, {file.shape} · {_rows(rows.get(file.path, 0))}")
        )
        columns = ", ".join(f"{part}: {column}" for part, column in file.columns.items())
        unused = f" · not read: {', '.join(file.unused)}" if file.unused else ""
        others = f" · not looked at: {', '.join(file.passed_over[:3])}" if file.passed_over else ""
        lines.append(Padding(Text(visible(f"{columns}{unused}{others}"), style="dim"), (0, 0, 0, 2)))
    if len(files) > SHOWN:
        lines.append(Text(f"… and {len(files) - SHOWN:,} files more"))
    return Group(*lines)


def stages_table(stages: Sequence[StageReport]) -> RenderableType:
    """One line a stage with its numbers, and below it how many rows each rule met."""
    told = [stage for stage in stages if stage.rules or stage.read != stage.kept or stage is stages[0]]
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for stage in told:
        table.add_row(Text(stage.stage.replace("_", " "), style="bold"), Text(_fates(stage)))
        if stage.rules and set(stage.rules) != {"read.row"}:
            found = " · ".join(f"{_rule(rule)} {count:,}" for rule, count in _by_count(stage.rules))
            table.add_row("", Text(found, style="dim"))
    return table


def tallies_view(tallies: Mapping[str, Mapping[str, int]]) -> RenderableType:
    """What the rows are like: languages, labels, quality, lengths, each as bars."""
    parts = [
        Group(Text(f"\n{_TITLES.get(name, name.replace('_', ' '))}", style="bold"), bars(_ordered(name, counts)))
        for name, counts in tallies.items()
        if counts
    ]
    return Group(*parts)


def bars(counts: Sequence[tuple[str, int]]) -> RenderableType:
    """Names with their counts, shares and bars."""
    total = sum(count for _, count in counts) or 1
    longest = max((count for _, count in counts), default=1) or 1
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold", max_width=34)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, min_width=20)
    for name, count in counts:
        share = f"{count / total:.1%}".replace("%", " %")
        table.add_row(Text(visible(name)), f"{count:,}", share, ProgressBar(longest, count, width=20, style="none"))
    return Padding(table, (0, 0, 0, 2))


def datasets_table(datasets: Sequence[Dataset], roles: Mapping[str, Sequence[str]]) -> RenderableType:
    """One line a dataset, newest first; `roles` are those that each is of now."""
    if not datasets:
        return Text("no datasets yet; `atanor data build` makes one")
    table = ruled()
    table.add_column("dataset", no_wrap=True)
    table.add_column("role", overflow="fold", max_width=20)
    for name in ("read", "train", "validation", "test"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("made", no_wrap=True)
    for one in datasets:
        version = one.version
        sides = [f"{version.sides.get(side, 0):,}" for side in ("train", "validation", "test")]
        made = version.created.replace("T", " ")[5:16]
        table.add_row(one.name, ", ".join(roles.get(one.name, ())) or "–", f"{version.read:,}", *sides, made)
    return table


def dataset_view(role: str, dataset: Dataset) -> RenderableType:
    """One dataset of a role: its stages, its sides and its name."""
    version = dataset.version
    sides = " · ".join(f"{count:,} {side}" for side, count in version.sides.items())
    notes = [("", note) for note in version.notes]
    rows = [("dataset", f"{dataset.name} · {sides}"), *notes]
    return Group(Text(role, style="bold"), stages_table(version.stages), Text(), facts(rows))


def turns_view(example: Example) -> RenderableType:
    """A row as who says what."""
    turns = [(turn.name or str(turn.speaker), _said(turn.content, turn.calls)) for turn in example.messages]
    turns += [("text", example.text)] if example.text is not None else []
    turns += [("also good", reference) for reference in example.references]
    turns += [("rejected", example.rejected)] if example.rejected is not None else []
    turns += [("label", example.label)] if example.label is not None else []
    return facts([(who, cut(text)) for who, text in turns])


def row_view(example: Example, seen: Pieces | Refusal | None) -> RenderableType:
    """A row with its id and place; with `seen` as the model will see it, else as turns."""
    from_parent = f" · {example.technique} of {example.parent}" if example.parent is not None else ""
    head = Text(f"{example.id}  {visible(example.source)}:{example.line}{from_parent}", style="cyan")
    if seen is None:
        return Group(head, turns_view(example), Text())
    if isinstance(seen, Refusal):
        return Group(head, turns_view(example), Text(f"          cannot be trained on: {seen.reason}"), Text())
    return Group(head, weights_view([(cut(text, 3 * LONGEST), weight) for text, weight in seen]), Text())


def lineage_view(lineage: Lineage, seen: Pieces | Refusal | None) -> RenderableType:
    """A row from its source line to what it is now."""
    parts: list[RenderableType] = []
    example = lineage.example
    if example is not None:
        parts += [
            facts(
                [
                    ("row", example.id),
                    ("source", f"{visible(example.source)}:{example.line}"),
                    ("side", str(lineage.side)),
                ]
            ),
            _titled("as it stood in its file", Text(cut(_as_json(example.fields)))),
        ]
    else:
        last = lineage.entries[-1]
        parts.append(facts([("source", f"{visible(last.source)}:{last.line}"), ("side", f"none: {_word(last.fate)}")]))
        if last.raw:
            parts.append(_titled("as it stood in its file", Text(cut(last.raw))))
    done = entries_view(lineage.entries, places=False) if lineage.entries else Text("no stage changed or reported it")
    parts.append(_titled("what the stages did", done))
    if example is not None:
        parts.append(_titled("as it is now", row_view(example, seen)))
    for title, rows in (("made from", lineage.parents), ("rows made from it", lineage.children)):
        if rows:
            parts.append(_titled(title, Group(*(_brief(row) for row in rows[:SHOWN]))))
    return Group(*parts)


def entries_view(entries: Sequence[Entry], *, places: bool = True) -> RenderableType:
    """What was done to rows and why, in order."""
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold", max_width=34)
    table.add_column(overflow="fold")
    for entry in entries[:SHOWN]:
        what = f"{visible(entry.source)}:{entry.line}" if places else f"{_word(entry.stage)}: {_rule(entry.rule)}"
        text = Text(f"{_word(entry.fate)}  " + (f"{_rule(entry.rule)}  " if places else ""), style="bold")
        text.append(visible(entry.field or ""), style="cyan")
        if entry.before is not None:
            after = "" if entry.after is None else f" → {in_a_line(entry.after)}"
            text.append(f"  {in_a_line(entry.before)}{after}", style="none")
        if entry.fate != "changed":
            fix = "" if places or entry.fix is None else f". {entry.fix}"
            text.append(f"  {visible(entry.reason + fix)}", style="none")
        table.add_row(Text(what, style="dim"), text)
    more = [Text(f"… and {len(entries) - SHOWN:,} more")] if len(entries) > SHOWN else []
    return Group(table, *more)


def difference_view(older: str, newer: str, found: Difference) -> RenderableType:
    """Counts, moved sides, recipe keys that differ, and some rows of each kind."""
    counts = [("same", found.same), ("added", found.added), ("removed", found.removed), ("rewritten", found.rewritten)]
    lines = [(name, _rows(count)) for name, count in counts]
    lines += [("moved", f"{_rows(count)} from {step}") for step, count in found.moved.items()]
    parts: list[RenderableType] = [Text(f"{older} → {newer}", style="bold"), facts(lines)]
    if found.recipe:
        table = ruled()
        for name in ("recipe", older, newer):
            table.add_column(name, overflow="fold")
        for key, (before, after) in found.recipe.items():
            table.add_row(key, in_a_line(_as_json(before), 120), in_a_line(_as_json(after), 120))
        parts += [Text(), table]
    for title, rows in (("added", found.added_rows), ("removed", found.removed_rows)):
        if rows:
            parts.append(_titled(title, Group(*(_brief(row) for row in rows))))
    if found.rewritten_rows:
        pairs = [
            part for one in found.rewritten_rows for part in (_brief(one.before), Text("  now"), _brief(one.after))
        ]
        parts.append(_titled("rewritten", Group(*pairs)))
    return Group(*parts)


def accepted_view(role: str, accepted: Accepted) -> RenderableType:
    """What became of the rows in quarantine, with the reasons of those that stay."""
    lines = [
        (name, _rows(len(rows)))
        for name, rows in (
            ("accepted", accepted.accepted),
            ("refused", accepted.refused),
            ("elsewhere", accepted.elsewhere),
            ("unmended", accepted.unmended),
        )
        if rows
    ]
    lines += [
        ("wrote", f"{os.path.relpath(file)} (as it was: {os.path.relpath(backup)})")
        for file, backup in accepted.files.items()
    ]
    told = refusals_view([*accepted.refused, *accepted.elsewhere])
    return Group(Text(role, style="bold"), facts(lines or [("", "nothing is in quarantine")]), *told)


def _fates(stage: StageReport) -> str:
    parts = [
        (stage.kept, "as they were"),
        (stage.changed, "changed"),
        (stage.refused, "refused"),
        (stage.left_out, "left out"),
    ]
    text = f"{stage.read:,} rows: " + " · ".join(f"{number:,} {what}" for number, what in parts if number)
    more = [(stage.added, "added"), (stage.merged, "joined to others")]
    return text + "".join(f" · {number:,} {what}" for number, what in more if number)


def _by_count(rules: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(rules.items(), key=lambda pair: (-pair[1], pair[0]))


def _ordered(name: str, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Numbers in their order, names by their count; what is rare is put together."""
    if name in _NUMBERED:
        return sorted(counts.items(), key=lambda pair: float(pair[0]))
    ordered = [("cannot be told" if value == "und" else value, count) for value, count in _by_count(counts)]
    rest = ordered[MOST_BARS:]
    return ordered[:MOST_BARS] + ([(f"{len(rest):,} others", sum(count for _, count in rest))] if rest else [])


def _titled(title: str, view: RenderableType) -> RenderableType:
    return Group(Text(f"\n{title}", style="bold"), Padding(view, (0, 0, 0, 2)))


def _brief(example: Example) -> Text:
    """A row on a line or two."""
    prompt = " / ".join(turn.content for turn in example.prompt)
    said = (
        f"{in_a_line(prompt)} → {in_a_line(example.reference)}" if example.messages else in_a_line(example.text or "")
    )
    text = Text(f"{visible(example.source)}:{example.line}", style="cyan")
    return text.append(f"  {said}", style="none")


def _said(content: str, calls: str | None) -> str:
    return content if calls is None else f"{content} [calls {calls}]".strip()


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


_RULES = {"near_duplicates.minhash": "near-duplicate", "duplicates.exact": "copy", "contradictions.label": "two labels"}
"""What rules are called where the last part of their names does not say it."""


def _rule(rule: str) -> str:
    return _RULES.get(rule) or _word(rule.partition(".")[2] or rule)


def _word(name: str) -> str:
    return name.replace("_", " ")


def _as_json(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)
