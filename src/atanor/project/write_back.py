"""A method's options written into the project file as a person would: the rest of the text stays as it is.

The text is changed where a value stands, and read again: what it then says must be what was meant and nothing else, or
the file is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from atanor.errors import AtanorError, ConfigurationError
from atanor.project.document import compose, document_of, read_text
from atanor.project.file import LoadedProject
from atanor.project.options import MethodChoice
from atanor.project.searchable import values_in_force
from atanor.project.validation import validate
from atanor.store.files import write_text
from atanor.train.search.outcome import Search
from atanor.train.search.space import Value, Values, plain

BACKUP = ".before-tune"
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        file: the project file.
        backup: the file as it was before.
        values: options with their new values.
    """

    file: Path
    backup: Path
    values: Values


def write_winner(loaded: LoadedProject, found: Search) -> Written | None:
    """Write the best trial's values into the project file; None where they stand there already.

    Raises:
        ConfigurationError: see `write_options`.
    """
    method = next(choice for choice in loaded.file.roles[found.role].methods if choice.name == found.method)
    return None if found.best is None else write_options(loaded, found.role, method, found.best.values)


def write_options(loaded: LoadedProject, role: str, method: MethodChoice, values: Values) -> Written | None:
    """Write options of a role's method into the project file; None where they stand there already.

    Args:
        loaded: the project, as it was read.
        role: whose method.
        method: of the file, before.
        values: by option.

    Raises:
        ConfigurationError: the file has changed since it was read, or its layout cannot be changed by text; the fix
            says what to write by hand.
    """
    in_force = values_in_force(method)
    changed = {name: value for name, value in values.items() if value != in_force.get(name)}
    if not changed:
        return None
    file = loaded.document.file
    if read_text(file) != loaded.text:
        raise _by_hand(loaded, role, method.name, changed, "the file has changed since it was read")
    place = loaded.file.roles[role].methods.index(method)
    edited = _edited(loaded, role, place, changed)
    meant = type(method).model_validate(
        {method.name: {**method.options.model_dump(mode="json", exclude_unset=True), **changed}}
    )
    if edited is None or not _says(loaded, role, place, edited, meant):
        raise _by_hand(loaded, role, method.name, changed, "it is laid out in a way that cannot be changed by text")
    backup = _free(file)
    write_text(backup, loaded.text)
    write_text(file, edited)
    return Written(file, backup, changed)


def _edited(loaded: LoadedProject, role: str, place: int, values: Values) -> str | None:
    """The text with the values in it; None where it is laid out in another way than is known here."""
    text = loaded.text
    of_role = _below(_below(compose(loaded.document.file, text), "roles"), role)
    methods = _below(of_role, "methods")
    match of_role, methods:
        case yaml.MappingNode(), None:
            return _with_methods(text, of_role, loaded.file.roles[role].methods[place].name, values)
        case _, yaml.SequenceNode() if place < len(methods.value):
            return _in_entry(text, methods, methods.value[place], values)
    return None


def _in_entry(text: str, methods: yaml.SequenceNode, entry: yaml.Node, values: Values) -> str | None:
    """An entry of the list of methods: `lora`, `lora: {rank: 8}`, or with its options on lines below."""
    if isinstance(entry, yaml.ScalarNode):
        new = f"{entry.value}: {_flow(values)}"
        return _put(text, entry.start_mark.index, entry.end_mark.index, f"{{{new}}}" if methods.flow_style else new)
    if not isinstance(entry, yaml.MappingNode) or len(entry.value) != 1:
        return None
    name, options = entry.value[0]
    if isinstance(options, yaml.MappingNode) and options.value:
        return _in_mapping(text, options, values)
    if isinstance(options, yaml.MappingNode):
        return _put(text, options.start_mark.index, options.end_mark.index, _flow(values))
    if isinstance(options, yaml.ScalarNode) and not options.value:
        after = text.index(":", name.end_mark.index) + 1
        return _put(text, after, after, f" {_flow(values)}")
    return None


