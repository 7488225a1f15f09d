"""What training minimises, as functions of the likelihoods of rows.

An objective takes the items of one optimizer step and adds the gradient of their loss through the engine, which
computes what the items' rows have in common once. A new objective is a class with three methods.
"""

from atanor.train.objectives.base import Objective, TrainingItem
from atanor.train.objectives.classification import Classification, ClassifiedText, row_of
from atanor.train.objectives.completion import Completion
from atanor.train.objectives.preference import DirectPreference, PreferencePair

__all__ = [
    "Classification",
    "ClassifiedText",
    "Completion",
    "DirectPreference",
    "Objective",
    "PreferencePair",
    "TrainingItem",
    "row_of",
]
