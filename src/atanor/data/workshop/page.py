"""A dataset as one HTML page: what came in, what every stage did and why, what the rows are like, how to remake it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from atanor.data.rows import Example
from atanor.data.sides import Side
from atanor.data.workshop.dataset import Dataset
from atanor.data.workshop.log import Entry
from atanor.data.workshop.stages import StageReport
from atanor.data.workshop.table import examples_of
from atanor.page import Markup, framed, join, tag
from atanor.page.bars import counted_bars
from atanor.page.figures import things
from atanor.page.layout import Section, contents, date, facts_list, laid_out, scrolling
from atanor.store.files import write_text

PAGE_FILE = "report.html"

_SHOWN_OF_A_RULE = 5
_SHOWN_ROWS = 3
_MOST_BARS = 20

_TITLES = {
    "language": "Languages",
    "label": "Labels",
    "quality": "Quality score",
    "answer_characters": "Length of the answers",
}
_CAPTIONS = {
    "language": "Rows by the language of the answer; `und` where it is too short to tell",
    "label": "Rows of each label",
    "quality": "Rows by quality score, from 0 to 1: the lower end of each step",
    "answer_characters": "Rows by characters of the answer: at least so many, and less than twice as many",
}


def write_page(dataset: Dataset, beside: str | None = None) -> Path:
    """Write the page of a dataset into its folder, or that of a file of rows into the folder one works in.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    in_folder = beside is None or not Path(beside).exists() or dataset.folder == Path(beside)
    name = PAGE_FILE if in_folder else f"{Path(beside or '').name.partition('.')[0]}.{PAGE_FILE}"
    path = dataset.folder / name if in_folder else Path(name)
    write_text(path, dataset_page(dataset))
    return path


def dataset_page(dataset: Dataset) -> str:
    """One self-contained HTML file about a dataset. Texts of rows are shown, never interpreted."""
    version = dataset.version
    entries = dataset.log()
    sections = [
        Section("stages", "What every stage did", _stages(version.stages)),
        Section("found", "What was found, changed and refused", _found(entries)),
        Section("rows", "What the rows are like", _tallies(version.tallies)),
        Section("samples", "Some rows", _samples(dataset)),
        Section("sources", "Where the rows are from", _sources(dataset)),
        Section("recipe", "How to make it again", _recipe(dataset)),
    ]
    body = [
        tag("a", "Skip to the stages", href="#stages", class_="skip"),
        " ",
        _header(dataset),
        contents(sections),
        tag("main", [laid_out(section) for section in sections], id="main"),
        tag(
            "footer",
            tag("p", f"Made by Atanor {version.atanor}. This file is complete: it loads nothing from anywhere."),
        ),
    ]
    return framed(f"dataset {dataset.name}", body, generator=f"atanor {version.atanor}")


def _header(dataset: Dataset) -> Markup:
    version = dataset.version
    used = sum(version.sides.values())
    facts = [(side, f"{count:,}") for side, count in version.sides.items()]
    facts += [("Rows read", f"{version.read:,}"), ("Made", date(version.created))]
    return tag(
        "header",
        tag("p", "dataset ", tag("code", dataset.name), class_="overline"),
        tag("h1", things(used, "row")),
        tag("p", _headline(version.stages), class_="headline"),
        facts_list(facts),
    )


def _headline(stages: Sequence[StageReport]) -> str:
    """What became of the rows, in a sentence."""
    changed = sum(stage.changed for stage in stages)
    refused = sum(stage.refused for stage in stages)
    left_out = sum(stage.left_out for stage in stages)
    told = [
        f"{number:,} {what}"
        for number, what in ((changed, "mended"), (refused, "refused"), (left_out, "left out"))
        if number
    ]
    return f"Of {stages[0].read:,} rows read, {', '.join(told)}." if told else "Every row went through as it was."


def _stages(stages: Sequence[StageReport]) -> Markup:
    columns = ("rows in", "kept", "changed", "refused", "left out", "added", "joined", "rows out")
    head = [tag("th", "stage", scope="col"), *(tag("th", name, scope="col", class_="num") for name in columns)]
    rows = [
        tag(
            "tr",
            tag("th", _words(stage.stage), scope="row"),
            *(tag("td", f"{number:,}" if number else "–", class_="num") for number in _numbers(stage)),
        )
        for stage in stages
    ]
    caption = "Rows in are rows kept, changed, refused and left out: no row is unaccounted for."
    return scrolling("Stages", caption, head, rows)


def _numbers(stage: StageReport) -> tuple[int, ...]:
    return (
        stage.read,
        stage.kept,
        stage.changed,
        stage.refused,
        stage.left_out,
        stage.added,
        stage.merged,
        stage.out,
    )


