"""Augmentation: more training rows made from those there are, and every candidate that was not good enough.

In: the `Example`s of the training side, `AugmentOptions`, a seed, and from outside what needs a model (`Engines`).
Out: `Augmented`: new examples that carry their parent's id, group, label and place; what was filtered and why; the
report.

    options = AugmentOptions(techniques=[{"method": "eda", "per_row": 2}], balance=True)
    augmented = augment(split.train, options, seed=17, held_out=[*split.validation, *split.test])
    train = [*split.train, *augmented.examples]
"""

from __future__ import annotations

from atanor.data.augmentation.augmenting import Augmented, Screen, augment
from atanor.data.augmentation.building import Engines
from atanor.data.augmentation.candidates import Filtered, Reason
from atanor.data.augmentation.engines import Embedder, Engine, Technique, Translator
from atanor.data.augmentation.options import AugmentOptions
from atanor.data.augmentation.protect import Protection
from atanor.data.augmentation.report import AugmentationReport, TechniqueReport

__all__ = [
    "AugmentOptions",
    "AugmentationReport",
    "Augmented",
    "Embedder",
    "Engine",
    "Engines",
    "Filtered",
    "Protection",
    "Reason",
    "Screen",
    "Technique",
    "TechniqueReport",
    "Translator",
    "augment",
]
