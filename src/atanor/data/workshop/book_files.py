"""Books to files of training rows: windows over their text, or instructions whose answers are their passages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from atanor.data.augmentation.engines import Engine
from atanor.data.cleaning import CleanOptions, clean_texts
from atanor.data.corpora import (
    InstructionOptions,
    Measure,
    Outline,
    SectionKind,
    WindowOptions,
    instruction_examples,
    instructions_by_model,
    outline,
    outline_of_chapters,
    windows,
)
from atanor.data.options import SourceOptions
from atanor.data.quarantine import write_quarantine
from atanor.data.readers import read_records
from atanor.data.records import CHAPTER_COLUMN, TEXT_COLUMN, TITLE_COLUMN, Record
from atanor.data.rows import Example, Refusal
from atanor.data.sources import FileKind, Source, locate
from atanor.data.workshop.single import beside, naming_typed_files
from atanor.data.writing.plain import write_rows
from atanor.errors import DataError, Problem
from atanor.progress import Progress
from atanor.store.files import remove


@dataclass(frozen=True)
class Book:
    """One book as it was found.

    Attributes:
        source: its file as it was written.
        outline: its text, chapters and blocks.
        refusals: chapters that could not be read.
    """

    source: str
    outline: Outline
    refusals: tuple[Refusal, ...]

    @property
    def chapters(self) -> list[tuple[str, int]]:
        """Name and length in characters of each chapter; front matter and contents are none."""
        return [
            (" / ".join(part for part in (*chapter.path, chapter.name) if part), chapter.end - chapter.start)
            for chapter in self.outline.chapters
            if chapter.kind is SectionKind.BODY
        ]


@dataclass(frozen=True)
class BookRows:
    """Rows made of books.

    Attributes:
        books: the books.
        path: the file of rows.
        written: rows in it.
        of_book: rows of each book, by its file.
        kinds: instruction rows by kind; empty for windows.
        passed_over: passages that were too short or suit no kind; 0 for windows.
        refused: instructions that a model wrote and that cannot be used.
        quarantine: the file they are in, each with its passage's place, or None.
    """

    books: tuple[Book, ...]
    path: Path
    written: int
    of_book: Mapping[str, int]
    kinds: Mapping[str, int]
    passed_over: int = 0
    refused: tuple[Refusal, ...] = ()
    quarantine: Path | None = None


def write_windows(sources: Sequence[SourceOptions], out: Path, measure: Measure, options: WindowOptions) -> BookRows:
    """Cut books into windows and write one row for each: its text, book, chapter and place.

    Raises:
        DataError: a file cannot be read as a book, or the rows cannot be written.
    """
    books = read_books(sources)
    made = [[window.example(book.source) for window in windows(book.outline, measure, options)] for book in books]
    return _written(books, made, out, {})


def write_instructions(
    sources: Sequence[SourceOptions],
    out: Path,
    measure: Measure,
    options: InstructionOptions,
    seed: int,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> BookRows:
    """Write rows that ask for passages of books; the answers are the authors' own words.

    Args:
        sources: the books.
        out: the file to write.
        measure: see `instruction_examples`.
        options: which rows.
        seed: draws kinds and wordings.
        engine: the model that writes the instructions; None: they are made by rule.
        progress: shown the passages a model is asked about.

    Raises:
        DataError: a file cannot be read as a book, no passage can be used, or the rows cannot be written. What a model
            wrote in vain is in quarantine all the same.
    """
    books = read_books(sources)
    if engine is None:
        results = [
            instruction_examples(book.outline, measure, options, seed=seed, source=book.source) for book in books
        ]
    else:
        results = [
            instructions_by_model(book.outline, measure, engine, options, source=book.source, progress=progress)
            for book in books
        ]
    refused = tuple(refusal for result in results for refusal in result.refusals)
    quarantine = beside(out, "refused")
    if refused:
        write_quarantine(refused, quarantine)
    else:
        remove(quarantine)
    kinds: Counter[str] = Counter()
    for result in results:
        kinds.update(result.kinds)
    rows = _written(books, [list(result.examples) for result in results], out, kinds)
    return replace(
        rows,
        passed_over=sum(result.short + result.unsuited for result in results),
        refused=refused,
        quarantine=quarantine if refused else None,
    )


def read_books(sources: Sequence[SourceOptions]) -> tuple[Book, ...]:
    """The books of files and folders, cleaned: text, Markdown, HTML or EPUB.

    Raises:
        DataError: a file is no book, or holds no text.
    """
    with naming_typed_files():
        return tuple(_book(source) for source in locate(sources, Path(), confined=False))


def _book(source: Source) -> Book:
    if not source.kind.is_prose:
        fix = "Name files of .txt, .md, .html or .epub"
        raise source.error(f"a {source.kind} file holds rows and is no book", fix=fix)
    if source.kind is FileKind.TXT:
        source = replace(source, kind=FileKind.DOCUMENT)  # a book is one text, not paragraphs
    found = list(read_records(source))
    rows = [one.fields for one in found if isinstance(one, Record)]
    refusals = tuple(one for one in found if isinstance(one, Refusal))
    if not rows:
        reason, fix = (refusals[0].reason, refusals[0].fix) if refusals else ("it holds no text", "Name another file")
        raise source.error(reason, fix=fix)
    title = rows[0].get(TITLE_COLUMN)
    texts = _cleaned([row[TEXT_COLUMN] for row in rows])
    if source.kind is FileKind.EPUB:
        names = [str(row.get(CHAPTER_COLUMN) or "") for row in rows]
        return Book(source.name, outline_of_chapters(zip(names, texts, strict=True), title), refusals)
    return Book(source.name, outline(texts[0], title), refusals)


def _cleaned(texts: Sequence[str]) -> list[str]:
    cleaned: list[str] = clean_texts(pa.array(texts, pa.string()), CleanOptions()).texts.to_pylist()
    return cleaned


def _written(
    books: tuple[Book, ...], made: Sequence[Sequence[Example]], out: Path, kinds: Mapping[str, int]
) -> BookRows:
    if not any(made):
        fix = "Ask for other kinds or shorter answers, or name longer books"
        problem = Problem("no passage of the books could be used", file=str(out), fix=fix)
        raise DataError(f"{out} was not written", [problem])
    count = write_rows((row for rows in made for row in _rows(rows)), out)
    of_book = {book.source: len(rows) for book, rows in zip(books, made, strict=True)}
    return BookRows(books, out, count, of_book, dict(kinds))


def _rows(examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
    """Rows that say where they are from; `group` keeps a chapter on one side of a split."""
    for example in examples:
        said = (
            {"text": example.text}
            if example.text is not None
            else {"prompt": example.messages[0].content, "completion": example.reference}
        )
        yield {**said, **example.fields, "group": example.group, "source": example.source, "line": example.line}