def _found(entries: Sequence[Entry]) -> Markup:
    """For each rule its count and a few of the rows it met."""
    by_rule: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        by_rule[entry.rule, entry.fate].append(entry)
    if not by_rule:
        return tag("p", "No rule found anything.", class_="absent")
    ordered = sorted(by_rule.items(), key=lambda pair: -len(pair[1]))
    return join(_rule(rule, fate, found) for (rule, fate), found in ordered)


def _rule(rule: str, fate: str, found: Sequence[Entry]) -> Markup:
    places = len({(entry.source, entry.line, entry.row) for entry in found})
    head = [tag("th", name, scope="col") for name in ("row", "where", "what", "why")]
    rows = [
        tag(
            "tr",
            tag("td", tag("code", f"{entry.source}:{entry.line}")),
            tag("td", entry.field or "the row"),
            tag("td", _what(entry)),
            tag("td", entry.reason if entry.fix is None else f"{entry.reason}. {entry.fix}"),
        )
        for entry in found[:_SHOWN_OF_A_RULE]
    ]
    more = len(found) - len(rows)
    caption = f"{_SHOWN_OF_A_RULE} of {len(found):,}" if more > 0 else "All of them"
    return tag(
        "details",
        tag("summary", tag("b", _words(rule)), f" · {_words(fate)} · {things(places, 'row')}"),
        scrolling(rule, caption, head, rows),
    )


def _what(entry: Entry) -> Markup | str:
    if entry.after is not None:
        return join(tag("code", entry.before or ""), " → ", tag("code", entry.after))
    return tag("code", entry.before) if entry.before else "–"


def _tallies(tallies: Mapping[str, Mapping[str, int]]) -> Markup:
    parts = [
        tag(
            "div",
            tag("h3", _TITLES.get(name, _words(name))),
            counted_bars(_CAPTIONS.get(name, ""), _bars(name, counts)),
        )
        for name, counts in tallies.items()
        if counts
    ]
    return tag("div", parts, class_="plots")


def _bars(name: str, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Numbers in their order, names by their count; what is rare is put together."""
    if name in ("quality", "answer_characters"):
        return sorted(counts.items(), key=lambda pair: float(pair[0]))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = ordered[_MOST_BARS:]
    return ordered[:_MOST_BARS] + ([(f"{len(rest):,} others", sum(count for _, count in rest))] if rest else [])


def _samples(dataset: Dataset) -> Markup:
    first = next(dataset.batches(Side.TRAIN, _SHOWN_ROWS), None)
    shown = [] if first is None else examples_of(first)
    return join(_card(example) for example in shown) if shown else tag("p", "There are none.", class_="absent")


def _card(example: Example) -> Markup:
    turns = [(turn.name or str(turn.speaker), turn.content) for turn in example.messages]
    turns += [("text", example.text)] if example.text is not None else []
    turns += [("also good", reference) for reference in example.references]
    turns += [("rejected", example.rejected)] if example.rejected is not None else []
    said = [
        tag("div", tag("p", who, class_="who"), tag("pre", text, tabindex="0"), class_="said") for who, text in turns
    ]
    return tag("div", said, tag("p", f"{example.id} · {example.source}:{example.line}", class_="id"), class_="card")


def _sources(dataset: Dataset) -> Markup:
    head = [tag("th", name, scope="col") for name in ("file", "kind", "read as", "rows", "SHA-256")]
    rows = [
        tag(
            "tr",
            tag("th", tag("code", source.path), scope="row"),
            tag("td", source.kind),
            tag("td", source.shape),
            tag("td", f"{source.rows:,}", class_="num"),
            tag("td", tag("code", source.sha256[:16], class_="hash")),
        )
        for source in dataset.version.sources
    ]
    parents = ", ".join(dataset.version.parents) or "none"
    return join(
        scrolling("Files", "The files, as they were read.", head, rows), tag("p", f"Parent datasets: {parents}.")
    )


def _recipe(dataset: Dataset) -> Markup:
    version = dataset.version
    facts = [
        ("Content SHA-256", tag("code", version.sha, class_="hash")),
        ("Recipe and files", tag("code", version.key, class_="hash")),
        ("Split SHA-256", tag("code", version.split_sha or "not split", class_="hash")),
    ]
    text = json.dumps(version.recipe, ensure_ascii=False, indent=1)
    return join(
        tag("div", facts_list(facts), class_="facts"),
        tag("pre", text, class_="file scroll", tabindex="0", aria_label="Recipe", role="region"),
    )


def _words(name: str) -> str:
    return name.replace("_", " ").replace(".", ": ")
