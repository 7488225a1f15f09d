"""A written path to the files it stands for: itself, those of a folder, or those that match a pattern."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atanor.data import limits
from atanor.errors import DataError, Problem

_MAGIC = ("*", "?", "[")
_SAVED = "state.json"
"""A folder with this file and `dataset_info.json` was written by `datasets.Dataset.save_to_disk`."""
_SAVED_SPLITS = "dataset_dict.json"


@dataclass(frozen=True)
class Member:
    """A file, or the folder of a saved data set.

    Attributes:
        path: where it is.
        name: its path as the user would write it.
        inside: the user wrote a folder or a pattern, and this is one of several.
        saved: it is the folder of a data set that the `datasets` library saved.
    """

    path: Path
    name: str
    inside: bool = False
    saved: bool = False


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path ends outside of the folder `root` once its links are followed."""
    # realpath neither fails on a circle of links nor asks that the file is there.
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def members(written: str, root: Path) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """The files that a path stands for, sorted, and the names of folders in it that were not entered.

    Hidden files (`.git`, `._book.txt`) belong to programs and are no members. Links to folders are not entered: they
    can lead in circles.

    Args:
        written: the path as the user wrote it.
        root: folder that relative paths start from.

    Raises:
        DataError: there are more files than may be, or the folder holds several splits of a data set.
    """
    path = root / written
    if path.is_dir():
        return _of_folder(written, path)
    if any(mark in written for mark in _MAGIC) and not os.path.lexists(path):
        return _matching(written, root), ()
    return (Member(path, written),), ()


def nearby(name: str, path: Path, suffixes: Collection[str]) -> str:
    """The fix for a missing file: the nearest name beside it, or what is there with one of these suffixes."""
    if not path.parent.is_dir():
        return f"The folder {path.parent} does not exist either; write the path relative to the project file"
    names = sorted(child.name for child in path.parent.iterdir() if set(child.suffixes[-2:]) & set(suffixes))
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.75)
    folder = Path(name).parent
    if close:
        return "Nearby: " + ", ".join(str(folder / one) for one in close)
    return "Files there: " + ", ".join(names[:5]) if names else f"No file of rows is in {path.parent}"


def _of_folder(written: str, folder: Path) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    if (folder / _SAVED).is_file() and (folder / "dataset_info.json").is_file():
        return (Member(folder, written, saved=True),), ()
    if (folder / _SAVED_SPLITS).is_file():
        splits = sorted(child.name for child in folder.iterdir() if (child / _SAVED).is_file())
        reason = f"the folder holds the splits of a data set: {', '.join(splits)}"
        raise _error(written, reason, fix=f"Name one of them: {written.rstrip('/')}/{splits[0] if splits else 'SPLIT'}")
    not_entered: list[str] = []
    names = sorted(_limited(written, _walk(folder, not_entered)))
    prefix = written.rstrip("/")
    found = tuple(Member(folder / name, f"{prefix}/{name}", inside=True) for name in names)
    return found, tuple(f"{prefix}/{name}" for name in sorted(not_entered))


def _walk(folder: Path, not_entered: list[str]) -> Iterator[str]:
    """Every file that is not hidden under a folder, relative to it."""
    # followlinks is off: a link to a folder above it would never end.
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = Path(place)
        not_entered.extend(
            (here / name).relative_to(folder).as_posix() for name in folders if (here / name).is_symlink()
        )
        yield from ((here / name).relative_to(folder).as_posix() for name in files if not name.startswith("."))


def _matching(written: str, root: Path) -> tuple[Member, ...]:
    """The files that match a pattern such as `books/*.txt` or `**/*.jsonl`."""
    parts = Path(written).parts
    fixed = next(index for index, part in enumerate(parts) if any(mark in part for mark in _MAGIC))
    start = Path(*parts[:fixed])
    base = root / start
    try:
        matches = base.glob(str(Path(*parts[fixed:])))
        names = sorted(_limited(written, (path.relative_to(base).as_posix() for path in matches if not path.is_dir())))
    except DataError:
        raise
    except ValueError as error:
        raise _error(written, f"not a pattern of file names: {error}", fix="Write one as data/*.jsonl") from error
    return tuple(Member(base / name, (start / name).as_posix(), inside=True) for name in names)


def _limited(written: str, names: Iterable[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        if number == limits.FILES:
            reason = f"more than {limits.FILES} files are there"
            raise _error(written, reason, fix="Name a folder further down, or several patterns")
        yield name


def _error(written: str, reason: str, *, fix: str) -> DataError:
    return DataError(f"{written} cannot be used", [Problem(reason, file=written, fix=fix)])
