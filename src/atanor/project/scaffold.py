"""Starts a project: a commented project file and a small data set that run as they are."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from atanor.errors import ConfigurationError, Problem, StoreError
from atanor.nearest import did_you_mean

TEMPLATES: Mapping[str, str] = {
    "answer": "a prompt and the answer it should get, in a voice of its own",
    "label": "a text and the one label it belongs to",
    "text": "plain text to write on in its style",
    "chat": "conversations of several turns, in character",
    "json": "a sentence turned into JSON of a schema",
}
"""Every template with what its data is, in one line."""


def init_project(directory: Path, template: str = "answer") -> list[Path]:
    """Write a project that runs as it is. Nothing is written when a file of it is already there.

    Args:
        directory: the project's folder; made when it is not there.
        template: one of `TEMPLATES`.

    Returns:
        The files written, `atanor.yaml` first.

    Raises:
        ConfigurationError: no such template, or a file is in the way.
        StoreError: the folder cannot be written.
    """
    if template not in TEMPLATES:
        listing = "; ".join(f"{name}: {about}" for name, about in TEMPLATES.items())
        problem = Problem(
            "no such template", value=template, fix=did_you_mean(template, TEMPLATES, f"Templates: {listing}")
        )
        raise ConfigurationError("the project was not started", [problem])
    content = _files_of(files("atanor.project") / "templates" / template, PurePosixPath())
    targets = {directory / name: text for name, text in content.items()}
    in_the_way = [path for path in targets if path.exists()]
    if in_the_way:
        fix = "Choose another folder, or move the file away"
        problems = [Problem("the file is already there", str(path), fix=fix) for path in in_the_way]
        raise ConfigurationError("the project was not started; nothing was overwritten", problems)
    for path, text in targets.items():
        _write(path, text)
    return list(targets)


def _files_of(folder: Traversable, below: PurePosixPath) -> dict[PurePosixPath, bytes]:
    """The files of a template by relative path, those of a folder before its subfolders."""
    entries = sorted(folder.iterdir(), key=lambda entry: (entry.is_dir(), entry.name))
    found: dict[PurePosixPath, bytes] = {}
    for entry in entries:
        if entry.is_dir():
            found |= _files_of(entry, below / entry.name)
        else:
            found[below / entry.name] = entry.read_bytes()
    return found


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive creation: a file that appeared since the check is not overwritten either.
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        problem = Problem(f"{error.strerror}", str(path), fix="Check the folder and its permissions")
        raise StoreError("the project could not be written", [problem]) from error
