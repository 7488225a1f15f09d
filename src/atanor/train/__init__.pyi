from .budget import Budget, Ended, budget_of, steps_of
from .forecast import Forecast
from .group import ALONE, Group, PeerLostError, meet
from .job import Follow, TrainingJob
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
from .options import OptimizerName, Order, Precision, Schedule, Sharding, TrainOptions
from .run import Interrupted, TrainingResult, train, train_dtype

__all__ = [
    "ALONE",
    "OBJECTIVES",
    "Budget",
    "Classification",
    "ClassifiedText",
    "Completion",
    "DirectPreference",
    "Ended",
    "Follow",
    "Forecast",
    "Group",
    "Interrupted",
    "LearnsFrom",
    "Material",
    "Objective",
    "ObjectiveChoice",
    "OptimizerName",
    "Order",
    "PeerLostError",
    "Precision",
    "Schedule",
    "Sharding",
    "Supervision",
    "TrainOptions",
    "TrainingItem",
    "TrainingJob",
    "TrainingResult",
    "budget_of",
    "meet",
    "steps_of",
    "train",
    "train_dtype",
]
