"""A YAML file as values with a line for every one of them.

Scalars follow YAML 1.2 (`no` and `on` are text, `5e-4` is a number, `017` is seventeen), because the surprises of 1.1
would change a run without a word. Keys are always text. Tags that would build Python objects are refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atanor.errors import ConfigurationError, Problem, shorten

PROJECT_FILE_NAME = "atanor.yaml"
LARGEST_FILE = 1 << 20
"""Bytes. A project file is written by a person; a larger one is data given by mistake."""
MOST_VALUES = 100_000
"""Values after aliases are expanded: what bounds a file whose aliases multiply."""
DEEPEST = 50

FieldPath = tuple[str | int, ...]
"""Keys and list positions from the top of the file to a value."""

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """A YAML file as read.

    Attributes:
        file: path of the file.
        text: its text.
        value: the mapping at its top: dicts with text keys, lists, text, numbers, booleans and None.
        lines: dotted path of every value to the line it is on, from 1; of a key's value, the line of the key.
        problems: what is wrong with it beyond its syntax: keys written twice, tags.
    """

    file: Path
    text: str
    value: Mapping[str, Any]
    lines: Mapping[str, int]
    problems: tuple[Problem, ...]

    def line_of(self, field: str) -> int | None:
        """The line of a dotted path, or of the nearest part of it that is in the file."""
        while field:
            if field in self.lines:
                return self.lines[field]
            field = re.sub(r"(^|\.)[^.\[\]]*$|\[\d+\]$", "", field)
        return None


def dotted(path: FieldPath) -> str:
    """A path as a person writes it: `roles.director.methods[2].lora`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def read_document(path: Path) -> Document:
    """Read a YAML file, or the `atanor.yaml` of a folder.

    Raises:
        ConfigurationError: no such file, not text, too large, not YAML, or no mapping at its top.
    """
    file = path / PROJECT_FILE_NAME if path.is_dir() else path
    return document_of(file, read_text(file))


def document_of(file: Path, text: str) -> Document:
    """A text as the document it would be in a file.

    Raises:
        ConfigurationError: not YAML, or no mapping at its top.
    """
    root = compose(file, text)
    if not isinstance(root, yaml.MappingNode):
        empty = root is None
        reason = "the file is empty" if empty else "a project file is made of `key: value` lines"
        raise _refused(
            file, Problem(reason, str(file), 1, fix="Run `atanor init` in a new folder to see one that works")
        )
    builder = _Builder(file)
    value = builder.build(root, (), root.start_mark.line + 1)
    return Document(file, text, value, builder.lines, tuple(builder.problems))


def _refused(file: Path, problem: Problem) -> ConfigurationError:
    return ConfigurationError(f"{file} cannot be read; nothing was started.", [problem])


