from .base import CountsSteps, Objective, TrainingItem
from .classification import Classification, ClassifiedText, row_of
from .completion import Completion
from .declaring import LearnsFrom, ObjectiveOptions
from .material import Items, Material, Supervision
from .options import OBJECTIVE_OPTIONS, ObjectiveChoice
from .preference import DirectPreference
from .registry import OBJECTIVES, ObjectiveKind

__all__ = [
    "OBJECTIVES",
    "OBJECTIVE_OPTIONS",
    "Classification",
    "ClassifiedText",
    "Completion",
    "CountsSteps",
    "DirectPreference",
    "Items",
    "LearnsFrom",
    "Material",
    "Objective",
    "ObjectiveChoice",
    "ObjectiveKind",
    "ObjectiveOptions",
    "Supervision",
    "TrainingItem",
    "row_of",
]
