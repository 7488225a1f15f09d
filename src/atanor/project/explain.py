"""Every value in force and where it came from, for `atanor check --explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from atanor.data.augmentation.options import TECHNIQUES, AugmentOptions
from atanor.evaluate.metrics import PREFERENCE_METRICS
from atanor.evaluate.options import MetricSpec
from atanor.models.reference import BaseReference
from atanor.options import NamedOptions
from atanor.project.document import FieldPath, dotted
from atanor.project.file import LoadedProject
from atanor.project.notation import value_at
from atanor.project.options import ALWAYS_MEASURED, RoleOptions
from atanor.project.wording import default_in_words, plain, reason_of_default


@dataclass(frozen=True)
class ExplainedValue:
    """One option in force.

    Attributes:
        path: dotted path, as one would write it in the file.
        value: what is in force, as it is written in a file, or in words where another option decides; else `none`.
        source: `line 9`, `default` (with its reason where it has one), `default of task answer`, `default of pairs` or
            `always measured`.
    """

    path: str
    value: str
    source: str


def explain(loaded: LoadedProject) -> list[ExplainedValue]:
    """Every option of a project with its value and source, in the order of the declarations."""
    return list(_Explanation(loaded).of_group(loaded.file, ()))


class _Explanation:
    def __init__(self, loaded: LoadedProject) -> None:
        self.loaded = loaded

    def of_group(self, options: BaseModel, path: FieldPath) -> Iterator[ExplainedValue]:
        for key in type(options).model_fields:
            if isinstance(options, RoleOptions) and key == "metrics":
                yield from self._metrics(options, (*path, key))
            else:
                yield from self._of(options, key, (*path, key))

    def _of(self, options: BaseModel, key: str, path: FieldPath) -> Iterator[ExplainedValue]:
        value = getattr(options, key)
        if isinstance(value, dict) and any(isinstance(below, BaseModel) for below in value.values()):
            for name, below in value.items():
                yield from self.of_group(below, (*path, name))
        elif isinstance(value, NamedOptions):
            yield from self._choice(value, path, written=key in options.model_fields_set)
        elif isinstance(value, BaseModel):
            yield from self.of_group(value, path)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            # `data: {path: …}` is written without a position, `data: [{path: …}]` with one.
            if isinstance(options, AugmentOptions):
                yield from self._techniques(value, path)
                return
            listed = isinstance(value_at(self.loaded.document.value, path), list) or len(value) > 1
            for index, entry in enumerate(value):
                yield from self._entry(entry, (*path, index) if listed or isinstance(entry, NamedOptions) else path)
        else:
            yield self._leaf(options, key, path)

    def _entry(self, entry: BaseModel, path: FieldPath) -> Iterator[ExplainedValue]:
        if not isinstance(entry, NamedOptions):
            yield from self.of_group(entry, path)
            return
        yield from self._choice(entry, path, written=value_at(self.loaded.document.value, path) is not None)

    def _choice(self, choice: NamedOptions, path: FieldPath, *, written: bool) -> Iterator[ExplainedValue]:
        """The name that was chosen, and its options below it."""
        yield ExplainedValue(dotted(path), choice.name, self._line(path) if written else "default")
        yield from self.of_group(choice.options, (*path, choice.name))

    def _techniques(self, techniques: Sequence[BaseModel], path: FieldPath) -> Iterator[ExplainedValue]:
        """Each technique at the place where it is written: `augment` may be the bare list of them."""
        bare = isinstance(value_at(self.loaded.document.value, path[:-1]), list)
        for index, technique in enumerate(techniques):
            at = (*(path[:-1] if bare else path), index)
            written = value_at(self.loaded.document.value, at)
            name = next(name for name, model in TECHNIQUES.items() if isinstance(technique, model))
            if isinstance(written, Mapping) and "method" in written:
                yield from self.of_group(technique, at)
                continue
            yield ExplainedValue(dotted(at), name, self._line(at))
            for key in [key for key in type(technique).model_fields if key != "method"]:
                yield from self._of(technique, key, (*at, name, key))

    def _metrics(self, role: RoleOptions, path: FieldPath) -> Iterator[ExplainedValue]:
        for index, metric in enumerate(role.metrics_in_force):
            at = (*path, index)
            if role.metrics is not None and index < len(role.metrics):
                source = self._line(at)
            else:
                default = "default of pairs" if metric.name in PREFERENCE_METRICS else f"default of task {role.task}"
                source = "always measured" if metric.name == ALWAYS_MEASURED else default
            yield ExplainedValue(dotted(at), metric.name, source)
            for key in [key for key in MetricSpec.model_fields if key not in ("name", "judge")]:
                yield self._leaf(metric, key, (*at, metric.name, key))
            if metric.judge is not None:
                for key in type(metric.judge).model_fields:
                    yield self._leaf(metric.judge, key, (*at, metric.name, key))

    def _leaf(self, options: BaseModel, key: str, path: FieldPath) -> ExplainedValue:
        value = getattr(options, key)
        reason = reason_of_default(options, key)
        default = f"default: {reason}" if reason else "default"
        source = self._line(path) if key in options.model_fields_set else default
        shown = default_in_words(type(options), key) if value is None else None
        return ExplainedValue(dotted(path), shown or _shown(value), source)

    def _line(self, path: FieldPath) -> str:
        return f"line {self.loaded.document.line_of(dotted(path))}"


def _shown(value: Any) -> str:
    match value:
        case None | () | {}:
            return "none"
        case StrEnum() | BaseReference():
            return str(value)
        case tuple():
            return "; ".join(plain(entry) for entry in value)
        case dict():
            return ", ".join(f"{key}: {plain(below)}" for key, below in value.items())
    return plain(value)
