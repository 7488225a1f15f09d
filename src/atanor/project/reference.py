"""The reference of the project file for the docs, generated from the declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from atanor.evaluate.metrics import METRICS
from atanor.options import NamedOptions
from atanor.project.notation import option_groups
from atanor.project.wording import default_in_words, field_schemas, in_words, plain

_INTRODUCTION = """\
# The project file

Every key of `atanor.yaml`, generated from the declarations by `atanor.project.reference.reference_markdown`; a test
keeps this page equal to them. `atanor schema` prints the same as JSON schema for an editor, `atanor check --explain`
every value in force in a project and where it comes from.

`NAME` stands for a name of your own, or of a metric.
"""
_FORMS: Mapping[str, str] = {
    "data": "a path, a group of keys, or a list of these",
    "augment": "a list of techniques, or a group of keys",
    "techniques": "a list of names, or of names with options: `eda`, `eda: {per_row: 2}`",
    "methods": "a list of names, or of names with options: `lora`, `lora: {rank: 8}`",
    "probes": "a list of names, or of names with options: `stereotypes`, `stereotypes: {path: pairs.jsonl}`",
    "objective": "a name, or a name with its options: `dpo`, `dpo: {beta: 0.2}`",
    "metrics": "a list of names, of names with an argument, or of names with options",
    "track": "a name, or a list of names, or of names with options: `mlflow`, `mlflow: {uri: …}`",
    "roles": "a group of keys for each name",
}
"""What may be written where a short form exists that the types alone do not tell."""


def reference_markdown() -> str:
    """The page `docs/reference/project-file.md`."""
    sections = [_section(group.place, group.model) for group in option_groups()]
    return "\n".join([_INTRODUCTION, *sections, _metrics()])


def _metrics() -> str:
    rows = [
        f"| `{entry.name}` | {entry.argument or ('a judge, below it' if entry.judged else 'none')} "
        f"| {entry.default_margin} | {entry.description} |"
        for entry in METRICS
    ]
    head = ["## Metrics", "", "| name | argument | margin unless given | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _section(place: str, model: type[BaseModel]) -> str:
    heading = f"## `{place}`" if place else "## The top"
    about = (model.__doc__ or "").strip().split("\n\n")[0]
    table = ["| key | what may be written | default | meaning |", "|---|---|---|---|", *_rows(model)]
    return "\n".join([heading, "", about, "", *table, ""])


def _rows(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        schema = field_schemas(model)[name]
        form = _FORMS.get(name) if name in _FORMS else in_words(schema)
        cells = (f"`{name}`", form or "", _default(model, name, field), field.description or "")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return default_in_words(model, name) or "none"
    if isinstance(value, NamedOptions):
        return f"`{value.name}`"
    if isinstance(value, BaseModel):
        return "each key's own"
    if isinstance(value, tuple):
        return ", ".join(
            f"`{entry if isinstance(entry, StrEnum) else getattr(entry, 'name', entry)}`" for entry in value
        )
    return f"`{plain(value)}`"
