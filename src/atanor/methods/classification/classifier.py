"""A classifier in memory: asked with conversations, it gives the probability of every class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peft import PeftModel
from pydantic import BaseModel, ConfigDict
from transformers import PreTrainedModel

from atanor.data.options import TooLong
from atanor.data.rows import BETWEEN_CLASSES, Message
from atanor.inference import classify
from atanor.methods.classification.reading import TextReader
from atanor.models import Classifying, LocalBase, Pooling, load_classifying, load_tuned
from atanor.progress import Progress


class ClassifierDescription(BaseModel):
    """What of `candidate.json` makes a candidate a classifier.

    Attributes:
        classes: names, in the order of the head's outputs.
        multi_label: a text may have several.
        threshold: probability from which a class is named, where it may have several.
        pooling: what the head reads.
        too_long: what happens to texts longer than the base reads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: tuple[str, ...]
    multi_label: bool
    threshold: float
    pooling: Pooling
    too_long: TooLong

    def answer(self, probabilities: Sequence[float]) -> str:
        """The class or classes a text is said to have."""
        likeliest = max(range(len(self.classes)), key=probabilities.__getitem__)
        if not self.multi_label:
            return self.classes[likeliest]
        named = [name for name, one in zip(self.classes, probabilities, strict=True) if one >= self.threshold]
        return BETWEEN_CLASSES.join(named) or self.classes[likeliest]

    def confidence(self, probabilities: Sequence[float]) -> float:
        """The probability of what `answer` says: of the class, or of several being there and the others not."""
        if not self.multi_label:
            return max(probabilities)
        named = set(self.answer(probabilities).split(BETWEEN_CLASSES))
        pairs = zip(self.classes, probabilities, strict=True)
        return math.prod(one if name in named else 1 - one for name, one in pairs)


@dataclass(frozen=True)
class Classifier:
    """A network with a head, how it is given texts, and what its outputs mean.

    Attributes:
        classifying: the base with the head.
        model: the same with what was trained.
        description: what its outputs mean.
    """

    classifying: Classifying
    model: PreTrainedModel | PeftModel
    description: ClassifierDescription

    @classmethod
    def load(
        cls, local: LocalBase, folder: Path, description: ClassifierDescription, *, dtype: str, device: str
    ) -> Classifier:
        """Put a published classifier on its base.

        Raises:
            BaseModelError: the folder holds none, or that of another base.
        """
        import torch

        classifying = load_classifying(
            local,
            description.classes,
            multi_label=description.multi_label,
            pooling=description.pooling,
            dtype=getattr(torch, dtype),
            device=device,
        )
        model = load_tuned(classifying.base, folder).model.eval()
        return cls(classifying, model, description)

    def probabilities(self, turns: Sequence[Sequence[Message]], progress: Progress, name: str) -> list[list[float]]:
        """Of every class, for each conversation; of exactly one class they sum to 1."""
        reader = TextReader(self.classifying, self.description.too_long)
        texts = [reader(one) for one in turns]
        if reader.cut:
            progress.say(f"{name}: {reader.cut} of {len(texts)} texts are cut to the {reader.limit} tokens it reads")
        several = self.description.multi_label
        return classify(self.model, texts, multi_label=several, progress=progress, name=name)
