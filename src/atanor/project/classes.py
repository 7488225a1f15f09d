"""What the project room adds where a candidate names classes: what it learns from, and how it sits the test."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

from atanor.data.rows import Example
from atanor.data.sides import Side
from atanor.evaluate.items import Outcome
from atanor.evaluate.metrics import Metric
from atanor.methods.classification.classifier import Classifier
from atanor.methods.classification.material import ClassMaterial, class_names, classes_of
from atanor.methods.classification.options import ClassifierOptions
from atanor.models import resolve_base
from atanor.progress import Progress
from atanor.project.dataset import RoleData
from atanor.project.options import RoleOptions


def class_material(
    options: ClassifierOptions, data: RoleData, role: RoleOptions, root: Path, progress: Progress
) -> ClassMaterial:
    """What a classifier learns from, its own base found on this machine.

    Args:
        options: of the method.
        data: of the role.
        role: the role.
        root: folder of the project.
        progress: told where the base is fetched.

    Raises:
        DataError: the classes cannot be learned; see `class_names`.
        BaseModelError: its own base is not there.
    """
    training, validation = (tuple(side.examples.values()) for side in (data.training, data.validation))
    sides = {Side.TRAIN: training, Side.VALIDATION: validation, Side.TEST: data.test}
    return ClassMaterial(
        names=class_names(sides, multi_label=options.multi_label),
        training=training,
        validation=validation,
        local=None if options.reference is None else resolve_base(options.reference, root, progress),
        too_long=role.render.too_long,
    )


def named_classes(classifier: Classifier, test: Sequence[Example], who: str, progress: Progress) -> list[Outcome]:
    """What a classifier makes of the test items, in order: names of classes, as a model that writes would give them.

    The likelihood is that of the right class among the classes, or of the classes being there and the others not, so it
    is not one of texts.
    """
    description = classifier.description
    began = time.perf_counter()
    found = classifier.probabilities([one.prompt for one in test], progress, f"{who} answers the test items")
    seconds = (time.perf_counter() - began) / max(1, len(test))
    outcomes = []
    for example, probabilities in zip(test, found, strict=True):
        right = classes_of(example, multi_label=description.multi_label)
        there = [
            one if name in right else 1 - one
            for name, one in zip(description.classes, probabilities, strict=True)
            if description.multi_label or name in right
        ]
        outcomes.append(
            Outcome(
                answer=description.answer(probabilities),
                finished=True,
                nll=-sum(math.log(max(one, 1e-300)) for one in there),
                tokens=len(there),
                bytes=len(example.reference.encode()),
                confidence=description.confidence(probabilities),
                seconds=seconds,
            )
        )
    return outcomes


def judged(metric: Metric) -> bool:
    """A metric that a candidate which writes nothing can be compared by: one that looks at answers."""
    return metric.needs_generation and not metric.uses_general_text and not metric.counts_tokens


def not_compared(metrics: Sequence[Metric], classes: int) -> list[str]:
    """Why a classifier has no figure of some metrics, in sentences for the report."""
    notes = []
    texts = [metric.label for metric in metrics if not metric.needs_generation and not metric.uses_general_text]
    tokens = [metric.label for metric in metrics if metric.counts_tokens]
    if tokens:
        notes.append(f"Not compared by {' and '.join(tokens)}: a classifier writes no tokens.")
    if texts:
        notes.append(
            f"Not compared by {' and '.join(texts)}: a classifier's likelihood is over its {classes} classes, the "
            "base's over all texts, and one says nothing beside the other."
        )
    if any(metric.uses_general_text for metric in metrics):
        notes.append(
            "Forgetting is not defined for a classifier: it writes nothing, so it has no general text to lose."
        )
    return notes
