"""What the options of every method that trains have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pydantic import model_validator

from atanor.train.options import TrainOptions


class TuningOptions(TrainOptions, ABC):
    """A method that trains."""

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

    @property
    def judged_as(self) -> str | None:
        """What answers as the candidate, where that is another thing than the base with what was trained."""
        return None

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What is trained, in a few words for the plan."""
