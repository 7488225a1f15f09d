"""The stage of books: a long text becomes windows to train on, or instruction rows whose answers are its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import ceil

import pyarrow as pa

from atanor.data.corpora import instruction_examples, outline, windows
from atanor.data.options import SourceOptions
from atanor.data.records import TITLE_COLUMN
from atanor.data.rows import Example
from atanor.data.workshop.log import Entry, Fate, log_table
from atanor.data.workshop.stages import StageReport, StageResult
from atanor.data.workshop.table import examples_of, table_of

BOOKS = "books"
"""Name of the stage."""

Measure = Callable[[str], int]

_CHARACTERS_OF_A_TOKEN = 3.0
"""What a token is taken for where no tokenizer is known: less than any of English, so that windows rather fit."""


def book_rows(rows: pa.Table, source: SourceOptions, measure: Measure, seed: int) -> StageResult:
    """Cut the plain texts of a source into windows, or make instruction rows of them, as its options ask.

    A text of which no row can be made is left out and told. Conversations go on as they are.

    Args:
        rows: schema `ROWS`, of one source.
        source: its options.
        measure: how many tokens a text has.
        seed: draws kinds and wordings of instructions.
    """
    if source.windows is None and source.instructions is None:
        return StageResult(rows, log_table([]), StageReport(BOOKS, len(rows), len(rows)))
    made: list[Example] = []
    entries: list[Entry] = []
    kept = 0
    examples = examples_of(rows)
    for example in examples:
        parts = list(_parts(example, source, measure, seed)) if example.text is not None else [example]
        kept += parts == [example]
        made += parts
        entries += [] if parts == [example] else [_entry(example, len(parts))]
    left_out = sum(entry.fate == Fate.LEFT_OUT for entry in entries)
    report = StageReport(
        stage=BOOKS,
        read=len(examples),
        kept=kept,
        changed=len(examples) - kept - left_out,
        left_out=left_out,
        added=len(made) - (len(examples) - left_out),
        rules={f"{BOOKS}.{'windows' if source.windows else 'instructions'}": len(entries)} if entries else {},
    )
    return StageResult(table_of(made), log_table(entries), report)


def measured_by(tokenizer: str | None) -> Measure:
    """How many tokens a text has: by the tokenizer in a folder, or guessed where there is none."""
    if tokenizer is None:
        return lambda text: ceil(len(text) / _CHARACTERS_OF_A_TOKEN)
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(tokenizer)
    return lambda text: len(loaded(text)["input_ids"])


def _parts(example: Example, source: SourceOptions, measure: Measure, seed: int) -> Iterator[Example]:
    """The rows of one text: each stands where it begins in the file and belongs to the chapter it is from."""
    book = outline(example.text or "", title=example.fields.get(TITLE_COLUMN) or None)
    if source.instructions is not None:
        found = instruction_examples(book, measure, source.instructions, seed=seed, source=example.source).examples
    elif source.windows is not None:
        found = tuple(window.example(example.source) for window in windows(book, measure, source.windows))
    else:
        found = ()
    for part in found:
        yield replace(part, line=example.line + part.line - 1, group=example.group or part.group)


def _entry(example: Example, parts: int) -> Entry:
    return Entry(
        source=example.source,
        line=example.line,
        row=example.id,
        stage=BOOKS,
        rule=f"{BOOKS}.cut",
        fate=Fate.CHANGED if parts else Fate.LEFT_OUT,
        field="text",
        before=f"{len(example.text or ''):,} characters",
        after=f"{parts:,} rows",
        reason="a long text becomes rows" if parts else "no passage of the text suits what is asked for",
        fix=None if parts else "Ask for more kinds of row, or shorter ones",
        raw=None,
    )