def read_text(file: Path) -> str:
    """The text of a file.

    Raises:
        ConfigurationError: no such file, not text, or too large.
    """
    try:
        raw = file.read_bytes() if file.stat().st_size <= LARGEST_FILE else None
    except FileNotFoundError:
        raise _refused(file, Problem("the file does not exist", str(file), fix=_way_to_a_file(file))) from None
    except OSError as error:
        reason = f"the file cannot be opened: {error.strerror}"
        raise _refused(file, Problem(reason, str(file), fix="Check the path and its permissions")) from error
    if raw is None:
        reason = f"the file is larger than {LARGEST_FILE // 1024} KiB, too large for a project file"
        raise _refused(
            file, Problem(reason, str(file), fix="Keep the data in files of its own and name them in `data`")
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        reason = f"the file is not UTF-8 text: byte {error.object[error.start]:#04x}"
        raise _refused(file, Problem(reason, str(file), line, fix="Save it with the encoding UTF-8")) from error


def _way_to_a_file(file: Path) -> str:
    folder = file.parent
    names = sorted(entry.name for entry in folder.glob("*.y*ml")) if folder.is_dir() else []
    near = difflib.get_close_matches(file.name, names, n=1, cutoff=0.5)
    if near:
        return f"Did you mean `{folder / near[0]}`?"
    return "Run `atanor init` to start a project, or give the path of its file"


class _Loader(yaml.SafeLoader):
    """Composes nodes with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+(_[0-9]+)*|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)


_SCALARS: dict[str, Callable[[str], Any]] = {
    _TAG + "null": lambda _text: None,
    _TAG + "bool": lambda text: text.lower() == "true",
    _TAG + "int": lambda text: int(text, 0) if text[:2] in ("0x", "0o") else int(text),
    _TAG + "float": lambda text: float(
        text.replace(".", "", 1) if text.lower().lstrip("+-") in (".inf", ".nan") else text
    ),
    _TAG + "str": str,
    _TAG + "merge": str,
}


def compose(file: Path, text: str) -> yaml.Node | None:
    """The nodes of a text, each with where it stands.

    Raises:
        ConfigurationError: it is not YAML.
    """
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        reason = f"not YAML: a control character, {error.character:#04x}"
        raise _refused(file, Problem(reason, str(file), line, fix="Remove it")) from error
    except yaml.MarkedYAMLError as error:
        raise _refused(file, _syntax_problem(file, text, error)) from error
    except RecursionError:
        raise _refused(file, Problem("brackets are nested too deeply", str(file), fix="Use fewer levels")) from None


_SYNTAX = (
    # What PyYAML says, what it means, what to do. The first that fits is used.
    ("mapping values are not", "a colon that cannot be here", "Quote a text with `: ` in it, or check indentation"),
    ("character '\\t'", "a tab", "Indent with spaces"),
    ("that cannot start any token", "a text cannot begin with this character", "Put the text between quotes"),
    ("could not find expected ':'", "a key without its colon", "Write `key: value`"),
    ("unexpected end of stream", "a quote is never closed", "Close it"),
    ("unknown escape character", "a backslash in double quotes starts no known escape", "Use single quotes"),
    ("expected ',' or '}'", "a `{` is never closed, or a comma is missing", "Write {key: value, key: value}"),
    ("expected ',' or ']'", "a `[` is never closed, or a comma is missing", "Write [first, second]"),
    ("expected <block end>", "this line is not aligned with those above it", "Indent all keys of a group alike"),
    ("undefined alias", "an alias `*name` without its anchor `&name`", "Put a text that begins with * between quotes"),
    ("single document", "a second document begins here", "Keep one project a file and remove the line `---`"),
)  # fmt: skip


def _syntax_problem(file: Path, text: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = error.problem or error.context or "it cannot be read"
    if said.startswith("but found another document"):
        said = "single document"
    # A quote left open is noticed at the end of the file; the useful place is where it was opened.
    if "unexpected end of stream" in said and error.context_mark:
        mark = error.context_mark
    if mark is None:
        return Problem(f"not YAML: {said}", str(file), fix="Correct it")
    lines = text.splitlines()
    number = min(mark.line, max(len(lines) - 1, 0))
    excerpt = lines[number].strip() if lines else ""
    reason, fix = next(((why, fix) for sign, why, fix in _SYNTAX if sign in said), (said, "Correct the line"))
    if error.context_mark and "never closed, or" in reason:
        reason += f"; it opens on line {error.context_mark.line + 1}"
    where = f"not YAML at column {mark.column + 1}"
    return Problem(f"{where}: {reason}", str(file), mark.line + 1, value=shorten(excerpt, 80), fix=fix)


class _Builder:
    """Turns nodes into values, notes their lines and collects what is wrong."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self._values = 0
        self._open: set[int] = set()

    def build(self, node: yaml.Node, path: FieldPath, line: int) -> Any:
        """The value of a node, with its line and those below it noted."""
        self._guard(node, path)
        if path:
            self.lines[dotted(path)] = line
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path, line)
        if not isinstance(node, yaml.CollectionNode) or node.tag not in (_TAG + "map", _TAG + "seq"):
            return self._refuse_tag(node, path, line)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                pairs = self._pairs(node, path)
                return {key: self.build(below, (*path, key), at) for key, (at, below) in pairs.items()}
            return [self.build(item, (*path, n), item.start_mark.line + 1) for n, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _guard(self, node: yaml.Node, path: FieldPath) -> None:
        self._values += 1
        inside_itself = id(node) in self._open
        if inside_itself or self._values > MOST_VALUES or len(path) > DEEPEST:
            reason = "an alias contains itself" if inside_itself else "aliases make the file too large"
            line = node.start_mark.line + 1
            raise _refused(self.file, Problem(reason, str(self.file), line, fix="Write the values out"))

    def _pairs(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, tuple[int, yaml.Node]]:
        """The keys of a mapping with line and value; merged ones (`<<: *defaults`) give way to the mapping's own."""
        merged: dict[str, tuple[int, yaml.Node]] = {}
        own: dict[str, tuple[int, yaml.Node]] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _TAG + "merge":
                merged = {**self._merged(value_node, path, line), **merged}
            elif not isinstance(key_node, yaml.ScalarNode):
                self._note(path, line, "a key is a list or a mapping", "Write a name as the key")
            elif key_node.value in own:
                first = own[key_node.value][0]
                reason = f"`{key_node.value}` is written twice, on lines {first} and {line}"
                self._note((*path, key_node.value), line, reason, "Keep one of them")
            else:
                own[key_node.value] = (line, value_node)
        return {**merged, **own}

    def _merged(self, node: yaml.Node, path: FieldPath, line: int) -> dict[str, tuple[int, yaml.Node]]:
        """The keys a `<<` brings in; of several mappings the first wins."""
        found: dict[str, tuple[int, yaml.Node]] = {}
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            self._guard(source, path)
            if not isinstance(source, yaml.MappingNode):
                self._note(path, line, "`<<` merges mappings only", "Write `<<: *name` of an anchored mapping")
                continue
            self._open.add(id(source))
            found = {**self._pairs(source, path), **found}
            self._open.discard(id(source))
        return found

    def _scalar(self, node: yaml.ScalarNode, path: FieldPath, line: int) -> Any:
        read = _SCALARS.get(node.tag)
        if read is None:
            return self._refuse_tag(node, path, line)
        try:
            return read(node.value)
        except ValueError:
            self._note(path, line, f"{shorten(node.value)} is not what its tag says", "Remove the tag")
            return None

    def _refuse_tag(self, node: yaml.Node, path: FieldPath, line: int) -> None:
        shown = node.tag.replace(_TAG, "!!")
        self._note(path, line, f"the tag {shown} is not allowed in a project file", "Write a plain value")

    def _note(self, path: FieldPath, line: int, reason: str, fix: str) -> None:
        self.problems.append(Problem(reason, str(self.file), line, dotted(path) or None, None, fix))
