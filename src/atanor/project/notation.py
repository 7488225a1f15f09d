"""From where a value stands in the models to where it stands in the file, and to the options declared there.

The models know one full form; the file may use a short one. `roles.director.data[0].path` of the model is
`roles.director.data.path`, or only `roles.director.data`, as the person wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from atanor.data.augmentation.options import (
    TECHNIQUES,
    AugmentOptions,
    CandidateFilterOptions,
    EndpointOptions,
    LocalOptions,
)
from atanor.data.bias.options import BiasOptions
from atanor.data.cleaning import CleanOptions
from atanor.data.corpora.options import InstructionOptions, WindowOptions
from atanor.data.options import RenderOptions, SourceOptions, SplitOptions
from atanor.data.workshop.options import CheckOptions
from atanor.evaluate.ability.options import AbilityFile
from atanor.evaluate.judging.options import JUDGES, JudgeOptions
from atanor.evaluate.options import EvaluationOptions, GenerationOptions, MetricSpec
from atanor.evaluate.probing.options import PROBE_OPTIONS
from atanor.launch.options import LaunchOptions
from atanor.methods.options import METHOD_OPTIONS
from atanor.project.document import FieldPath
from atanor.project.options import ProjectFile, RoleOptions
from atanor.tracking.options import TRACKERS
from atanor.train.distillation.options import WriteOptions
from atanor.train.objectives.options import OBJECTIVE_OPTIONS
from atanor.train.remedies.options import (
    AverageOptions,
    EwcOptions,
    KlOptions,
    RemedyOptions,
    ReplayOptions,
    SelfWrittenOptions,
)
from atanor.train.search.options import SearchOptions


@dataclass(frozen=True)
class OptionGroup:
    """Options that are written at one place of the file.

    Attributes:
        place: dotted path, with `NAME` for what the person names; empty for the top.
        model: the declaration.
    """

    place: str
    model: type[BaseModel]


_ROLE_GROUPS: Mapping[str, type[BaseModel]] = {
    "data": SourceOptions,
    "data.windows": WindowOptions,
    "data.instructions": InstructionOptions,
    "clean": CleanOptions,
    "check": CheckOptions,
    "split": SplitOptions,
    "augment": AugmentOptions,
    "augment.filter": CandidateFilterOptions,
    "augment.local": LocalOptions,
    "render": RenderOptions,
    "generate": GenerationOptions,
    "evaluate": EvaluationOptions,
    "evaluate.ability_files": AbilityFile,
    "metrics": MetricSpec,
    "search": SearchOptions,
}

_METHOD_GROUPS: Mapping[str, type[BaseModel]] = {
    "objective.distillation.endpoint": EndpointOptions,
    "objective.distillation.write": WriteOptions,
    "against_forgetting": RemedyOptions,
    "against_forgetting.replay": ReplayOptions,
    "against_forgetting.self_written": SelfWrittenOptions,
    "against_forgetting.kl_to_base": KlOptions,
    "against_forgetting.ewc": EwcOptions,
    "against_forgetting.average": AverageOptions,
}
"""Groups below every method that trains."""


_TOP: Mapping[FieldPath, type[BaseModel]] = {(): ProjectFile, ("launch",): LaunchOptions}


def option_groups() -> Iterator[OptionGroup]:
    """Every group of options a project file is made of, from the top down."""
    yield OptionGroup("", ProjectFile)
    for tracker, options in TRACKERS.items():
        yield OptionGroup(f"track.{tracker}", options)
    yield OptionGroup("roles.NAME", RoleOptions)
    for key, model in _ROLE_GROUPS.items():
        yield OptionGroup(f"roles.NAME.{key}" + (".NAME" if model is MetricSpec else ""), model)
    yield OptionGroup("roles.NAME.metrics.judge", JudgeOptions)
    for name, technique in TECHNIQUES.items():
        yield OptionGroup(f"roles.NAME.augment.techniques.{name}", technique)
    yield OptionGroup("roles.NAME.augment.techniques.NAME.endpoint", EndpointOptions)
    yield OptionGroup("roles.NAME.augment.techniques.counterfactuals.report", BiasOptions)
    for name, probe in PROBE_OPTIONS.items():
        yield OptionGroup(f"roles.NAME.probes.{name}", probe)
    for name, method in METHOD_OPTIONS.items():
        yield OptionGroup(f"roles.NAME.methods.{name}", method)
    for name, objective in OBJECTIVE_OPTIONS.items():
        yield OptionGroup(f"roles.NAME.methods.NAME.objective.{name}", objective)
    for key, model in _METHOD_GROUPS.items():
        yield OptionGroup(f"roles.NAME.methods.NAME.{key}", model)
    yield OptionGroup("launch", LaunchOptions)


def options_at(path: FieldPath, raw: Any = None) -> type[BaseModel] | None:
    """The options declared at a place of the file; None where there are none (a list, a scalar).

    Args:
        path: the place.
        raw: the file's top value, which tells the technique of an entry `{method: eda, per_row: 2}`.
    """
    if path[:1] == ("track",):
        return TRACKERS.get(str(path[-1]))
    in_list = path[2:3] == ("augment",) and any(isinstance(part, int) for part in path)
    return _technique_at(path, raw) if in_list else _group_at(path)


def _group_at(path: FieldPath) -> type[BaseModel] | None:
    match tuple(part for part in path if isinstance(part, str)):
        case () | (_,) as top:
            return _TOP.get(top)
        case ("roles", _):
            return RoleOptions
        case ("roles", _, "methods", method, *below):
            return _below_method(method, below)
        case ("roles", _, "probes" | "metrics" as key, name):
            return PROBE_OPTIONS.get(name) if key == "probes" else JudgeOptions if name in JUDGES else MetricSpec
        case ("roles", _, *group):
            return _ROLE_GROUPS.get(".".join(group))
    return None


def _below_method(method: str, below: Sequence[str]) -> type[BaseModel] | None:
    if not below:
        return METHOD_OPTIONS.get(method)
    return _METHOD_GROUPS.get(".".join(below)) or OBJECTIVE_OPTIONS.get(below[-1])


def _technique_at(path: FieldPath, raw: Any) -> type[BaseModel] | None:
    """The options at a place inside the list of techniques, or below one of its entries."""
    entry = next(place for place, part in enumerate(path) if isinstance(part, int)) + 1
    inside = path[entry:]
    written = value_at(raw, path[:entry])
    name: object = written.get("method") if isinstance(written, Mapping) and "method" in written else None
    if name is None and inside:
        name, inside = inside[0], inside[1:]
    match inside:
        case ():
            return TECHNIQUES.get(str(name))
        case ("endpoint",):
            return EndpointOptions
        case ("report",):
            return BiasOptions
    return None


def as_written(raw: Any, location: FieldPath) -> FieldPath:
    """The path in the file for a path in the models.

    Args:
        raw: the file's top value.
        location: a path in the models, as pydantic's errors give it; parts that stand for no value are passed over.
    """
    path: FieldPath = ()
    node = raw
    for part in location:
        named = bool(path) and (isinstance(path[-1], int) or path[-1] == "objective")
        if isinstance(node, Mapping) and part not in node and len(node) == 1 and named:
            # A choice `name: {key: value}`: the model has the name as a value, the file as a key.
            ((key, node),) = node.items()
            path = (*path, key)
        if _has(node, part):
            node = node[part]
            path = (*path, part)
    return path


def value_at(raw: Any, path: FieldPath) -> Any:
    """The value at a path of the file; None where there is none."""
    node = raw
    for part in path:
        if not _has(node, part):
            return None
        node = node[part]
    return node


def _has(node: Any, part: str | int) -> bool:
    if isinstance(node, list):
        return isinstance(part, int) and part < len(node)
    return isinstance(node, Mapping) and part in node
