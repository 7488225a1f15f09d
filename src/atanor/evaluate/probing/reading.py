"""Probe files: those Atanor brings and those a project names, as JSON lines with the keys a probe needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from atanor.errors import ConfigurationError, Problem


def read_material(name: str, path: str | None, root: Path, keys: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a probe.

    Args:
        name: of the probe.
        path: the project's own file; None for the one that comes with Atanor.
        root: the project's folder.
        keys: what every row needs, each a text.

    Raises:
        ConfigurationError: the file cannot be read, or a row lacks a key.
    """
    if path is None:
        content = files("atanor.evaluate.probing").joinpath(f"material/{name}.jsonl").read_text(encoding="utf-8")
    else:
        try:
            content = (root / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _refused(name, f"it cannot be read: {error}", path) from error
    lines = [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    rows = [_row(line, name, keys, f"{path or name}:{number}") for number, line in lines]
    if not rows:
        raise _refused(name, "it has no rows", path or name)
    return rows


def _row(line: str, name: str, keys: Sequence[str], place: str) -> dict[str, str]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _refused(name, f"{place} is no JSON: {error}", place) from error
    lacking = [key for key in keys if not isinstance(row, dict) or not isinstance(row.get(key), str)]
    if lacking:
        raise _refused(name, f"{place} has no text `{lacking[0]}`", place)
    return {key: row[key] for key in keys}


def _refused(name: str, reason: str, value: str) -> ConfigurationError:
    fix = "Write JSON lines, one object a line, with the keys that the reference of the project file names"
    return ConfigurationError(
        "a probe cannot be read", [Problem(reason, field=f"probes.{name}.path", value=value, fix=fix)]
    )
