"""The project file: reading one, with everything that is wrong with it said at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atanor.errors import Problem
from atanor.models.reference import BaseReference
from atanor.project.document import PROJECT_FILE_NAME, Document, read_document
from atanor.project.options import DEFAULT_METRICS, MethodChoice, ProjectFile, RoleOptions, Task
from atanor.project.validation import project_refused, validate

__all__ = [
    "DEFAULT_METRICS",
    "PROJECT_FILE_NAME",
    "BaseReference",
    "LoadedProject",
    "MethodChoice",
    "ProjectFile",
    "RoleOptions",
    "Task",
    "load_project_file",
    "project_refused",
]


@dataclass(frozen=True)
class LoadedProject:
    """A project file with where it came from.

    Attributes:
        file: the options.
        path: the file, as the user named it.
        root: the folder that relative paths in it start from.
        document: the text as values with lines.
    """

    file: ProjectFile
    path: Path
    root: Path
    document: Document

    @property
    def text(self) -> str:
        """The file's text as it stood."""
        return self.document.text

    @property
    def lines(self) -> Mapping[str, int]:
        """Dotted path of every value written to its line, from 1."""
        return self.document.lines

    def problem(self, field: str, reason: str, value: str | None = None, fix: str | None = None) -> Problem:
        """A problem with an option of this project, at its line or that of the group it belongs to."""
        return Problem(reason, str(self.path), self.document.line_of(field) or 1, field, value, fix)


def load_project_file(path: Path) -> LoadedProject:
    """Read and validate a project file.

    Args:
        path: the file, or the folder of an `atanor.yaml`.

    Raises:
        ConfigurationError: with every problem that types, ranges and names can show; `check_project` finds the rest.
    """
    document = read_document(path)
    return LoadedProject(validate(document), document.file, document.file.parent, document)
