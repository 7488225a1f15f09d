"""A dataset as one HTML page: what came in, what every stage did and why, what the rows are like, how to remake it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from atanor.data.augmentation import AugmentOptions
from atanor.data.rows import Example
from atanor.data.sides import Side
from atanor.data.workshop.augmentation_page import augmentation_part
from atanor.data.workshop.dataset import Dataset, Version
from atanor.data.workshop.overlap import overlap_of_sides
from atanor.data.workshop.overlap_page import overlap_part
from atanor.data.workshop.page_findings import found
from atanor.data.workshop.recipe import Recipe
from atanor.data.workshop.stages import StageReport
from atanor.data.workshop.table import examples_of
from atanor.page import Markup, framed, join, tag
from atanor.page.bars import counted_bars, stacked_bar
from atanor.page.chart import figure
from atanor.page.columns import counted_columns
from atanor.page.figures import things
from atanor.page.layout import Section, contents, date, facts_list, laid_out, scrolling
from atanor.store.files import write_text

PAGE_FILE = "report.html"

_SHOWN_ROWS = 3
_MOST_BARS = 10
_CANNOT_TELL = "cannot be told"

_TITLES = {
    "language": "Languages",
    "label": "Labels",
    "quality": "Quality score",
    "characters": "Lengths",
}
_CAPTIONS = {
    "language": "Rows by the language of the answer, or of the text that has a label; of a very short one it cannot be "
    "told.",
    "label": "Rows of each label.",
    "quality": "Rows by quality score, from 0 to 1: a column begins at the score under its left edge.",
    "characters": "Rows by length of the answer, or of the text that has a label: a column begins at the length under "
    "it and ends at twice as much.",
}
_NUMBERED = {"quality": "quality score", "characters": "characters"}


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
        Section("stages", "What every stage did", _stages(version)),
        Section("found", "What was found, changed and refused", found(entries)),
        Section("rows", "What the rows are like", _tallies(version.tallies)),
        *_overlap(dataset),
        *_augmentation(version.augmentation),
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


def _overlap(dataset: Dataset) -> list[Section]:
    report = overlap_of_sides(dataset)
    title = "What of the held-out rows stands in training"
    return [] if report is None else [Section("contamination", title, overlap_part(report))]


def _augmentation(report: Mapping[str, Any] | None) -> list[Section]:
    return [] if report is None else [Section("augmentation", "What augmentation made", augmentation_part(report))]


def _header(dataset: Dataset) -> Markup:
    version = dataset.version
    used = sum(version.sides.values())
    facts = [("Made", date(version.created)), ("From", f"{things(len(version.sources), 'file')}")]
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


def _stages(version: Version) -> Markup:
    """The rows as a sum, each stage with what became of its rows, and the sides."""
    stages = version.stages
    columns = [(name, count) for name, count in _COLUMNS if any(count(stage) for stage in stages)]
    head = [tag("th", "stage", scope="col"), *(tag("th", name, scope="col", class_="num") for name, _ in columns)]
    head.append(tag("th", "what became of the rows", scope="col"))
    most = max((stage.read for stage in stages), default=1) or 1
    rows = [
        tag(
            "tr",
            tag("th", _words(stage.stage), scope="row"),
            *(tag("td", f"{count(stage):,}" if count(stage) else "–", class_="num") for _, count in columns),
            tag("td", _became(stage, most), class_="became"),
        )
        for stage in stages
    ]
    keys = [tag("li", tag("span", class_=f"swatch {style}", aria_hidden="true"), name) for name, style, _ in _BECAME]
    return join(
        _sum(version),
        scrolling("Stages", "Rows in are rows kept, mended, refused and left out.", head, rows),
        tag("ul", keys, class_="keys", aria_hidden="true"),
        tag("h3", "Sides"),
        stacked_bar("sides", _sides_in_words(version), _sides(version)) if version.split_sha else _NOT_SPLIT,
        [tag("p", note, class_="absent") for note in version.notes],
    )


_COLUMNS: tuple[tuple[str, Callable[[StageReport], int]], ...] = (
    ("rows in", lambda stage: stage.read),
    ("kept", lambda stage: stage.kept),
    ("mended", lambda stage: stage.changed),
    ("refused", lambda stage: stage.refused),
    ("left out", lambda stage: stage.left_out),
    ("added", lambda stage: stage.added),
    ("joined", lambda stage: stage.merged),
    ("rows out", lambda stage: stage.out),
)
_BECAME: tuple[tuple[str, str, Callable[[StageReport], int]], ...] = (
    ("kept as they were", "", lambda stage: stage.kept),
    ("mended", "both", lambda stage: stage.changed),
    ("refused", "lost", lambda stage: stage.refused),
    ("left out", "tuned", lambda stage: stage.left_out),
)
_SIDE_STYLES = {Side.TRAIN: "both", Side.VALIDATION: "neither", Side.TEST: "tuned"}
_NOT_SPLIT = tag("p", "The rows are not split: all are to train on.", class_="absent")
_BAR = 320


def _became(stage: StageReport, most: int) -> Markup:
    """The rows of a stage as one bar; what happened to only a few can still be seen."""
    shapes, at = [], 0.0
    for _, style, count in _BECAME:
        if count(stage):
            width = max(_BAR * count(stage) / most, 4.0)
            at = min(at, _BAR - width)
            shapes.append(tag("rect", x=at, y=1, width=width, height=14, class_=f"share {style}".strip()))
            at += width
    return tag("svg", shapes, viewBox=f"0 0 {_BAR} 16", aria_hidden="true", preserveAspectRatio="none")


def _sum(version: Version) -> Markup:
    """Rows read, less and more what the stages did, are the rows there are."""
    stages = version.stages
    terms = [("", version.read, "read")]
    terms += [
        (sign, number, name)
        for sign, number, name in (
            ("−", sum(stage.refused for stage in stages), "refused"),
            ("−", sum(stage.left_out for stage in stages), "left out"),
            ("+", sum(stage.added for stage in stages), "added"),
            ("−", sum(stage.merged for stage in stages), "joined to others"),
            ("=", sum(version.sides.values()), "rows"),
        )
        if number
    ]
    shown = [
        join(
            tag("span", sign, class_="operator") if sign else None,
            " ",
            tag("span", tag("b", f"{number:,}", class_="num"), f" {name}", class_="term"),
            " ",
        )
        for sign, number, name in terms
    ]
    return tag("p", shown, class_="sum")


def _sides(version: Version) -> list[tuple[str, str, int]]:
    return [(str(side), _SIDE_STYLES[side], version.sides.get(str(side), 0)) for side in Side]


def _sides_in_words(version: Version) -> str:
    return "Rows on each side: " + ", ".join(f"{count:,} {side}" for side, _, count in _sides(version))


def _tallies(tallies: Mapping[str, Mapping[str, int]]) -> Markup:
    parts = [_plot(name, counts) for name, counts in tallies.items() if counts]
    return tag("div", parts, class_="plots") if parts else tag("p", "Nothing was counted.", class_="absent")


def _plot(name: str, counts: Mapping[str, int]) -> Markup:
    title = _TITLES.get(name, _words(name).capitalize())
    caption = _CAPTIONS.get(name, "")
    if name in _NUMBERED:
        steps = _steps(name, counts)
        chart = counted_columns(name, caption, steps, x_name=_NUMBERED[name], y_name="rows")
        return tag("div", tag("h3", title), figure(caption, chart))
    return tag("div", tag("h3", title), counted_bars(caption, _named(counts)))


def _steps(name: str, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Every step from the first to the last there is, those without rows too."""
    if name == "quality":
        return [(f"{step / 10:.1f}", counts.get(f"{step / 10:.1f}", 0)) for step in range(10)]
    numbers = sorted(int(step) for step in counts)
    steps = [numbers[0]]
    while steps[-1] < numbers[-1]:
        steps.append(steps[-1] * 2)
    return [(f"{step:,}", counts.get(str(step), 0)) for step in steps]


