"""What the commands that write files of rows show: what was read, what was done, what was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from atanor.cli.bias_tables import groups_table
from atanor.cli.data_tables import SHOWN, bars, entries_view, in_a_line, refusals_view, stages_table
from atanor.cli.tables import facts, ruled, visible

if TYPE_CHECKING:
    from atanor.data.augmentation import TechniqueReport
    from atanor.data.tokenisation import TextCounts, TokenisationReport
    from atanor.data.workshop.book_files import Book, BookRows
    from atanor.data.workshop.converting import Converted
    from atanor.data.workshop.dataset import Version
    from atanor.data.workshop.more_rows import MoreRows
    from atanor.data.workshop.overlap import OverlapReport
    from atanor.data.workshop.single import Treated
    from atanor.models.extension import Extension

CHAPTERS = 12
"""Chapters of a book that are listed."""
TOKENS = 60
"""New tokens of a tokenizer that are listed."""


def treated_view(treated: Treated) -> RenderableType:
    """What a stage did, with some of the places, and the files that were written."""
    parts: list[RenderableType] = [read_view(treated.version), stages_table(treated.version.stages)]
    done = [entry for entry in treated.entries if entry.fate != "refused"]
    if done:
        parts += [Text(), entries_view(done), Text()]
    parts += refusals_view(treated.refusals)
    lines = [("wrote", f"{path} · {count:,} rows") for path, count in treated.written.items()]
    lines += _beside(refused=treated.quarantine, log=treated.log)
    return Group(*parts, facts(lines))


def read_view(version: Version) -> RenderableType:
    """What was read as what."""
    return Group(
        *(Text(visible(f"{one.path}: {one.kind}, {one.shape} · {one.rows:,} rows")) for one in version.sources)
    )


def converted_view(converted: Converted) -> RenderableType:
    """What was read as what, what was written, and what has no place in the format."""
    report = converted.report
    lines = [("wrote", f"{report.path} · {report.written:,} rows of format {report.format}")]
    lines += _beside(refused=converted.quarantine)
    lines += [("note", note) for note in report.notes]
    return Group(read_view(converted.version), *refusals_view(converted.refusals), facts(lines))


def overlap_view(report: OverlapReport) -> RenderableType:
    """The contaminated items and what each stands in."""
    lines: list[tuple[str, str]] = [("looked at", f"{report.items:,} test items in {report.rows:,} training rows")]
    if report.refused:
        lines.append(("", f"{report.refused:,} rows could not be read and were not looked at"))
    if report.compared_whole:
        lines.append(("", f"{report.compared_whole:,} items are too short for runs of words and were compared whole"))
    found = " · ".join(f"{count:,} {_KINDS[kind]}" for kind, count in report.counts.items() if count)
    lines.append(
        ("found", f"{len(report.found):,} contaminated: {found}" if found else "no test item in the training rows")
    )
    if not report.found:
        return facts(lines)
    table = ruled()
    for name in ("test item", "kind", "covered", "alike", "stands in"):
        table.add_column(name, overflow="fold")
    for one in report.found[:SHOWN]:
        table.add_row(
            Text.assemble((one.test, "cyan"), f"\n{in_a_line(one.test_text, 100)}"),
            str(one.kind),
            _percent(one.share) if one.share else "–",
            f"{one.similarity:.2f}" if one.similarity is not None else "–",
            Text.assemble((one.train, "cyan"), f"\n{in_a_line(one.run or one.train_text, 100)}"),
        )
    more = len(report.found) - SHOWN
    return Group(facts(lines), Text(), table, *([Text(f"… and {more:,} more; --json has all")] if more > 0 else []))


_KINDS = {"exact": "word for word", "near": "nearly the same", "ngram": "with a run of words in common"}


def more_rows_view(made: MoreRows, out: Path) -> RenderableType:
    """What each technique made, what was filtered and why, with examples before and after."""
    report = made.report
    parts: list[RenderableType] = [read_view(made.version)]
    for one in report.techniques:
        parts += _technique(one)
    if report.classes:
        table = ruled()
        for name in ("label", "before", "after"):
            table.add_column(name, justify="left" if name == "label" else "right")
        for label, (before, after) in list(report.classes.items())[:SHOWN]:
            table.add_row(visible(label), f"{before:,}", f"{after:,}")
        rest = len(report.classes) - SHOWN
        parts += [Text(), table, *([Text(f"… and {rest:,} labels more")] if rest > 0 else [])]
    if report.groups:
        parts += [Text(), groups_table(report.groups)]
    lines = [
        ("wrote", f"{out} · {made.written:,} rows, {made.originals:,} of them from the file, as {made.format}"),
        *_beside(filtered=made.filtered),
        ("meaning", f"measured by {report.embedder}; at least {report.threshold:.2f}"),
    ]
    return Group(*parts, Text(), facts(lines))


def _technique(report: TechniqueReport) -> list[RenderableType]:
    alike = "" if report.mean_similarity is None else f" · mean similarity {report.mean_similarity:.2f}"
    cost = f" · cost {report.cost:.2f}" if report.cost else ""
    parts: list[RenderableType] = [
        Text.assemble(
            ("\n" + report.technique.replace("_", " "), "bold"),
            f"  {report.made:,} made of {report.asked:,} asked{alike}{cost}",
        )
    ]
    if report.filtered:
        parts.append(bars(list(report.filtered.items())))
    for before, after in report.examples:
        parts.append(
            Padding(Text.assemble((in_a_line(before, 200), "dim"), f"\n→ {in_a_line(after, 200)}"), (0, 0, 0, 2))
        )
    return parts


def tokens_view(report: TokenisationReport, base: str, other: str | None) -> RenderableType:
    """How a tokenizer treats the rows: by language, split words, costly characters, lengths, what contexts cut."""
    shares = [_percent(share) for share in report.splits.shares]
    lines = [
        ("base", base),
        ("text", f"{report.whole.characters:,} characters · {report.whole.words:,} words · {report.rows:,} rows"),
        ("tokens", f"{report.whole.tokens:,} · {report.whole.bytes_per_token:.2f} bytes a token"),
        ("words", f"{shares[0]} of more than one piece · {shares[1]} of more than two · {shares[2]} of more than four"),
        ("rows", " · ".join(f"{_quantile(part)} {length:,} tokens" for part, length in report.quantiles.items())),
        ("unknown", f"{report.unknown:,} tokens · {report.broken:,} hold a part of a character only"),
        ("unused", f"{_percent(report.unused_share)} of {report.vocabulary:,} tokens of the vocabulary"),
    ]
    lines += [("control", f"`{visible(seen.token)}` stands in {seen.texts:,} texts") for seen in report.specials]
    parts: list[RenderableType] = [facts(lines), Text(), _languages(report, base, other)]
    if report.costly:
        parts += [Text("\ncharacters that take most tokens", style="bold"), _costly(report)]
    parts += [
        Text("\nlength of rows in tokens", style="bold"),
        bars([(f"{one.low:,} to {one.high - 1:,}", one.rows) for one in report.lengths]),
        Text("\nwhat a context cuts off", style="bold"),
        _cuts(report),
    ]
    return Group(*parts)


def _quantile(part: float) -> str:
    return {0.5: "half up to", 1.0: "longest"}.get(part, f"{_percent(part)} up to")


def _percent(share: float, places: int = 0) -> str:
    return f"{100 * share:.{places}f} %"


def _languages(report: TokenisationReport, base: str, other: str | None) -> RenderableType:
    table = ruled()
    table.add_column("language")
    for name in ("texts", "tokens", "a character", "a word"):
        table.add_column(name, justify="right")
    compared = report.other
    if compared is not None:
        table.add_column(f"a word, {other}", justify="right", overflow="fold")
    counted: list[tuple[str, TextCounts, TextCounts | None]] = [
        (name, counts, compared.languages.get(name) if compared else None) for name, counts in report.languages.items()
    ]
    counted.append(("all", report.whole, compared.whole if compared else None))
    for name, counts, others in counted:
        row = [
            name,
            f"{counts.texts:,}",
            f"{counts.tokens:,}",
            f"{counts.tokens_per_character:.3f}",
            f"{counts.tokens_per_word:.2f}",
        ]
        table.add_row(*row, *([f"{others.tokens_per_word:.2f}"] if others else []))
    if compared is None:
        return table
    return Group(table, Text(f"{base} needs {compared.ratio:.2f} tokens for one of {other}"))


def _costly(report: TokenisationReport) -> RenderableType:
    table = ruled()
    for name in ("character", "name", "count", "tokens", "where"):
        table.add_column(name, justify="right" if name in ("count", "tokens") else "left", overflow="fold")
    for one in report.costly[:CHAPTERS]:
        tokens = "unknown" if one.unknown else str(one.tokens)
        table.add_row(visible(one.character), one.name.lower(), f"{one.count:,}", tokens, in_a_line(one.example, 40))
    return Padding(table, (0, 0, 0, 2))


def _cuts(report: TokenisationReport) -> RenderableType:
    table = ruled()
    for name in ("context", "rows that are longer", "tokens beyond it"):
        table.add_column(name, justify="right")
    for one in report.cuts:
        table.add_row(
            f"{one.context:,}",
            f"{one.rows:,} · {_percent(one.rows_share, 1)}",
            f"{one.tokens:,} · {_percent(one.tokens_share, 1)}",
        )
    return Padding(table, (0, 0, 0, 2))


def books_view(made: BookRows) -> RenderableType:
    """Each book with its chapters, and the rows that were made."""
    parts: list[RenderableType] = []
    for book in made.books:
        parts += [_book(book, made.of_book.get(book.source, 0)), *refusals_view(book.refusals)]
    kinds = " · ".join(f"{count:,} {kind}" for kind, count in made.kinds.items())
    lines = [("wrote", f"{made.path} · {made.written:,} rows")]
    lines += [("kinds", kinds)] if kinds else []
    lines += [("left out", "passages too short, or of no kind asked for")] if made.passed_over else []
    if made.quarantine is not None:
        reasons = Counter(refusal.reason for refusal in made.refused).most_common(SHOWN)
        lines += [("refused", f"{count:,} × {reason}") for reason, count in reasons]
        lines.append(("", f"what the model wrote: {made.quarantine}"))
    return Group(*parts, Text(), facts(lines))


def extension_view(made: Extension, out: Path) -> RenderableType:
    """The new tokens, and what they save."""
    shown = " ".join(visible(token) for token in made.added[:TOKENS])
    more = len(made.added) - TOKENS
    lines = [
        ("learned", f"{len(made.added):,} tokens: {shown}" + (f" … and {more:,} more" if more > 0 else "")),
        ("vocabulary", f"{made.vocabulary:,} tokens"),
        ("texts", f"{made.characters:,} characters were measured"),
        ("tokens", f"{made.tokens_before:,} → {made.tokens_after:,}, {made.before:.3f} → {made.after:.3f} a character"),
        ("wrote", str(out)),
    ]
    return facts(lines)


def _book(book: Book, rows: int) -> RenderableType:
    chapters = book.chapters
    outline = book.outline
    by = f" by {outline.author}" if outline.author else ""
    head = Text.assemble(
        (visible(outline.title or Path(book.source).name), "bold"),
        f"{by}  {book.source} · {len(chapters):,} chapters · {len(outline.text):,} characters · {rows:,} rows",
    )
    return Group(head, Padding(_chapters(chapters), (0, 0, 0, 2)))


def _chapters(chapters: Sequence[tuple[str, int]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold", max_width=60)
    table.add_column(justify="right", no_wrap=True)
    for name, length in chapters[:CHAPTERS]:
        table.add_row(visible(name) or "(no heading)", f"{length:,}")
    if len(chapters) > CHAPTERS:
        table.add_row(Text(f"… and {len(chapters) - CHAPTERS:,} more", style="dim"), "")
    return table


def _beside(**files: Path | None) -> list[tuple[str, str]]:
    return [(name, str(path)) for name, path in files.items() if path is not None]
