"""Ask a classifier as it was judged: same base, same weights, same classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atanor.data.rows import Message, Speaker
from atanor.methods import CandidateDescription
from atanor.methods.classification.classifier import Classifier
from atanor.progress import Silent


@dataclass
class Labelling:
    """A classifier in memory. Every text stands by itself: there are no earlier turns.

    Attributes:
        classifier: what is asked.
        description: of the candidate.
        probabilities: of every class of the text asked last, the likeliest first.
    """

    classifier: Classifier
    description: CandidateDescription
    probabilities: tuple[tuple[str, float], ...] = ()

    def ask(self, text: str, on_text: Callable[[str], None] | None = None) -> str:
        """The class of a text, or its classes with commas between; `on_text` gets the same."""
        turns: tuple[Message, ...] = (Message(Speaker.USER, text),)
        if self.description.system:
            turns = (Message(Speaker.SYSTEM, self.description.system), *turns)
        (found,) = self.classifier.probabilities([turns], Silent(), "asking")
        classes = self.classifier.description.classes
        self.probabilities = tuple(sorted(zip(classes, found, strict=True), key=lambda one: -one[1]))
        answer = self.classifier.description.answer(found)
        if on_text is not None:
            on_text(answer)
        return answer
