"""Read a JSON schema from a file, check it, and make a validator of it that never leaves the machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for
from referencing import Registry, Resource, Specification
from referencing.exceptions import Unresolvable
from referencing.jsonschema import UnknownDialect, specification_with

from atanor.errors import ConfigurationError, Problem, shorten
from atanor.evaluate.metrics.strict_json import parse

DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"


def schema_validator(path: Path, shown: str) -> Callable[[Any], bool]:
    """A function that says whether a JSON value is valid under the schema in a file.

    Draft 2020-12, or the draft that the schema's own `$schema` names. A value that nests too deep to be followed is
    not valid.

    Args:
        path: where the schema lies.
        shown: the path as the project wrote it, for messages.

    Raises:
        ConfigurationError: the file is not JSON, is no schema, refers to what it does not contain, or refers to itself
            without end.
    """
    schema = _read(path, shown)
    dialect = schema.get("$schema", DRAFT_2020_12) if isinstance(schema, dict) else DRAFT_2020_12
    try:
        specification = specification_with(str(dialect))
        kind = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(schema)
    except UnknownDialect as error:
        raise _refused(shown, "`$schema` names no known draft", "$schema", shorten(dialect)) from error
    except SchemaError as error:
        raise _refused(shown, error.message, error.json_path.removeprefix("$").lstrip(".") or None) from error
    # An empty registry, because the library's own would fetch unknown references from the network.
    registry: Registry[Any] = Registry()
    _check_references(specification, schema, registry, shown)
    validator = kind(schema, registry=registry)
    try:
        validator.is_valid({})
    except RecursionError as error:
        raise _refused(shown, "the schema refers to itself without end", "$ref") from error

    def is_valid(value: Any) -> bool:
        try:
            return bool(validator.is_valid(value))
        except RecursionError:
            return False

    return is_valid


def _read(path: Path, shown: str) -> Any:
    try:
        schema = parse(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise _refused(shown, f"not JSON: {error.msg} at column {error.colno}", line=error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise _refused(shown, f"not JSON: {error}") from error
    except OSError as error:
        raise _refused(shown, f"cannot be read: {error.strerror}") from error
    if not isinstance(schema, dict | bool):
        raise _refused(shown, "a schema is a JSON object", value=shorten(schema))
    return schema


def _check_references(specification: Specification[Any], schema: Any, registry: Registry[Any], shown: str) -> None:
    resource = specification.create_resource(schema)
    for reference in _dangling(resource, registry.resolver_with_root(resource)):
        raise _refused(
            shown,
            "the reference leads to nothing in this file, and Atanor follows none to other files or to the network",
            "$ref",
            shorten(reference),
        )


def _dangling(resource: Resource[Any], resolver: Any) -> Iterator[str]:
    """Every `$ref` that leads nowhere, looked for in subschemas only: an `enum` may hold anything."""
    contents = resource.contents
    if isinstance(contents, dict) and isinstance(contents.get("$ref"), str):
        try:
            resolver.lookup(contents["$ref"])
        except Unresolvable:
            yield contents["$ref"]
    for inner in resource.subresources():
        yield from _dangling(inner, resolver.in_subresource(inner))


def _refused(
    shown: str, reason: str, field: str | None = None, value: str | None = None, line: int | None = None
) -> ConfigurationError:
    fix = "Put what the schema refers to under its own `$defs`" if field == "$ref" else "Mend the schema"
    return ConfigurationError(f"`json_schema` cannot use {shown}", [Problem(reason, shown, line, field, value, fix)])
