from .forecast import Forecast
from .job import TrainingJob
from .objectives import (
    Classification,
    ClassifiedText,
    Completion,
    DirectPreference,
    Objective,
    PreferencePair,
    TrainingItem,
)
from .options import OptimizerName, Order, Precision, Schedule, TrainOptions
from .run import Interrupted, TrainingResult, steps_of, train, train_dtype

__all__ = [
    "Classification",
    "ClassifiedText",
    "Completion",
    "DirectPreference",
    "Forecast",
    "Interrupted",
    "Objective",
    "OptimizerName",
    "Order",
    "Precision",
    "PreferencePair",
    "Schedule",
    "TrainOptions",
    "TrainingItem",
    "TrainingJob",
    "TrainingResult",
    "steps_of",
    "train",
    "train_dtype",
]
