from .options import LoraOptions, Precision, TrainOptions
from .run import Interrupted, TrainingJob, TrainingResult, steps_of, train, train_dtype

__all__ = [
    "Interrupted",
    "LoraOptions",
    "Precision",
    "TrainOptions",
    "TrainingJob",
    "TrainingResult",
    "steps_of",
    "train",
    "train_dtype",
]
