"""Finds the files a role names, before any of them is read: missing, unreadable and empty files are told together."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from atanor.data.options import SourceOptions
from atanor.errors import DataError, Problem


class FileKind(StrEnum):
    """How rows are laid out in a file, by the end of its name."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    TXT = "txt"


_KINDS = {f".{kind}": kind for kind in FileKind} | {".ndjson": FileKind.JSONL}
_FOREIGN_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x1f\x8b": "gzip"}


@dataclass(frozen=True)
class Source:
    """A file that is there and not empty, and how its rows are to be read.

    Attributes:
        options: as written in the project file.
        path: where the file is.
        kind: how rows are laid out in it.
        field: where the project file names it, as `data` or `data[1]`.
    """

    options: SourceOptions
    path: Path
    kind: FileKind
    field: str

    @property
    def name(self) -> str:
        """The path as the user wrote it."""
        return self.options.path

    def error(self, reason: str, *, fix: str, option: str = "path", line: int | None = None) -> DataError:
        """An error about the whole file; `option` is the source's own option it is about."""
        problem = Problem(reason, file=self.name, line=line, field=f"{self.field}.{option}", fix=fix)
        return DataError(f"{self.name} cannot be used", [problem])


def locate(options: Sequence[SourceOptions], root: Path) -> tuple[Source, ...]:
    """Find every file, relative to `root` unless absolute.

    Raises:
        DataError: with one problem for each file that is missing, a folder, unreadable, empty, not UTF-8 as a whole,
            or of an unknown kind.
    """
    sources: list[Source] = []
    problems: list[Problem] = []
    for index, one in enumerate(options):
        field = "data" if len(options) == 1 else f"data[{index}]"
        path = root / one.path
        problem = _file_problem(one.path, path, f"{field}.path")
        if problem is not None:
            problems.append(problem)
        else:
            sources.append(Source(one, path, _KINDS[path.suffix.lower()], field))
    if problems:
        raise DataError("the data cannot be read; nothing was started", problems)
    return tuple(sources)


def _file_problem(name: str, path: Path, field: str) -> Problem | None:
    """What is wrong with the file as a whole, or None."""
    if path.is_dir():
        inside = ", ".join(sorted(child.name for child in path.iterdir() if child.suffix.lower() in _KINDS)[:5])
        fix = f"Name one of the files in it: {inside}" if inside else "Name a file of rows"
        return Problem("this is a folder, not a file of rows", file=name, field=field, fix=fix)
    if not path.exists():
        return Problem("the file does not exist", file=name, field=field, fix=_nearby(name, path))
    if path.suffix.lower() not in _KINDS:
        known = ", ".join(_KINDS)
        unpack = f"Unpack it first: gunzip -k {name}" if path.suffix.lower() == ".gz" else f"Use one of {known}"
        return Problem(f"files of this kind are not read: {path.suffix or 'no suffix'}", name, field=field, fix=unpack)
    return _content_problem(name, path, field)


def _content_problem(name: str, path: Path, field: str) -> Problem | None:
    """What is wrong with the first bytes of the file, or None."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        return Problem(f"the file cannot be read: {error.strerror}", name, field=field, fix="Make it readable for you")
    if not head.removeprefix(b"\xef\xbb\xbf"):
        return Problem("the file is empty", file=name, field=field, fix="Put rows in it, or remove it from the project")
    foreign = _FOREIGN_MARKS.get(head[:2])
    if foreign is not None:
        return Problem(f"the file is {foreign}, not UTF-8 text", name, field=field, fix="Save or unpack it as UTF-8")
    return None


def _nearby(name: str, path: Path) -> str:
    """The fix for a missing file: the nearest name beside it, or what is there."""
    if not path.parent.is_dir():
        return f"The folder {path.parent} does not exist either; write the path relative to the project file"
    names = sorted(child.name for child in path.parent.iterdir() if child.suffix.lower() in _KINDS)
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.75)
    folder = Path(name).parent
    if close:
        return "Nearby: " + ", ".join(str(folder / one) for one in close)
    return "Files there: " + ", ".join(names[:5]) if names else f"No file of rows is in {path.parent}"
