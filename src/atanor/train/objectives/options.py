"""The options of each objective, as they are written under `objective:` of a method that trains."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from atanor.options import NamedOptions
from atanor.train.distillation.options import DistillationOptions
from atanor.train.objectives.declaring import LearnsFrom, ObjectiveOptions


class CompletionOptions(ObjectiveOptions):
    """`completion`: the likelihood of the answers, or of the whole text where rows are plain text."""

    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of every target that is spread evenly over the vocabulary in training (0.1 is usual); "
        "validation stays plain.",
    )


class DpoOptions(ObjectiveOptions):
    """`dpo`: the better answer gains on the worse one, held to the base (Rafailov et al. 2023, arXiv:2305.18290)."""

    learns_from: ClassVar[LearnsFrom] = LearnsFrom.PAIRS
    rate: ClassVar[float] = 0.1

    beta: float = Field(0.1, gt=0, description="How strongly the model is held to the base; larger moves it less.")
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="Share of pairs that may be the wrong way round (conservative DPO, Mitchell 2023); 0 trusts all.",
    )


class IpoOptions(ObjectiveOptions):
    """`ipo`: as `dpo`, towards a margin of a fixed size instead of beyond all bounds (Azar et al. 2023,
    arXiv:2310.12036)."""

    learns_from: ClassVar[LearnsFrom] = LearnsFrom.PAIRS
    rate: ClassVar[float] = 0.1

    beta: float = Field(
        0.1,
        gt=0,
        description="How strongly the model is held to the base: the margin aimed at is 1 / (2 x beta) nats a token.",
    )


class OrpoOptions(ObjectiveOptions):
    """`orpo`: the better answer is learned and the worse one unlearned at once, without a reference (Hong et al. 2024,
    arXiv:2403.07691)."""

    learns_from: ClassVar[LearnsFrom] = LearnsFrom.PAIRS

    weight: float = Field(0.1, gt=0, description="Of the odds ratio beside the likelihood of the better answer.")


class SimpoOptions(ObjectiveOptions):
    """`simpo`: the better answer becomes likelier a token than the worse one, without a reference (Meng et al. 2024,
    arXiv:2405.14734)."""

    learns_from: ClassVar[LearnsFrom] = LearnsFrom.PAIRS
    rate: ClassVar[float] = 0.1

    beta: float = Field(2.0, gt=0, description="Scale of the likelihood a token.")
    margin: float = Field(
        1.0, ge=0, description="By how much the better answer should be ahead, on that scale; about half of `beta`."
    )


class KtoOptions(ObjectiveOptions):
    """`kto`: answers that were judged one by one, good or bad (Ethayarajh et al. 2024, arXiv:2402.01306)."""

    learns_from: ClassVar[LearnsFrom] = LearnsFrom.JUDGEMENTS
    rate: ClassVar[float] = 0.1

    beta: float = Field(0.1, gt=0, description="How strongly the model is held to the base; larger moves it less.")
    desirable_weight: float = Field(1.0, gt=0, description="Of good answers.")
    undesirable_weight: float = Field(1.0, gt=0, description="Of bad answers.")


OBJECTIVE_OPTIONS: dict[str, type[ObjectiveOptions]] = {
    "completion": CompletionOptions,
    "dpo": DpoOptions,
    "ipo": IpoOptions,
    "orpo": OrpoOptions,
    "simpo": SimpoOptions,
    "kto": KtoOptions,
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
        return self._own.learns_from

    @property
    def rate(self) -> float:
        """See `ObjectiveOptions`."""
        return self._own.rate

    @property
    def _own(self) -> ObjectiveOptions:
        assert isinstance(self.options, ObjectiveOptions)
        return self.options
