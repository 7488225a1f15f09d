from .base import CountsSteps, Objective, TrainingItem
from .classification import Classification, ClassifiedText
from .completion import Completion
from .declaring import LearnsFrom, ObjectiveOptions
from .judgement import JudgedAnswer, ProspectJudgement
from .material import Items, Material, Supervision
from .options import OBJECTIVE_OPTIONS, ObjectiveChoice
from .preference import DirectPreference, IdentityPreference, OddsRatioPreference, PairwiseObjective, SimplePreference
from .registry import OBJECTIVES, ObjectiveKind

__all__ = [
    "OBJECTIVES",
    "OBJECTIVE_OPTIONS",
    "Classification",
    "ClassifiedText",
    "Completion",
    "CountsSteps",
    "DirectPreference",
    "IdentityPreference",
    "Items",
    "JudgedAnswer",
    "LearnsFrom",
    "Material",
    "Objective",
    "ObjectiveChoice",
    "ObjectiveKind",
    "ObjectiveOptions",
    "OddsRatioPreference",
    "PairwiseObjective",
    "ProspectJudgement",
    "SimplePreference",
    "Supervision",
    "TrainingItem",
]
