"""Finds the files a role names, before any of them is read: missing, unreadable and empty files are told together."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from atanor.data.containers.encodings import UTF8, known_encoding, marked_encoding, nearest_encoding
from atanor.data.containers.packing import PACKINGS, DamagedError, Packing, unpacker
from atanor.data.options import SourceOptions
from atanor.data.paths import Member, leads_out, members, nearby
from atanor.errors import DataError, Problem


class FileKind(StrEnum):
    """How rows are laid out in a file, by the end of its name."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    ARROW = "arrow"
    SQLITE = "sqlite"
    TXT = "txt"
    """Paragraphs, with blank lines between them."""
    DOCUMENT = "document"
    """A text file in a folder or behind a pattern: the whole file is one row."""
    MARKDOWN = "markdown"
    HTML = "html"
    EPUB = "epub"
    DATASET = "dataset"
    """A data set of the `datasets` library: a folder that it saved, or `hf:owner/name`."""

    @property
    def is_text(self) -> bool:
        """The bytes are text, so they may be packed and in another encoding."""
        return self in _TEXT_KINDS

    @property
    def is_prose(self) -> bool:
        """The rows hold plain text in the column `text`; a title beside it describes it."""
        return self in _PROSE_KINDS


_PROSE_KINDS = {FileKind.TXT, FileKind.DOCUMENT, FileKind.MARKDOWN, FileKind.HTML, FileKind.EPUB}
_TEXT_KINDS = {FileKind.JSONL, FileKind.JSON, FileKind.CSV, FileKind.TSV, *_PROSE_KINDS} - {FileKind.EPUB}
_KINDS = {
    ".jsonl": FileKind.JSONL,
    ".ndjson": FileKind.JSONL,
    ".json": FileKind.JSON,
    ".csv": FileKind.CSV,
    ".tsv": FileKind.TSV,
    ".parquet": FileKind.PARQUET,
    ".arrow": FileKind.ARROW,
    ".feather": FileKind.ARROW,
    ".sqlite": FileKind.SQLITE,
    ".db": FileKind.SQLITE,
    ".txt": FileKind.TXT,
    ".md": FileKind.MARKDOWN,
    ".html": FileKind.HTML,
    ".htm": FileKind.HTML,
    ".epub": FileKind.EPUB,
}
_HUB = "hf:"
_HUB_NAME = re.compile(r"hf:[\w.-]+/[\w.-]+(:[\w.-]+)?(@[\w./-]+)?")


@dataclass(frozen=True)
class Source:
    """A file that is there and not empty, and how its rows are to be read.

    Attributes:
        options: as written in the project file.
        path: where the file is; of a data set on the hub, its name.
        kind: how rows are laid out in it.
        field: where the project file names it, as `data` or `data[1]`.
        member: the path of one file of the folder or pattern that the user wrote, as he would write it; None: the
            user wrote the path of the file itself.
        packing: how the file is packed, or None.
        encoding: encoding of a text file, as the option or a byte-order mark tells.
        passed_over: files of the same folder or pattern that are of no known kind, as `scans/page.png`; the first
            source of a folder has them, for a report to tell.
    """

    options: SourceOptions
    path: Path
    kind: FileKind
    field: str
    member: str | None = None
    packing: Packing | None = None
    encoding: str = UTF8
    passed_over: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The path as the user wrote it, or would write it for one file of a folder."""
        return self.options.path if self.member is None else self.member

    def error(self, reason: str, *, fix: str, option: str = "path", line: int | None = None) -> DataError:
        """An error about the whole file; `option` is the source's own option it is about."""
        problem = Problem(reason, file=self.name, line=line, field=f"{self.field}.{option}", fix=fix)
        return DataError(f"{self.name} cannot be used", [problem])


def locate(options: Sequence[SourceOptions], root: Path, *, confined: bool = True) -> tuple[Source, ...]:
    """Find every file, relative to `root` unless absolute; a folder and a pattern stand for the files in them.

    Args:
        options: the sources, in order. The files of a folder are sorted by name.
        root: the project's folder.
        confined: paths that lead out of `root` are refused unless their source says `outside: true`.

    Raises:
        DataError: with one problem for each file that is missing, outside, unreadable, empty, no file at all (a pipe,
            a device), of an unknown kind, or contradicted by its options.
    """
    sources: list[Source] = []
    problems: list[Problem] = []
    for index, one in enumerate(options):
        field = "data" if len(options) == 1 else f"data[{index}]"
        for found in _sources_of(one, root, field, confined=confined):
            if isinstance(found, Source):
                sources.append(found)
            else:
                problems.extend(found.problems)
    if problems:
        raise DataError("the data cannot be read; nothing was started", problems)
    return tuple(sources)


def _sources_of(one: SourceOptions, root: Path, field: str, *, confined: bool) -> Iterator[Source | DataError]:
    """Every file that one entry of `data` names, or what is wrong with it."""
    written = Source(one, root / one.path, FileKind.DATASET, field)
    if one.path.startswith(_HUB):
        yield _on_the_hub(written)
        return
    try:
        if "\0" in one.path:
            raise written.error("the path holds a null byte", fix="Write the path of a file")
        if confined and not one.outside and leads_out(written.path, root):
            raise _outside(written)
        found, others = members(one.path, root)
    except DataError as error:
        yield DataError(error.summary, [replace(problem, field=f"{field}.path") for problem in error.problems])
        return
    except OSError as error:
        # A name too long for the file system, for one.
        yield written.error(_cannot(error), fix="Write the path of a file")
        return
    files = [member for member in found if _may_hold_rows(member)]
    others += tuple(member.name for member in found if not _may_hold_rows(member))
    if not files:
        yield _nothing_inside(written, others)
    for number, member in enumerate(files):
        source = replace(written, path=member.path, member=member.name if member.inside else None)
        try:
            if confined and not one.outside and leads_out(member.path, root):
                raise _outside(source)
            yield replace(_checked(source, member), passed_over=() if number else others)
        except DataError as error:
            yield error


