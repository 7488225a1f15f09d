"""What the options of every method that trains have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

from pydantic import Field, model_validator

from atanor.train.options import TrainOptions


class TuningOptions(TrainOptions, ABC):
    """A method that trains."""

    start_from: str | None = Field(
        None,
        min_length=1,
        description="What training begins from in place of fresh numbers: a release (`director@1`), a role, a run, a "
        "candidate, or the folder of an adapter or a network of the same technique and shape.",
    )
    begins_as_base: ClassVar[bool] = True
    """Before the first step the model answers as the base."""

    @model_validator(mode="after")
    def _anchors_possible(self) -> TuningOptions:
        remedies = self.against_forgetting
        for name, written in (("l2_sp", remedies.l2_sp), ("ewc", remedies.ewc)):
            if written is not None and not self.begins_as_base:
                raise ValueError(
                    f"`{name}` holds what trains where it began, and virtual tokens do not begin as the base; write "
                    "`kl_to_base` or `replay`"
                )
        return self

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        field = type(self).model_fields.get("start")
        if self.start_from is not None and field is not None and getattr(self, "start", None) != field.default:
            raise ValueError("`start` and `start_from` both say how the numbers begin; write one of them")
        return self

    @property
    def gates_by_hand(self) -> bool:
        """The elementwise part of the feed-forward blocks is computed by the layer that `compile` compiles."""
        return False

    @model_validator(mode="after")
    def _compiles_something(self) -> TuningOptions:
        if self.compile and not self.gates_by_hand:
            raise ValueError(
                "`compile` is for plain LoRA on all of gate_proj, up_proj and down_proj, and would do nothing here; "
                "remove it"
            )
        return self

    @property
    def judged_as(self) -> str | None:
        """What answers as the candidate, where that is another thing than the base with what was trained."""
        return None

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What is trained, in a few words for the plan."""
