"""How far training went beyond what carries over: the gap between both losses, and what came after the best step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from atanor.evaluate.report import TrainingSection

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Overfitting:
    """Both losses at the best step and at the end.

    Attributes:
        step: the best one: its weights were kept.
        training: mean training loss between the validation before the best step and that step.
        validation: validation loss at the best step.
        training_after: change of the training loss from there to the end, of the means before both validations.
        validation_after: change of the validation loss from there to the end; 0 where the best step is the last.
    """

    step: int
    training: float
    validation: float
    training_after: float
    validation_after: float

    @property
    def gap(self) -> float:
        """Validation minus training loss at the best step."""
        return self.validation - self.training

    @property
    def memorising(self) -> bool:
        """After the best step training went on to fall while validation rose: the rows were learned by heart."""
        return self.validation_after > 0 > self.training_after

    @property
    def in_words(self) -> str:
        """For the report."""
        where = "above" if self.gap >= 0 else "below"
        said = f"validation loss {abs(self.gap):.3f} {where} training's at step {self.step:,}, the best"
        if self.validation_after <= 0:
            return f"{said}; it never rose"
        fell = f" while training changed by {_signed(self.training_after)}" if self.memorising else ""
        return f"{said}; from there validation rose by {_signed(self.validation_after)}{fell}"


def overfitting_of(training: TrainingSection) -> Overfitting | None:
    """What the losses of a training show; None where one of them was not recorded.

    Losses are those of the objective; of a training that was continued only the steps of this run are looked at.
    """
    validation = [(step, loss) for step, loss in training.validation_loss if math.isfinite(loss)]
    learned = [(step, loss) for step, loss in training.train_loss if math.isfinite(loss)]
    if not validation or not learned:
        return None
    place = min(range(len(validation)), key=lambda number: (abs(validation[number][0] - training.best_step), number))
    best, last = (_before(learned, validation, number) for number in (place, len(validation) - 1))
    return Overfitting(
        step=validation[place][0],
        training=best,
        validation=validation[place][1],
        training_after=last - best,
        validation_after=validation[-1][1] - validation[place][1],
    )


def _before(learned: Points, validation: Points, number: int) -> float:
    """Mean training loss of the steps since the validation before that of this number; else of the nearest step."""
    end = validation[number][0]
    start = validation[number - 1][0] if number else 0
    inside = [loss for step, loss in learned if start < step <= end]
    if inside:
        return sum(inside) / len(inside)
    return min(learned, key=lambda point: abs(point[0] - end))[1]


def _signed(number: float) -> str:
    return f"{number:+.3f}".replace("-", "−")
