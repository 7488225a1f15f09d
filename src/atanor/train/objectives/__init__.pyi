from .base import Objective, TrainingItem
from .classification import Classification, ClassifiedText, row_of
from .completion import Completion
from .material import Items, Material, Supervision
from .options import OBJECTIVE_OPTIONS, LearnsFrom, ObjectiveChoice, ObjectiveOptions
from .preference import DirectPreference
from .registry import OBJECTIVES, ObjectiveKind

__all__ = [
    "OBJECTIVES",
    "OBJECTIVE_OPTIONS",
    "Classification",
    "ClassifiedText",
    "Completion",
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
