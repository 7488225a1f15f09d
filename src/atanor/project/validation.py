"""From pydantic's errors to problems a person can act on: one for each place, in plain words, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from atanor.data.augmentation.options import TECHNIQUES
from atanor.errors import ConfigurationError, Problem, shorten
from atanor.nearest import did_you_mean, nearest
from atanor.options import REFUSED
from atanor.project.document import Document, FieldPath, dotted
from atanor.project.notation import as_written, option_groups, options_at, value_at
from atanor.project.options import ProjectFile
from atanor.project.presence import absent
from atanor.project.wording import expected, field_schemas, in_words, kind_of

_OTHER_TOOLS = {
    # What the same option is called elsewhere, where the spelling alone would not lead here.
    "lr": "learning_rate",
    "r": "rank",
    "model": "base",
    "dataset": "data",
    "warmup_ratio": "warmup",
    "max_grad_norm": "clip",
    "early_stopping_patience": "patience",
    "max_length": "max_tokens",
    "max_seq_length": "max_tokens",
    "save_total_limit": "keep_checkpoints",
    "eval_steps": "validate_every",
    "lr_scheduler_type": "schedule",
    "optim": "optimizer",
    "adam_epsilon": "epsilon",
    "neftune_noise_alpha": "neftune",
    "name": "project",
}
_OUT_OF_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"}
_EMPTY = {"too_short", "string_too_short"}


def validate(document: Document) -> ProjectFile:
    """Check a document against the models.

    Raises:
        ConfigurationError: with every problem of the file, in the order of its lines.
    """
    problems = list(document.problems)
    file = None
    try:
        file = ProjectFile.model_validate(document.value)
    except ValidationError as error:
        seen = {problem.field for problem in problems}
        problems += [problem for problem in _problems_of(error, document) if problem.field not in seen]
    problems += _booleans_as_numbers(document, {problem.field for problem in problems})
    if problems or file is None:
        # `check_project` will not be reached, so what needs no models is told here.
        seen = {problem.field for problem in problems}
        problems += [problem for problem in absent(document) if problem.field not in seen]
        raise project_refused(str(document.file), problems)
    return file


def project_refused(file: str, problems: list[Problem]) -> ConfigurationError:
    """The error that lists everything wrong with a project, by line."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    return ConfigurationError(f"{file} has {count}; nothing was started.", ordered)


def _problems_of(error: ValidationError, document: Document) -> Iterator[Problem]:
    """One problem a place: the branches of a union that all failed are one mistake."""
    seen: set[str] = set()
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and detail["input"]:
            # Pydantic counts the entries that were right; what is wrong with the others is an error of its own.
            continue
        path = _place(detail, document.value)
        field = dotted(path)
        if field in seen:
            continue
        seen.add(field)
        reason, fix = _reason_and_fix(detail, path, document.value)
        # Of a missing or an unknown option the key is the mistake; of a group, the reason says it all.
        said = detail["type"] in ("missing", "extra_forbidden", "value_error") or f"`{detail['input']}`" in reason
        value = None if said or detail["input"] is None else shorten(detail["input"])
        yield Problem(reason, str(document.file), document.line_of(field) or 1, field, value, fix)


def _place(detail: ErrorDetails, raw: Mapping[str, Any]) -> FieldPath:
    """Where in the file an error belongs."""
    location = detail["loc"]
    if detail["type"] == "missing":
        return (*as_written(raw, location[:-1]), location[-1])
    return as_written(raw, location)


def _reason_and_fix(detail: ErrorDetails, path: FieldPath, raw: Mapping[str, Any]) -> tuple[str, str | None]:
    kind, key = detail["type"], str(path[-1]) if path else ""
    group = options_at(path[:-1], raw)
    match kind:
        case _ if kind == REFUSED:
            return detail["ctx"]["reason"], detail["ctx"]["fix"]
        case "value_error":
            # An option group's own validator about options that contradict each other.
            return str(detail["ctx"]["error"]), None
        case "extra_forbidden":
            return "unknown option", _known_key(key, path, raw)
        case "missing" if group and key in group.model_fields:
            meaning = (group.model_fields[key].description or "").rstrip(".")
            return "missing", f"Add `{key}`: {meaning}"
        case "union_tag_invalid" | "union_tag_not_found" | "enum":
            return _choice(detail, group, key)
    return _reason(detail, path, group), _fix(detail, path, group)