def _in_mapping(text: str, options: yaml.MappingNode, values: Values) -> str:
    """Values that stand there are replaced, the others stand behind the last key. From the end on, so that places
    before stay as they are."""
    nodes = {key.value: value for key, value in options.value if isinstance(value, yaml.ScalarNode)}
    added = {name: value for name, value in values.items() if name not in nodes}
    edits = [
        (nodes[name].start_mark.index, nodes[name].end_mark.index, plain_text(value))
        for name, value in values.items()
        if name in nodes
    ]
    if added and options.flow_style:
        end = max(value.end_mark.index for _, value in options.value)
        edits.append((end, end, "".join(f", {name}: {plain_text(value)}" for name, value in added.items())))
    elif added:
        first = options.value[0][0]
        indent = " " * first.start_mark.column
        end = _end_of_line(text, _last(options))
        lines = "".join(f"\n{indent}{name}: {plain_text(value)}" for name, value in added.items())
        edits.append((end, end, lines))
    for begin, end, new in sorted(edits, reverse=True):
        text = _put(text, begin, end, new)
    return text


def _last(options: yaml.MappingNode) -> int:
    """Where the last scalar of a mapping ends: the mapping's own end lies behind the comments that follow it."""
    node: yaml.Node = options
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        below = node.value[-1]
        node = below[1] if isinstance(below, tuple) else below
    return int(node.end_mark.index)


def _with_methods(text: str, role: yaml.MappingNode, name: str, values: Values) -> str | None:
    """A role that names no method has its default; it is written out behind the role's last key."""
    if role.flow_style:
        end = max(value.end_mark.index for _, value in role.value)
        return f"{text[:end]}, methods: [{{{name}: {_flow(values)}}}]{text[end:]}"
    indent = " " * role.value[0][0].start_mark.column
    end = _end_of_line(text, _last(role))
    return f"{text[:end]}\n{indent}methods:\n{indent}  - {name}: {_flow(values)}{text[end:]}"


def _put(text: str, begin: int, end: int, new: str) -> str:
    return text[:begin] + new + text[end:]


def _flow(values: Values) -> str:
    return "{" + ", ".join(f"{name}: {plain_text(value)}" for name, value in values.items()) + "}"


def plain_text(value: Value) -> str:
    """As it is read back: every digit, and quotes where a text could be taken for something else."""
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else json.dumps(value)
    return repr(value) if isinstance(value, float) and float(plain(value)) != value else plain(value)


def _below(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _end_of_line(text: str, place: int) -> int:
    found = text.find("\n", place)
    return len(text) if found < 0 else found


def _says(loaded: LoadedProject, role: str, place: int, edited: str, meant: MethodChoice) -> bool:
    """Read, the text has the new options where they are meant, and all else is as before."""
    try:
        after = validate(document_of(loaded.document.file, edited))
    except AtanorError:
        return False
    options = after.roles[role]
    rest = options.model_copy(update={"methods": _without(options.methods, place)})
    before = loaded.file.roles[role]
    same = before.model_copy(update={"methods": _without(before.methods, place)})
    others = after.model_copy(update={"roles": {**after.roles, role: rest}})
    expected = loaded.file.model_copy(update={"roles": {**loaded.file.roles, role: same}})
    return others == expected and options.methods[place] == meant


def _without(methods: tuple[MethodChoice, ...], place: int) -> tuple[MethodChoice, ...]:
    return (*methods[:place], *methods[place + 1 :])


def _free(file: Path) -> Path:
    """A name beside the file that nothing has yet."""
    names = [file.with_name(file.name + BACKUP), *(file.with_name(f"{file.name}{BACKUP}-{n}") for n in range(2, 1000))]
    return next(name for name in names if not name.exists())


def _by_hand(
    loaded: LoadedProject, role: str, method: str, values: Mapping[str, Value], reason: str
) -> ConfigurationError:
    fix = f"Write it by hand under `roles.{role}.methods`: `{method}: {_flow(values)}`"
    problem = loaded.problem(f"roles.{role}.methods", reason, fix=fix)
    return ConfigurationError(f"{loaded.path} was left as it is", [problem])
