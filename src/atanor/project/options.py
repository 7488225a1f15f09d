"""The project file as it is declared: the rooms' own options composed into roles and a project.

A key may be written short (`data: rows.jsonl`, `methods: [lora]`, `metrics: [rouge_l]`); the validators here turn every
short form into the one full form the rest of the code sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from atanor.data.augmentation.options import AugmentOptions
from atanor.data.cleaning import CleanOptions
from atanor.data.options import RenderOptions, SourceOptions, SplitOptions
from atanor.data.workshop.options import CheckOptions
from atanor.errors import ConfigurationError
from atanor.evaluate.metrics import METRIC_NAMES, PREFERENCE_METRICS
from atanor.evaluate.options import EvaluationOptions, GenerationOptions, MetricSpec
from atanor.evaluate.probing.options import ProbeChoice
from atanor.launch.options import LaunchOptions
from atanor.methods.options import METHOD_OPTIONS
from atanor.models.reference import BaseReference
from atanor.nearest import did_you_mean
from atanor.options import NamedOptions, Options, one_key, refused
from atanor.project.launch_refusals import launch_refusals
from atanor.project.searchable import searched, space_for
from atanor.tracking.options import TRACKERS
from atanor.train.objectives.declaring import LearnsFrom
from atanor.train.objectives.options import ObjectiveChoice
from atanor.train.options import TrainOptions
from atanor.train.search.options import SearchOptions

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


class Task(StrEnum):
    """What a role's examples are, which decides the default metrics."""

    ANSWER = "answer"
    """A conversation and the answer it should get; scored by the answer's likelihood and by what is generated."""

    LABEL = "label"
    """A conversation and the one short label it should get; scored by exact match."""

    TEXT = "text"
    """Plain text to continue; scored by likelihood only, nothing is generated."""


DEFAULT_METRICS: Mapping[Task, tuple[str, ...]] = {
    Task.ANSWER: ("perplexity", "rouge_l"),
    Task.LABEL: ("exact_match", "perplexity"),
    Task.TEXT: ("perplexity", "bits_per_byte"),
}
ALWAYS_MEASURED = "forgetting"
"""A specialist that lost its general knowledge is measured as such whether or not the project asks."""


class MethodChoice(NamedOptions):
    """One way to customise that a role tries, with its options. Written `lora` or `lora: {rank: 8}`."""

    kind = "a method"
    declared = METHOD_OPTIONS


class TrackerChoice(NamedOptions):
    """One tracker that runs are shown in, with its options. Written `mlflow` or `mlflow: {uri: …}`."""

    kind = "a tracker"
    declared = TRACKERS


def _metric_entry(value: Any) -> Any:
    """Refuse what `MetricSpec` would take for a metric of an unknown name."""
    if isinstance(value, Mapping) and "name" not in value and len(value) != 1:
        raise refused("a metric is a name, or a name with its options below it", one_key(value, METRIC_NAMES))
    name = value
    if isinstance(value, Mapping):
        name = value["name"] if "name" in value else next(iter(value))
    if isinstance(name, str) and name not in METRIC_NAMES:
        known = ", ".join(METRIC_NAMES)
        raise refused(f"`{name}` is no metric", did_you_mean(name, METRIC_NAMES, f"Metrics: {known}"))
    return value


def _sources(value: Any) -> Any:
    """One source or a list of them, each a path or a mapping, as a list of mappings."""
    entries = value if isinstance(value, (list, tuple)) else [value]
    return [{"path": entry} if isinstance(entry, str) else entry for entry in entries]


def _base(value: Any) -> BaseReference:
    if isinstance(value, BaseReference):
        return value
    if not isinstance(value, str):
        raise refused("a base model is written as text", "Write pkg:NAME, hf:owner/name, path:DIRECTORY or gguf:FILE")
    try:
        return BaseReference.parse(value)
    except ConfigurationError as error:
        problem = error.problems[0]
        raise refused(problem.reason, problem.fix or "") from error


def _name(value: str) -> str:
    if re.match(NAME_PATTERN, value):
        return value
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", value).strip("-_").lower()[:64]
    raise refused(
        "a name has letters a to z, digits, - and _ only, and at most 64 of them, because files are named after it",
        f"Write `{plain}`" if plain else "Write a name as `my-role`",
    )


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]
Base = Annotated[
    BaseReference,
    PlainValidator(_base),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(pkg:.*\S.*|hf:[\w.-]+/[\w.-]+(@.*)?|path:.*\S.*|gguf:.*\S.*)$"}),
]
Sources = Annotated[tuple[SourceOptions, ...], Field(min_length=1), BeforeValidator(_sources)]


