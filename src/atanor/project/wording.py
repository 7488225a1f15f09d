"""What an option may be, in words: for errors and for the reference in the docs. Read off the models' JSON schemas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import BaseModel

from atanor.train.options import TrainOptions

_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a group of `key: value` lines",
}
_BOUNDS = (
    ("minimum", "of at least"),
    ("exclusiveMinimum", "above"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "below"),
)


@cache
def field_schemas(model: type[BaseModel]) -> Mapping[str, Any]:
    """The JSON schema of every field of a group of options, references resolved one level deep."""
    schema = model.model_json_schema()
    return {name: _resolved(field, schema.get("$defs", {})) for name, field in schema["properties"].items()}


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[-1]]
        return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    if "anyOf" in schema:
        return {**schema, "anyOf": [_resolved(branch, definitions) for branch in schema["anyOf"]]}
    return schema


def in_words(schema: Mapping[str, Any]) -> str:
    """`a whole number of at least 1, or a number above 0 and below 1`, for a field's JSON schema."""
    branches = [branch for branch in schema.get("anyOf", [schema]) if branch.get("type") != "null"]
    words = list(dict.fromkeys(_one_in_words(branch) for branch in branches))
    return ", or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 2 else words)


def _one_in_words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(f"`{choice}`" for choice in schema["enum"])
    kind = _KINDS.get(schema.get("type", ""), "any value")
    bounds = [f"{word} {schema[key]:g}" for key, word in _BOUNDS if key in schema]
    return " ".join([kind, " and ".join(bounds)]) if bounds else kind


def expected(model: type[BaseModel], field: str) -> str:
    """What may be written for an option, and its default when it has one worth telling."""
    schema = field_schemas(model)[field]
    default = schema.get("default")
    return in_words(schema) + (f"; the default is {plain(default)}" if default not in (None, [], {}) else "")


def default_in_words(model: type[BaseModel], field: str) -> str | None:
    """What is in force where nothing is written and the default is none, as the option's description says it."""
    found = re.search(r"(?:Default:|the default is) (.+?)(?:\. |\.?$)", model.model_fields[field].description or "")
    return found[1] if found else None


def reason_of_default(options: BaseModel, field: str) -> str | None:
    """Why a default is what it is, as the option's description says it behind a semicolon; None of what is written."""
    found = re.search(r"; ([^;]*\bbecause\b[^.]*)", type(options).model_fields[field].description or "")
    if field in options.model_fields_set or found is None:
        return None
    if field == "learning_rate" and isinstance(options, TrainOptions) and options.objective.rate != 1:
        return f"{found[1]}; times {options.objective.rate:g} for `{options.objective.name}`"
    return found[1]


def plain(value: Any) -> str:
    """A value as it is written in the file: `true`, `0.15`, `answer`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, StrEnum):
        return value.value
    return f"{value:g}" if isinstance(value, float) else str(value)


def kind_of(value: Any) -> str:
    """What somebody wrote, in words."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        (Mapping, "a group of keys"),
        (list, "a list"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), "nothing")
