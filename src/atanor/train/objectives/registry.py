"""Every objective by the name a project file gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atanor.models import Tuned
from atanor.progress import Progress
from atanor.train import distillation
from atanor.train.objectives.base import Objective
from atanor.train.objectives.completion import Completion
from atanor.train.objectives.items import answers, judged_answers, pairs
from atanor.train.objectives.judgement import ProspectJudgement
from atanor.train.objectives.material import Items, Material, Supervision
from atanor.train.objectives.options import (
    CompletionOptions,
    DpoOptions,
    IpoOptions,
    KtoOptions,
    OrpoOptions,
    SimpoOptions,
)
from atanor.train.objectives.preference import (
    DirectPreference,
    IdentityPreference,
    OddsRatioPreference,
    SimplePreference,
)


@dataclass(frozen=True)
class ObjectiveKind:
    """How an objective is made from its options.

    Attributes:
        items: from (options, what a side of the split can teach) to what is learned from it.
        build: from (options, what is trained, everything else there is) to the loss.
        prepare: from (options, everything there is, who watches) to what there is after work that is done once, before
            anything is put into the base.
    """

    items: Callable[[Any, Supervision], Items]
    build: Callable[[Any, Tuned, Material], Objective]
    prepare: Callable[[Any, Material, Progress], Material] = lambda _options, material, _progress: material


def _completion(options: CompletionOptions, tuned: Tuned, material: Material) -> Objective:
    del tuned, material
    return Completion(options.label_smoothing)


def _dpo(options: DpoOptions, tuned: Tuned, material: Material) -> Objective:
    del material
    return DirectPreference(tuned, options.beta, options.label_smoothing)


def _ipo(options: IpoOptions, tuned: Tuned, material: Material) -> Objective:
    del material
    return IdentityPreference(tuned, options.beta)


def _orpo(options: OrpoOptions, tuned: Tuned, material: Material) -> Objective:
    del tuned, material
    return OddsRatioPreference(options.weight)


def _simpo(options: SimpoOptions, tuned: Tuned, material: Material) -> Objective:
    del tuned, material
    return SimplePreference(options.beta, options.margin)


def _kto(options: KtoOptions, tuned: Tuned, material: Material) -> Objective:
    del material
    return ProspectJudgement(tuned, options.beta, options.desirable_weight, options.undesirable_weight)


OBJECTIVES: dict[str, ObjectiveKind] = {
    "completion": ObjectiveKind(answers, _completion),
    "dpo": ObjectiveKind(pairs, _dpo),
    "ipo": ObjectiveKind(pairs, _ipo),
    "orpo": ObjectiveKind(pairs, _orpo),
    "simpo": ObjectiveKind(pairs, _simpo),
    "kto": ObjectiveKind(judged_answers, _kto),
    "distillation": ObjectiveKind(answers, distillation.build, distillation.prepare),
}
