from .forecast import Forecast
from .job import TrainingJob
from .objectives import (
    OBJECTIVES,
    Classification,
    ClassifiedText,
    Completion,
    DirectPreference,
    LearnsFrom,
    Material,
    Objective,
    ObjectiveChoice,
    Supervision,
    TrainingItem,
)
from .options import OptimizerName, Order, Precision, Schedule, TrainOptions
from .run import Interrupted, TrainingResult, steps_of, train, train_dtype

__all__ = [
    "OBJECTIVES",
    "Classification",
    "ClassifiedText",
    "Completion",
    "DirectPreference",
    "Forecast",
    "Interrupted",
    "LearnsFrom",
    "Material",
    "Objective",
    "ObjectiveChoice",
    "OptimizerName",
    "Order",
    "Precision",
    "Schedule",
    "Supervision",
    "TrainOptions",
    "TrainingItem",
    "TrainingJob",
    "TrainingResult",
    "steps_of",
    "train",
    "train_dtype",
]