def _reason(detail: ErrorDetails, path: FieldPath, group: type[BaseModel] | None) -> str:
    if detail["input"] is None:
        return "nothing is written after the colon"
    if detail["type"] in _EMPTY:
        return "it is empty"
    value = detail["input"]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if detail["type"] in _OUT_OF_RANGE or (number and _takes_numbers(group, str(path[-1]) if path else "")):
        return "out of range"
    return f"{kind_of(detail['input'])} cannot stand here"


def _fix(detail: ErrorDetails, path: FieldPath, group: type[BaseModel] | None) -> str:
    value = detail["input"]
    if detail["type"] == "string_type" and isinstance(value, (int, float)):
        return f'Write text; put it between quotes: "{value}"'
    if group and path[-1] in group.model_fields:
        return f"Write {expected(group, str(path[-1]))}"
    if detail["type"].startswith("string"):
        return "Write text"
    if detail["type"] in ("list_type", "tuple_type"):
        return "Write a list"
    return "Write a group of `key: value` lines"


def _choice(detail: ErrorDetails, group: type[BaseModel] | None, key: str) -> tuple[str, str | None]:
    """Of several choices none was written; the names of techniques are the only ones that options hang on."""
    if detail["type"] == "union_tag_invalid":
        tag = str(detail["ctx"]["tag"])
        return f"`{tag}` is no technique", did_you_mean(tag, TECHNIQUES, f"Techniques: {', '.join(TECHNIQUES)}")
    if detail["type"] == "union_tag_not_found":
        return "a technique is a name, or a name with its options below it", _technique_form(detail["input"])
    if group is None:
        return "no such choice", None
    choices = in_words(field_schemas(group)[key])
    known = [str(choice) for branch in _branches(field_schemas(group)[key]) for choice in branch.get("enum", ())]
    found = nearest(str(detail["input"]), known)
    return "no such choice", f"Did you mean `{found}`? Write {choices}" if found else f"Write {choices}"


def _technique_form(entry: object) -> str:
    """How to mend an entry of techniques with no name or several: usually options not indented below their name."""
    written = entry if isinstance(entry, Mapping) else {}
    name = next((key for key in written if key in TECHNIQUES), None)
    if name is None:
        return f"Write one of {', '.join(TECHNIQUES)}"
    return f"Write `{name}: {{{', '.join(f'{key}: …' for key in written if key != name)}}}`"


def _branches(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(schema.get("anyOf", [schema]))


def _known_key(key: str, path: FieldPath, raw: Mapping[str, Any]) -> str:
    """What an unknown key was meant to be: a neighbour misspelt, a key of another group, another tool's word."""
    group = options_at(path[:-1], raw)
    known = list(group.model_fields) if group else []
    siblings = value_at(raw, path[:-1])
    free = [name for name in known if not isinstance(siblings, Mapping) or name not in siblings]
    listing = f"Options here: {', '.join(known)}"
    glued = key.partition(":")[0]
    if glued != key and glued in known:
        return f"Write a space after the colon of `{glued}:`"
    if _OTHER_TOOLS.get(key) in known:
        return f"Did you mean `{_OTHER_TOOLS[key]}`? {listing}"
    found = nearest(key, free, 0.7) or nearest(key, known, 0.7)
    if found is None and (elsewhere := _group_with(_OTHER_TOOLS.get(key, key))):
        return f"`{_OTHER_TOOLS.get(key, key)}` is written under `{elsewhere}`. {listing}"
    found = found or nearest(key, free) or nearest(key, known)
    return f"Did you mean `{found}`? {listing}" if found else listing


def _takes_numbers(group: type[BaseModel] | None, key: str) -> bool:
    if group is None or key not in group.model_fields:
        return False
    kinds = {branch.get("type") for branch in _branches(field_schemas(group)[key])}
    return bool(kinds & {"integer", "number"}) and "boolean" not in kinds


def _group_with(key: str) -> str | None:
    return next((group.place for group in option_groups() if group.place and key in group.model.model_fields), None)


def _booleans_as_numbers(document: Document, seen: set[str | None]) -> Iterator[Problem]:
    """Pydantic reads `epochs: true` as 1. No option means that."""
    for path, value in _leaves(document.value, ()):
        group, field = options_at(path[:-1], document.value), dotted(path)
        if not isinstance(value, bool) or group is None or field in seen:
            continue
        if _takes_numbers(group, str(path[-1])):
            fix = f"Write {expected(group, str(path[-1]))}"
            line = document.line_of(field)
            yield Problem("true or false cannot stand here", str(document.file), line, field, shorten(value), fix)


def _leaves(value: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(below, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value
