"""The options of each objective, as they are written under `objective:` of a method that trains."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from atanor.options import NamedOptions
from atanor.train.distillation.options import DistillationOptions
from atanor.train.objectives.declaring import LearnsFrom, ObjectiveOptions


class CompletionOptions(ObjectiveOptions):
    """`completion`: the likelihood of the answers, or of the whole text where rows are plain text."""


class DpoOptions(ObjectiveOptions):
    """`dpo`: the better answer gains on the worse one, held to the base (Rafailov et al. 2023, arXiv:2305.18290)."""

    learns_from: ClassVar[LearnsFrom] = LearnsFrom.PAIRS

    beta: float = Field(0.1, gt=0, description="How strongly the model is held to the base; larger moves it less.")
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="Share of pairs that may be the wrong way round (conservative DPO, Mitchell 2023); 0 trusts all.",
    )


OBJECTIVE_OPTIONS: dict[str, type[ObjectiveOptions]] = {
    "completion": CompletionOptions,
    "dpo": DpoOptions,
    "distillation": DistillationOptions,
}
"""Every objective a project file may name, with the options it takes."""


class ObjectiveChoice(NamedOptions):
    """What a method minimises. Written `dpo` or `dpo: {beta: 0.2}`."""

    kind = "an objective"
    declared = OBJECTIVE_OPTIONS

    @property
    def learns_from(self) -> LearnsFrom:
        """See `ObjectiveOptions`."""
        return self.declared[self.name].learns_from
