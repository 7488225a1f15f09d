"""Words typed for an option: the known one, or an error that names the nearest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from atanor.data.options import SourceOptions
from atanor.errors import ConfigurationError, Problem, shorten
from atanor.nearest import did_you_mean
from atanor.options import Options
from atanor.project.wording import expected

if TYPE_CHECKING:
    from atanor.data.augmentation.options import EndpointOptions

Choice = TypeVar("Choice", bound=StrEnum)
Group = TypeVar("Group", bound=BaseModel)

_STRUCTURED = ("where", "labels", "windows", "instructions")
"""Options of a source that are more than one word: they may be written as JSON."""


def choice_of(kind: type[Choice], word: str, option: str) -> Choice:
    """The member of `kind` that a word names; `option` is what it was typed for, as `--to`.

    Raises:
        ConfigurationError: there is no such member; names the nearest and all.
    """
    names = [member.value for member in kind]
    if word in names:
        return kind(word)
    fix = did_you_mean(word, names, f"Write one of {', '.join(names)}")
    raise _refused(Problem("no such choice", field=option, value=word, fix=fix))


def choices_of(kind: type[Choice], words: str, option: str) -> tuple[Choice, ...]:
    """The members that several words name, with commas between them.

    Raises:
        ConfigurationError: see `choice_of`.
    """
    return tuple(choice_of(kind, word.strip(), option) for word in words.split(",") if word.strip())


def technique_of(values: Mapping[str, Any]) -> Options:
    """The augmentation technique that `method` names, with the other values as its options.

    Raises:
        ConfigurationError: there is no such technique, or an option of it cannot stand.
    """
    from atanor.data.augmentation.options import TECHNIQUES

    method = str(values["method"])
    if method not in TECHNIQUES:
        fix = did_you_mean(method, TECHNIQUES, f"Techniques: {', '.join(TECHNIQUES)}")
        raise _refused(Problem("no such technique", field="--method", value=method, fix=fix))
    return group_of(TECHNIQUES[method], values)


def endpoint_of(values: Mapping[str, str | None]) -> EndpointOptions | None:
    """The endpoint that `base_url`, `model` and `api_key_env` were typed for; None where neither of the first two was.

    Raises:
        ConfigurationError: one of them is missing, or cannot stand.
    """
    from atanor.data.augmentation.options import EndpointOptions

    if values["base_url"] is None and values["model"] is None:
        return None
    made = group_of(EndpointOptions, values)
    return made.model_copy(update={"api_key_env": None}) if made.api_key_env == "none" else made


def group_of(model: type[Group], values: Mapping[str, Any]) -> Group:
    """Options made of what was typed; a value of None was not typed.

    Raises:
        ConfigurationError: with a problem for each value that cannot stand, named as it is typed.
    """
    typed = {name: value for name, value in values.items() if value is not None}
    try:
        return model.model_validate(typed)
    except ValidationError as error:
        raise _refused(*problems_of(error, model, typed, "--")) from error


def problems_of(
    error: ValidationError, model: type[BaseModel], values: Mapping[str, Any], before: str = ""
) -> list[Problem]:
    """One problem for each of the values that cannot stand; `before` goes before the option's name."""
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        place = ".".join(str(part) for part in detail["loc"])
        name = str(detail["loc"][0]) if detail["loc"] else ""
        if name in found:
            continue
        written = values.get(name)
        typed = f"{before}{name.replace('_', '-')}" if before and name else place
        field = typed or None  # options that contradict each other are no single one
        if detail["type"] == "value_error":
            found[name] = Problem(str(detail["ctx"]["error"]), field=field)
        elif name in model.model_fields:
            reason = "missing" if detail["type"] == "missing" else "it cannot be this"
            shown = None if detail["type"] == "missing" else shorten(detail["input"])
            nested = isinstance(written, (Mapping, list, tuple)) and len(detail["loc"]) > 1
            fix = detail["msg"] if nested else f"Write {expected(model, name)}"
            found[name] = Problem(reason, field=field, value=shown, fix=fix)
        else:
            fix = did_you_mean(name, model.model_fields, f"Options: {', '.join(model.model_fields)}")
            found[name] = Problem("unknown option", field=field, fix=fix)
    return list(found.values())


def source_of(path: str, pairs: tuple[str, ...] = (), **named: str | None) -> SourceOptions:
    """How a file that was typed is to be read.

    Args:
        path: of the file, a folder, a pattern, or `hf:owner/name`.
        pairs: options of a source as `label=category`; `where={"lang": "en"}` holds JSON.
        named: the same by their names; None where nothing was typed.

    Raises:
        ConfigurationError: an option is unknown or its value cannot stand.
    """
    values: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            fix = "Write it as `--map label=category`"
            raise _refused(Problem("not an option and its value", field="--map", value=pair, fix=fix))
        if name not in SourceOptions.model_fields or name == "path":
            known = [field for field in SourceOptions.model_fields if field != "path"]
            fix = did_you_mean(name, known, f"Options: {', '.join(known)}")
            raise _refused(Problem("unknown option", field="--map", value=name, fix=fix))
        try:
            values[name] = json.loads(value) if name in _STRUCTURED and value[:1] in "[{" else value
        except ValueError as error:
            fix = f"""Write it as {name}={{"lang": "en"}}"""
            raise _refused(Problem("the value is not JSON", field="--map", value=pair, fix=fix)) from error
    try:
        return SourceOptions.model_validate({"path": path, **values})
    except ValidationError as error:
        raise _refused(*problems_of(error, SourceOptions, values)) from error


def _refused(*problems: Problem) -> ConfigurationError:
    said = "an option" if len(problems) == 1 else f"{len(problems)} options"
    return ConfigurationError(f"{said} cannot be used; nothing was started", problems)
