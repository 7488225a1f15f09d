"""A source's options to the frame its rows are read in; the names of its classes are read here."""

from __future__ import annotations

import json
from pathlib import Path

from atanor.data.formats.columns import Columns
from atanor.data.formats.frame import Frame
from atanor.data.paths import leads_out
from atanor.data.sources import Source

MOST_LABEL_BYTES = 1 << 20
"""Bytes of a file of class names; a longer one is no such file."""


def frame_of(source: Source, columns: Columns, root: Path, *, system: str | None, group_by: str | None) -> Frame:
    """How the rows of a source become examples.

    Args:
        source: the file and its options.
        columns: its shape, from `columns_of`.
        root: folder that a file of labels is relative to.
        system: the role's system message.
        group_by: column whose equal values stay on one side of the split.

    Raises:
        DataError: the names of the classes cannot be read.
    """
    options = source.options
    return Frame(
        source=source.name,
        columns=columns,
        group_by=group_by,
        system=system,
        template=options.system,
        labels=_labels(source, root),
        assistant=options.assistant,
        window=options.window,
        branches=options.branches,
    )


def _labels(source: Source, root: Path) -> tuple[str, ...] | None:
    labels = source.options.labels
    if labels is None:
        return None
    names = labels if isinstance(labels, tuple) else _labels_in_file(source, root / labels, root)
    if not names or any(not name.strip() for name in names):
        raise source.error("a class has no name", option="labels", fix="Write the names as [first, second]")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise source.error(f"the class `{twice}` is named twice", option="labels", fix="Name every class once")
    return names


def _labels_in_file(source: Source, path: Path, root: Path) -> tuple[str, ...]:
    """A JSON list of names, or one name a line."""
    if not source.options.outside and leads_out(path, root):
        fix = "Copy the file into the project, or allow it with `outside: true`"
        raise source.error("the path leads out of the project's folder", option="labels", fix=fix)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_LABEL_BYTES + 1)
        if len(content) > MOST_LABEL_BYTES:
            raise source.error("the file is too long for names of classes", option="labels", fix="Name another file")
        text = content.decode("utf-8-sig")
    except OSError as error:
        reason = f"the names of the classes cannot be read: {error.strerror}"
        raise source.error(
            reason, option="labels", fix="Name a file that is there, or write [first, second]"
        ) from error
    except UnicodeDecodeError as error:
        raise source.error("the names are not UTF-8 text", option="labels", fix="Save the file as UTF-8") from error
    if not text.lstrip().startswith("["):
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    try:
        names = json.loads(text)
    except ValueError as error:
        raise source.error(f"the names are not JSON: {error}", option="labels", fix="Write a list of texts") from error
    if not all(isinstance(name, str) for name in names):
        raise source.error("the names are not a list of texts", option="labels", fix="Write a list of texts")
    return tuple(names)