def _named(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names by their count; what is rare is put together."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = ordered[_MOST_BARS:]
    shown = [(_CANNOT_TELL if name == "und" else name, count) for name, count in ordered[:_MOST_BARS]]
    return shown + ([(f"{len(rest):,} others", sum(count for _, count in rest))] if rest else [])


def _samples(dataset: Dataset) -> Markup:
    """A few rows of every side."""
    cards = []
    for side in Side:
        first = next(dataset.batches(side, _SHOWN_ROWS), None)
        count = _SHOWN_ROWS if side is Side.TRAIN else 1
        cards += [] if first is None else [_card(example, side) for example in examples_of(first.slice(0, count))]
    return join(cards) if cards else tag("p", "There are none.", class_="absent")


def _card(example: Example, side: Side) -> Markup:
    turns = [(turn.name or str(turn.speaker), turn.content) for turn in example.messages]
    turns += [("text", example.text)] if example.text is not None else []
    turns += [("also good", reference) for reference in example.references]
    turns += [("rejected", example.rejected)] if example.rejected is not None else []
    said = [
        tag("div", tag("p", who, class_="who"), tag("pre", text, tabindex="0"), class_="said") for who, text in turns
    ]
    place = f" · {example.id} · {example.source}:{example.line}"
    made = "" if example.parent is None else f" · {_words(example.technique or '')} of {example.parent}"
    return tag("div", said, tag("p", tag("span", str(side), class_="side"), place + made, class_="id"), class_="card")


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
    parents = ", ".join(dataset.version.parents)
    return join(
        scrolling("Files", "The files, as they were read.", head, rows),
        tag("p", f"Parent datasets: {parents}.") if parents else None,
    )


def _recipe(dataset: Dataset) -> Markup:
    version = dataset.version
    facts = [
        ("Content SHA-256", tag("code", version.sha, class_="hash")),
        ("Recipe and files", tag("code", version.key, class_="hash")),
        ("Split SHA-256", tag("code", version.split_sha or "not split", class_="hash")),
    ]
    return join(
        tag("div", facts_list(facts), class_="facts"),
        tag("h3", "What the project says otherwise than the defaults"),
        _file("Recipe", _without_defaults(version.recipe)),
        tag("details", tag("summary", "Every value in force"), _file("Every value", version.recipe)),
    )


def _file(name: str, content: Mapping[str, Any]) -> Markup:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    return tag("pre", text, class_="file scroll", tabindex="0", aria_label=name, role="region")


def _without_defaults(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is not as it is by itself; all of it where another version of Atanor wrote it."""
    own = {name: value for name, value in recipe.items() if name != "augment"}
    augment = recipe.get("augment", {})
    options = {name: value for name, value in augment.items() if name != "seed"}
    try:
        short = Recipe.model_validate(own).model_dump(mode="json", exclude_defaults=True)
        added = AugmentOptions.model_validate(options).model_dump(mode="json", exclude_defaults=True)
    except ValidationError:
        return recipe
    return {**short, "augment": {**added, "seed": augment["seed"]}} if augment else short


def _words(name: str) -> str:
    return name.replace("_", " ").replace(".", ": ")
