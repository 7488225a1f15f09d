from .options import LoraOptions, Order, Precision, TrainOptions
from .run import Interrupted, TrainingJob, TrainingResult, steps_of, train, train_dtype

__all__ = [
    "Interrupted",
    "LoraOptions",
    "Order",
    "Precision",
    "TrainOptions",
    "TrainingJob",
    "TrainingResult",
    "steps_of",
    "train",
    "train_dtype",
]
