"""What each command that writes a file of rows does: call one function of a room below and show what it returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from atanor.cli import file_tables
from atanor.cli.live import TerminalProgress
from atanor.cli.screen import quiet_libraries, show_json, show_view
from atanor.errors import ConfigurationError, Problem
from atanor.project.choices import choice_of, choices_of, endpoint_of, group_of, source_of, technique_of

if TYPE_CHECKING:
    from atanor.data.augmentation import Engine
    from atanor.data.workshop.book_files import BookRows
    from atanor.data.workshop.single import Treated
    from atanor.progress import Progress


@dataclass(frozen=True)
class Wanted:
    """What `atanor data augment` is asked for."""

    technique: Mapping[str, Any]
    endpoint: Mapping[str, str | None]
    base: str | None
    balance: bool
    limit: int | None
    options: Path | None
    only_new: bool
    seed: int


class Author(StrEnum):
    """Who writes instructions where they are not made by rule."""

    LOCAL = "local"
    ENDPOINT = "endpoint"


@dataclass(frozen=True)
class Writer:
    """Who was asked to write the instructions of `atanor data instruct`; None: nobody, they are made by rule."""

    engine: str | None
    endpoint: Mapping[str, str | None]


def convert(
    source: str,
    out: Path,
    to: str,
    pairs: tuple[str, ...],
    named: Mapping[str, str | None],
    *,
    as_json: bool,
) -> None:
    from atanor.data.workshop.converting import convert_file
    from atanor.data.writing import WriteFormat

    kind = choice_of(WriteFormat, to, "--to")
    done = convert_file(source_of(source, pairs, **named), out, kind, TerminalProgress())
    if as_json:
        show_json(
            {
                "read": done.version.read,
                "written": done.report.written,
                "format": str(kind),
                "path": str(out),
                "sources": [one.model_dump() for one in done.version.sources],
                "refused": [dataclasses.asdict(refusal) for refusal in done.refusals],
                "quarantine": _path(done.quarantine),
                "notes": list(done.report.notes),
            }
        )
        return
    show_view(file_tables.converted_view(done))
    _next(f"atanor data show {out}")


def clean(source: str, out: Path, pairs: tuple[str, ...], options: Path | None, as_json: bool) -> None:
    from atanor.data.cleaning import CleanOptions
    from atanor.data.workshop.single import clean_file
    from atanor.project.datasets import options_in_file

    wanted = CleanOptions() if options is None else options_in_file(options, CleanOptions)
    _show(clean_file(source_of(source, pairs), out, wanted, TerminalProgress()), f"atanor data check {out}", as_json)


def mask(source: str, out: Path, pairs: tuple[str, ...], *, kinds: str | None, secrets: bool, as_json: bool) -> None:
    from atanor.data.checks import DEFAULT_KINDS, PersonalDataKind
    from atanor.data.workshop.single import mask_file

    wanted = DEFAULT_KINDS if kinds is None else choices_of(PersonalDataKind, kinds, "--kinds")
    done = mask_file(source_of(source, pairs), out, wanted, secrets, TerminalProgress())
    _show(done, f"atanor data check {out}", as_json)


def dedupe(
    source: str, out: Path, pairs: tuple[str, ...], *, near: str, similarity: float | None, as_json: bool
) -> None:
    from atanor.data.workshop.options import CheckOptions
    from atanor.data.workshop.single import Near, dedupe_file

    leave = choice_of(Near, near, "--near") is Near.LEAVE_OUT
    alike = group_of(CheckOptions, {"similarity": similarity}).similarity
    done = dedupe_file(source_of(source, pairs), out, TerminalProgress(), near=leave, similarity=alike)
    _show(done, f"atanor data check {out}", as_json)


def split(
    source: str,
    folder: Path,
    pairs: tuple[str, ...],
    options: Mapping[str, Any],
    *,
    group_by: str | None,
    seed: int,
    as_json: bool,
) -> None:
    from atanor.data.options import SplitOptions
    from atanor.data.workshop.single import split_file

    groups = group_by.split(",") if group_by is not None and "," in group_by else group_by
    wanted = group_of(SplitOptions, {**options, "group_by": groups})
    done = split_file(source_of(source, pairs), folder, wanted, seed, TerminalProgress())
    test = next(path for path in done.written if path.stem.startswith("test"))
    _show(done, f"atanor data contamination {test.with_name(test.name.replace('test', 'train', 1))} {test}", as_json)


def contamination(
    train: str | None,
    tests: Sequence[str],
    pairs: tuple[str, ...],
    *,
    project: Path,
    probe: str | None,
    near: bool,
    as_json: bool,
) -> None:
    from atanor.data.options import NEAR_DUPLICATE
    from atanor.data.workshop.overlap import overlap_of, overlap_of_sides
    from atanor.project.datasets import dataset_or_file

    alike = NEAR_DUPLICATE if near else None
    if train is not None and tests:
        items = [source_of(test, () if probe else pairs, text=probe) for test in tests]
        found = overlap_of(source_of(train, pairs), items, TerminalProgress(), near=alike)
    else:
        with dataset_or_file(train, project, pairs, TerminalProgress()) as dataset:
            within = overlap_of_sides(dataset, near=alike)
        if within is None:
            fix = "Name files of test rows after it: `atanor data contamination TRAIN TEST`"
            raise ConfigurationError("nothing is held out", [Problem("no row is for testing", value=train, fix=fix)])
        found = within
    if as_json:
        show_json(dataclasses.asdict(found))
        return
    show_view(file_tables.overlap_view(found))
    if found.found:
        show_view(Text("next: take these items out of the training rows, or out of the test"))


def augment(source: str, out: Path, pairs: tuple[str, ...], wanted: Wanted, as_json: bool) -> None:
    from atanor.data.augmentation import AugmentOptions, Engines
    from atanor.data.workshop.more_rows import augment_file
    from atanor.project.datasets import base_here, options_in_file
    from atanor.project.engines import base_engine

    quiet_libraries()
    endpoint = endpoint_of(wanted.endpoint)
    typed_engine = wanted.technique["engine"] or (None if endpoint is None else "endpoint")
    asked = {**wanted.technique, "engine": typed_engine, "endpoint": endpoint}
    technique = {name: value for name, value in asked.items() if value is not None}
    if (wanted.options is None) == ("method" not in technique):
        fix = "Write `--method eda`, or `--options FILE.yaml` with the options of `augment`"
        raise ConfigurationError(
            "one of --method and --options says how rows are made", [Problem("not one of them", fix=fix)]
        )
    if wanted.options is not None:
        options = options_in_file(wanted.options, AugmentOptions)
    else:
        typed = {"techniques": [technique_of(technique)], "balance": wanted.balance, "limit": wanted.limit}
        options = group_of(AugmentOptions, typed)
    watching = TerminalProgress()
    engines = Engines()
    if options.asks_base:
        local = base_engine(wanted.base or base_here(Path()), Path(), options.local, wanted.seed, watching)
        engines = Engines(local=local, local_name=local.name)
    made = augment_file(
        source_of(source, pairs), out, options, wanted.seed, watching, engines=engines, only_new=wanted.only_new
    )
    if as_json:
        show_json(
            {
                "read": made.version.read,
                "written": made.written,
                "originals": made.originals,
                "format": str(made.format),
                "path": str(out),
                "filtered": _path(made.filtered),
                "report": dataclasses.asdict(made.report),
            }
        )
        return
    show_view(file_tables.more_rows_view(made, out))
    _next(f"atanor data check {out}")


def windows(paths: Sequence[str], options: Mapping[str, Any], base: str | None, as_json: bool) -> None:
    from atanor.data.corpora import WindowOptions
    from atanor.data.workshop.book_files import write_windows
    from atanor.project.datasets import base_here, glasses

    quiet_libraries()
    wanted = group_of(WindowOptions, options)
    books, out = _books_and_out(paths)
    measure = glasses(base or base_here(Path()), Path(), TerminalProgress()).tokenizer
    _show_books(write_windows([source_of(book) for book in books], out, measure, wanted), as_json)


def instruct(
    paths: Sequence[str], options: Mapping[str, Any], writer: Writer, base: str | None, *, seed: int, as_json: bool
) -> None:
    from atanor.data.corpora import InstructionOptions, RowKind
    from atanor.data.workshop.book_files import write_instructions
    from atanor.project.datasets import base_here, glasses

    quiet_libraries()
    kinds = None if options["kinds"] is None else choices_of(RowKind, options["kinds"], "--kinds")
    wanted = group_of(InstructionOptions, {**options, "kinds": kinds})
    books, out = _books_and_out(paths)
    reference = base or base_here(Path())
    watching = TerminalProgress()
    engine = _author(writer, reference, seed, watching)
    measure = glasses(reference, Path(), watching).tokenizer
    sources = [source_of(book) for book in books]
    _show_books(write_instructions(sources, out, measure, wanted, seed, engine=engine, progress=watching), as_json)


def _author(writer: Writer, base: str, seed: int, progress: Progress) -> Engine | None:
    from atanor.data.augmentation.endpoint import Endpoint
    from atanor.data.augmentation.options import LocalOptions
    from atanor.project.engines import base_engine

    endpoint = endpoint_of(writer.endpoint)
    if writer.engine is None and endpoint is None:
        return None
    who = Author.ENDPOINT if writer.engine is None else choice_of(Author, writer.engine, "--engine")
    if who is Author.LOCAL:
        return base_engine(base, Path(), LocalOptions(), seed, progress)
    if endpoint is None:
        fix = "Write `--base-url https://host/v1 --model NAME`"
        raise ConfigurationError("an endpoint needs its address", [Problem("missing", field="--base-url", fix=fix)])
    return Endpoint(endpoint, "endpoint")


def extend(
    source: str, out: Path, pairs: tuple[str, ...], base: str | None, wanted: Mapping[str, Any], *, as_json: bool
) -> None:
    from atanor.project.datasets import base_here
    from atanor.project.extending import extend_base

    quiet_libraries()
    made = extend_base(base or base_here(Path()), source_of(source, pairs), out, progress=TerminalProgress(), **wanted)
    if as_json:
        show_json({**dataclasses.asdict(made), "path": str(out)})
        return
    show_view(file_tables.extension_view(made, out))
    _next(f"write `base: path:{out}` in atanor.yaml and train: the new tokens know nothing yet")


def _books_and_out(paths: Sequence[str]) -> tuple[list[str], Path]:
    """Everything but the last path is a book."""
    if len(paths) < 2:
        problem = Problem("one path only", value=paths[0], fix="Write `atanor data windows book.txt rows.jsonl`")
        raise ConfigurationError("books and the file to write are needed", [problem])
    return list(paths[:-1]), Path(paths[-1])


def _show_books(made: BookRows, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "written": made.written,
                "path": str(made.path),
                "kinds": made.kinds,
                "passed_over": made.passed_over,
                "refused": len(made.refused),
                "quarantine": _path(made.quarantine),
                "books": [
                    {
                        "source": book.source,
                        "title": book.outline.title,
                        "author": book.outline.author,
                        "rows": made.of_book[book.source],
                        "chapters": [{"name": name, "characters": length} for name, length in book.chapters],
                        "refused": [dataclasses.asdict(refusal) for refusal in book.refusals],
                    }
                    for book in made.books
                ],
            }
        )
        return
    show_view(file_tables.books_view(made))
    _next(
        f"atanor data split {made.path} split --map text=text --group-by group"
        if not made.kinds
        else f"atanor data check {made.path}"
    )


def _show(treated: Treated, following: str, as_json: bool) -> None:
    if as_json:
        version = treated.version
        show_json(
            {
                "read": version.read,
                "written": {str(path): count for path, count in treated.written.items()},
                "stages": [dataclasses.asdict(stage) for stage in version.stages],
                "sources": [one.model_dump() for one in version.sources],
                "refused": [dataclasses.asdict(refusal) for refusal in treated.refusals],
                "quarantine": _path(treated.quarantine),
                "log": _path(treated.log),
            }
        )
        return
    show_view(file_tables.treated_view(treated))
    _next(following)


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _next(command: str) -> None:
    show_view(Text(f"next: {command}"))
