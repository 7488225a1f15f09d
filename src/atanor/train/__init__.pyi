from .forecast import Forecast
from .objectives import Completion, DirectPreference, Objective, PreferencePair, TrainingItem
from .options import LoraOptions, Order, Precision, TrainOptions
from .run import Interrupted, TrainingJob, TrainingResult, steps_of, train, train_dtype

__all__ = [
    "Completion",
    "DirectPreference",
    "Forecast",
    "Interrupted",
    "LoraOptions",
    "Objective",
    "Order",
    "Precision",
    "PreferencePair",
    "TrainOptions",
    "TrainingItem",
    "TrainingJob",
    "TrainingResult",
    "steps_of",
    "train",
    "train_dtype",
]