def _may_hold_rows(member: Member) -> bool:
    """Files of other kinds in a folder are passed over; one that the user named himself is an error later."""
    return member.saved or not member.inside or _kind(member.path) is not None


def _on_the_hub(source: Source) -> Source | DataError:
    name = source.options.path
    if not _HUB_NAME.fullmatch(name):
        return source.error("not the name of a data set", fix="Write hf:owner/name, hf:owner/name:split or …@revision")
    try:
        _refuse_foreign_options(source)
    except DataError as error:
        return error
    return replace(source, path=Path(name))


def _outside(source: Source) -> DataError:
    return source.error(
        "the path leads out of the project's folder",
        fix="Copy the file into the project, or allow it with `outside: true`",
    )


def _nothing_inside(source: Source, others: Sequence[str]) -> DataError:
    held = f"; files there: {', '.join(others[:5])}" if others else ""
    what = "this is a folder without a file of rows" if source.path.is_dir() else "no file of rows has such a name"
    return source.error(what + held, fix=f"Use files of {', '.join(_KINDS)}")


def _checked(source: Source, member: Member) -> Source:
    """The source with its kind, packing and encoding, once it is known that it can be opened."""
    if member.saved:
        source = replace(source, kind=FileKind.DATASET)
        _refuse_foreign_options(source)
        return source
    try:
        mode = source.path.stat().st_mode
    except OSError as error:
        reason = "the file does not exist" if isinstance(error, FileNotFoundError) else _cannot(error)
        raise source.error(reason, fix=nearby(source.name, source.path, _KINDS)) from error
    if not stat.S_ISREG(mode):
        raise source.error("this is a pipe or a device, not a file", fix="Write its content into a file first")
    kind = _kind(source.path)
    if kind is None:
        reason = f"files of this kind are not read: {source.path.suffix or 'no suffix'}"
        raise source.error(reason, fix=f"Use one of {', '.join(_KINDS)}")
    options = source.options
    if kind is FileKind.TXT and (member.inside or options.windows is not None or options.instructions is not None):
        kind = FileKind.DOCUMENT
    source = replace(source, kind=kind, packing=PACKINGS.get(source.path.suffix.lower()))
    if source.packing and not kind.is_text:
        raise source.error(f"a {kind} file is not read while it is packed", fix="Unpack it first")
    _refuse_foreign_options(source)
    return _with_encoding(source, _head(source))


def _kind(path: Path) -> FileKind | None:
    """The kind of a file by its name without the suffix of its packing."""
    plain = path.with_suffix("") if path.suffix.lower() in PACKINGS else path
    return _KINDS.get(plain.suffix.lower())


def _refuse_foreign_options(source: Source) -> None:
    """An option about another kind of file would be ignored."""
    options, kind = source.options, source.kind
    for option in ("table", "query"):
        if getattr(options, option) is not None and kind is not FileKind.SQLITE:
            raise source.error(f"`{option}` is about databases", option=option, fix=f"Remove `{option}`")
    if options.table is not None and options.query is not None:
        raise source.error("`table` and `query` exclude each other", option="query", fix="Keep one of them")
    if options.encoding is not None and not kind.is_text:
        raise source.error("`encoding` is about files of text", option="encoding", fix="Remove `encoding`")
    if options.max_bytes is not None and kind is FileKind.DATASET:
        raise source.error("`max_bytes` is about single files", option="max_bytes", fix="Remove `max_bytes`")


def _head(source: Source) -> bytes:
    """The first bytes of the file, unpacked."""
    most = source.options.max_bytes
    if most is not None and source.path.stat().st_size > most:
        raise source.error(f"the file is larger than {most} bytes", option="max_bytes", fix="Allow more, or split it")
    try:
        if source.packing is None:
            with source.path.open("rb") as plain:
                return plain.read(4)
        packed = unpacker(source.path, source.packing)
        try:
            return packed.read1(4)
        finally:
            packed.close()
    except DamagedError as error:
        raise source.error(f"not {source.packing} data: {error}", fix="Get or pack the file again") from error
    except OSError as error:
        raise source.error(_cannot(error), fix="Make it readable for you") from error


def _cannot(error: OSError) -> str:
    return f"the file cannot be read: {error.strerror}"


def _with_encoding(source: Source, head: bytes) -> Source:
    """The source with the encoding of its text."""
    if not head.removeprefix(b"\xef\xbb\xbf"):
        raise source.error("the file is empty", fix="Put rows in it, or remove it from the project")
    if not source.kind.is_text:
        return source
    wanted, marked = source.options.encoding, marked_encoding(head)
    if wanted is None:
        return replace(source, encoding=marked or UTF8)
    encoding = known_encoding(wanted)
    if encoding is None:
        raise source.error(f"`{wanted}` is no known encoding", option="encoding", fix=nearest_encoding(wanted))
    if marked is not None and not encoding.startswith(marked):
        reason = f"the file's byte-order mark says {marked}, not {wanted}"
        raise source.error(reason, option="encoding", fix="Remove `encoding`")
    return replace(source, encoding=encoding)