def _trackers(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _each_once(value: tuple[TrackerChoice, ...]) -> tuple[TrackerChoice, ...]:
    if len({choice.name for choice in value}) < len(value):
        raise refused("a tracker stands there twice", "Name each tracker once")
    return value


Trackers = Annotated[tuple[TrackerChoice, ...], BeforeValidator(_trackers), AfterValidator(_each_once)]
Metric = Annotated[MetricSpec, BeforeValidator(_metric_entry)]


class RoleOptions(Options):
    """One specialist to make."""

    goal: str = Field(min_length=1, description="What the model should do differently, in a sentence or two.")
    task: Task = Field(
        Task.ANSWER,
        description="What the examples are: `answer` (a conversation and its answer), `label` (a conversation and its "
        "label) or `text` (plain text to continue).",
    )
    system: str | None = Field(
        None, min_length=1, description="System message put before every conversation that has none."
    )
    base: Base | None = Field(None, description="Base model of this role; the default is the project's.")
    data: Sources = Field(description="Where the examples are: a path, a group of keys, or a list of these.")
    clean: CleanOptions = Field(default_factory=CleanOptions, description="What is mended in the rows.")
    check: CheckOptions = Field(
        default_factory=CheckOptions, description="What is looked for in the rows, and what happens where it is found."
    )
    split: SplitOptions = Field(default_factory=SplitOptions, description="How rows are held out.")
    augment: AugmentOptions = Field(
        default_factory=AugmentOptions,
        description="More training rows made from those there are; a bare list is the list of techniques.",
    )
    render: RenderOptions = Field(default_factory=RenderOptions, description="How rows become tokens.")
    methods: tuple[MethodChoice, ...] = Field(
        default_factory=lambda: (MethodChoice.of("lora"),),
        min_length=1,
        description="Ways to customise, each tried and compared with the base: `lora`, or `lora: {rank: 8}`.",
    )
    generate: GenerationOptions = Field(default_factory=GenerationOptions, description="How answers are produced.")
    evaluate: EvaluationOptions = Field(default_factory=EvaluationOptions, description="How candidates are compared.")
    metrics: tuple[Metric, ...] | None = Field(
        None,
        min_length=1,
        description="What is measured; the default is by task: `perplexity` and `rouge_l` for `answer`, `exact_match` "
        "and `perplexity` for `label`, `perplexity` and `bits_per_byte` for `text`; `preference` where an objective "
        "learns from pairs of answers. `forgetting` is always added.",
    )
    gates: tuple[str, ...] = Field(
        (), description="What a candidate must reach to be released, as `rouge_l better by 0.05`."
    )
    search: SearchOptions = Field(
        default_factory=SearchOptions, description="What `atanor tune` tries; nothing of a run depends on it."
    )

    @field_validator("search")
    @classmethod
    def _searches_what_is_there(cls, value: SearchOptions, info: ValidationInfo) -> SearchOptions:
        if "methods" in info.data and (value.method is not None or value.space):
            space_for(value, searched(value, info.data["methods"]))
        return value

    probes: tuple[ProbeChoice, ...] = Field(
        (),
        description="What is measured beside the task, as changes from the base: `memorisation`, `canaries`, "
        "`stereotypes`, `pronouns`, `swaps`, `refusals` and `toxicity`.",
    )

    @model_validator(mode="after")
    def _confidence_is_known(self) -> RoleOptions:
        if self.generate.choices is None and any(metric.name == "ece" for metric in self.metrics or ()):
            raise refused(
                "`ece` compares probabilities of answers that are chosen, and here they are written",
                "Set `generate: {choices: labels}`, or remove `ece` from `metrics`",
            )
        return self

    @property
    def compares_answers(self) -> bool:
        """Something in the role asks for a better and a worse answer to one prompt."""
        compared = (LearnsFrom.PAIRS, LearnsFrom.JUDGEMENTS)
        return self.measures_preference or any(objective.learns_from in compared for objective in self.objectives)

    @property
    def measures_preference(self) -> bool:
        """A metric compares the likelihoods of both answers."""
        return any(metric.name in PREFERENCE_METRICS for metric in self.metrics_in_force)

    @property
    def objectives(self) -> list[ObjectiveChoice]:
        """What its methods that train minimise."""
        return [choice.options.objective for choice in self.methods if isinstance(choice.options, TrainOptions)]

    @property
    def metrics_in_force(self) -> tuple[MetricSpec, ...]:
        """The metrics written, or the defaults, and `forgetting` in any case.

        A role that learns from pairs is about which answer is preferred: the better one may well become less likely,
        as long as the worse one loses more, so that its perplexity says nothing.
        """
        written = self.metrics
        if written is None:
            pairs = any(objective.learns_from is LearnsFrom.PAIRS for objective in self.objectives)
            names = PREFERENCE_METRICS[:1] if pairs else DEFAULT_METRICS[self.task]
            written = tuple(MetricSpec(name=name) for name in names)
        if any(metric.name == ALWAYS_MEASURED for metric in written):
            return written
        return (*written, MetricSpec(name=ALWAYS_MEASURED))


class ProjectFile(Options):
    """One `atanor.yaml`: the roles to make and what they share."""

    project: Name = Field(description="Name of the project: letters, digits, - and _.")
    base: Base = Field(
        description="Base model: `pkg:NAME`, `hf:owner/name[@revision]`, `path:DIRECTORY` or `gguf:FILE`."
    )
    seed: int = Field(17, ge=0, description="Everything drawn at random follows from it.")
    max_refused: float = Field(
        0.02, ge=0, le=1, description="Share of rows that may be refused and set aside before the run stops."
    )
    track: Trackers = Field(
        (), description="Where runs are shown while they train: `tensorboard`, `mlflow`, or both, with their options."
    )
    roles: dict[Name, RoleOptions] = Field(min_length=1, description="The specialists to make, by name.")
    launch: LaunchOptions = Field(
        default_factory=LaunchOptions,
        description="Where training runs: in this process, or in several that divide every step.",
    )

    @model_validator(mode="after")
    def _launch_possible(self) -> ProjectFile:
        methods = {
            f"roles.{name}.methods.{choice.name}": choice.options
            for name, role in self.roles.items()
            for choice in role.methods
        }
        for reason, fix in launch_refusals(self.launch, methods):
            raise refused(reason, fix)
        return self

    def base_of(self, role: str) -> BaseReference:
        """The base model of a role: its own, or the project's."""
        return self.roles[role].base or self.base
