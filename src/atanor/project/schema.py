"""The JSON schema of a project file, for completion and checks in an editor. Made from the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from atanor.data.augmentation.options import TECHNIQUES
from atanor.evaluate.judging.options import JUDGES
from atanor.evaluate.metrics import METRIC_NAMES
from atanor.evaluate.probing.options import PROBE_OPTIONS
from atanor.methods.options import METHOD_OPTIONS
from atanor.options import Options
from atanor.project.options import NAME_PATTERN, ProjectFile
from atanor.tracking.options import TRACKERS
from atanor.train.objectives.options import OBJECTIVE_OPTIONS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def project_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), short forms included; each method's options are typed."""
    schema = ProjectFile.model_json_schema()
    definitions: dict[str, Any] = schema["$defs"]
    definitions.pop("MethodChoice", None)
    for group in (*OBJECTIVE_OPTIONS.values(), *METHOD_OPTIONS.values(), *TRACKERS.values(), *PROBE_OPTIONS.values()):
        own = group.model_json_schema()
        definitions.update(own.pop("$defs", {}))
        definitions[group.__name__] = own
        if "objective" in own["properties"]:
            _replace(own["properties"], "objective", {"$ref": "#/$defs/Objective"})
    definitions.pop("ObjectiveChoice", None)
    definitions.pop("TrackerChoice", None)
    definitions.pop("ProbeChoice", None)
    definitions.pop("Options", None)
    definitions["Source"] = _or_path({"$ref": "#/$defs/SourceOptions"})
    definitions["Method"] = _named(METHOD_OPTIONS)
    definitions["Objective"] = _named(OBJECTIVE_OPTIONS)
    definitions["Tracker"] = _named(TRACKERS)
    definitions["Probe"] = _named(PROBE_OPTIONS)
    definitions["Metric"] = _metric(definitions.pop("MetricSpec"), definitions["JudgeOptions"])
    definitions["Technique"] = _technique(definitions)
    augment = definitions["AugmentOptions"]["properties"]
    _replace(augment, "techniques", _list_of("Technique", at_least=0))
    role = definitions["RoleOptions"]["properties"]
    _replace(role, "data", {"anyOf": [*definitions["Source"]["anyOf"], _list_of("Source")]})
    techniques = _list_of("Technique", at_least=0)
    _replace(role, "augment", {"anyOf": [techniques, {"$ref": "#/$defs/AugmentOptions"}]})
    _replace(role, "methods", _list_of("Method"))
    _replace(role, "probes", _list_of("Probe", at_least=0))
    _replace(role, "metrics", {"anyOf": [_list_of("Metric"), {"type": "null"}]})
    trackers = [_choice(tuple(TRACKERS)), _list_of("Tracker", at_least=0)]
    _replace(schema["properties"], "track", {"anyOf": trackers})
    roles = schema["properties"]["roles"]
    roles.pop("additionalProperties", None)
    roles["patternProperties"] = {NAME_PATTERN: {"$ref": "#/$defs/RoleOptions"}}
    roles["additionalProperties"] = False
    return {"$schema": DIALECT, "title": "Atanor project file", **{k: v for k, v in schema.items() if k != "title"}}


def _replace(properties: dict[str, Any], key: str, form: Mapping[str, Any]) -> None:
    """Give a key the forms a person may write; its description stays."""
    properties[key] = {**form, "description": properties[key]["description"]}


def _list_of(definition: str, at_least: int = 1) -> dict[str, Any]:
    return {"type": "array", "minItems": at_least, "items": {"$ref": f"#/$defs/{definition}"}}


def _or_path(group: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "string", "description": "Path of the file."}, group]}


def _named(declared: Mapping[str, type[Options]]) -> dict[str, Any]:
    """A name, or a name with its options below it."""
    named = [
        _one_key({name: {"anyOf": [{"$ref": f"#/$defs/{options.__name__}"}, {"type": "null"}]}})
        for name, options in declared.items()
    ]
    return {"anyOf": [_choice(tuple(declared)), *named]}


def _technique(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A technique's name, its name with options below it, or the full form with its name as `method`."""
    forms: list[dict[str, Any]] = [_choice(tuple(TECHNIQUES))]
    for name, options in TECHNIQUES.items():
        full = definitions[options.__name__]
        below = {key: value for key, value in full["properties"].items() if key != "method"}
        group = {"type": "object", "properties": below, "additionalProperties": False}
        forms += [_one_key({name: {"anyOf": [group, {"type": "null"}]}}), {"$ref": f"#/$defs/{options.__name__}"}]
    return {"anyOf": forms}


def _metric(full: Mapping[str, Any], judge: Mapping[str, Any]) -> dict[str, Any]:
    """A metric's name, its name with its argument, its name with options below it, or the full form."""
    full_with_names = {**full, "properties": {**full["properties"], "name": _choice(METRIC_NAMES)}}
    below = {key: value for key, value in full["properties"].items() if key not in ("name", "judge")}
    options = {"type": "object", "properties": below, "additionalProperties": False}
    plain = tuple(name for name in METRIC_NAMES if name not in JUDGES)
    named = _one_key({name: {"anyOf": [{"type": ["string", "null"]}, options]} for name in plain})
    own = {key: below[key] for key in ("margin", "on_error")}
    judged = _one_key({name: {**judge, "properties": {**judge["properties"], **own}} for name in JUDGES})
    return {"anyOf": [_choice(plain), named, judged, full_with_names]}


def _choice(names: Sequence[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)}


def _one_key(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
