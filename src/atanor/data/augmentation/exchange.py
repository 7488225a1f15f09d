"""Counterfactuals as a technique: whole rows in which groups of people are exchanged, judged by rules of their own.

Nothing here is a rewording: the meaning changes where a name or a pronoun does, so no similarity is measured. What is
not certain is refused by the bias room, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from atanor.data.augmentation.candidates import PLAIN_TEXT, Candidate, Filtered, Reason, filtered
from atanor.data.augmentation.filters import Known, Made, question_key
from atanor.data.augmentation.options import CounterfactualTechniqueOptions
from atanor.data.bias.counterfactuals import counterfactual, frequent_words
from atanor.data.bias.outcome import NotSwapped, Why
from atanor.data.rows import Example
from atanor.data.words.languages import Identify


class Exchange:
    """The technique over the rows of one call.

    Args:
        options: what is exchanged.
        examples: all rows, by which a group is frequent.
        protect: words and phrases whose rows stay as they are, besides those of the options.
        identify: what tells a text's language.
    """

    def __init__(
        self,
        options: CounterfactualTechniqueOptions,
        examples: Sequence[Example],
        protect: Sequence[str],
        identify: Identify,
    ) -> None:
        self._options = options.model_copy(update={"protect": (*options.protect, *protect)})
        self._frequent = frequent_words(examples, options) if options.balancing else None
        self._identify = identify
        # Rows are compared whole: the same question may get an answer about somebody else.
        self._there = {example.id for example in examples}

    def outcomes(self, example: Example, count: int, known: Known, seed: str) -> Iterator[Made | Filtered]:
        """What comes of the first `count` counterfactuals of a row: of each dimension in turn."""
        for copy in range(count):
            dimension = self._options.dimensions[copy % len(self._options.dimensions)]
            technique = f"counterfactual.{dimension}"
            rng = Random(f"{seed}:{example.id}:{copy}")
            new = counterfactual(example, dimension, self._options, rng, self._identify)
            if isinstance(new, Example) and self._frequent is not None and not self._frequent(example, new, dimension):
                new = NotSwapped(Why.BALANCED)
            if isinstance(new, NotSwapped):
                yield filtered(example, technique, new.why, new.detail)
                continue
            candidate = _candidate(example, new, technique)
            if new.id in self._there:
                yield candidate.filtered(Reason.REPEATED)
            elif question_key(new) in known.held_out:
                yield candidate.filtered(Reason.HELD_OUT)
            else:
                self._there.add(new.id)
                yield Made(candidate, new, None)


def _candidate(parent: Example, new: Example, technique: str) -> Candidate:
    turns = enumerate(zip(parent.messages, new.messages, strict=True))
    pairs = [(place, old.content, now.content) for place, (old, now) in turns]
    if parent.text is not None and new.text is not None:
        pairs.append((PLAIN_TEXT, parent.text, new.text))
    changed = [(place, old, now) for place, old, now in pairs if old != now]
    places, before, after = zip(*changed, strict=True) if changed else ((), (), ())
    return Candidate(parent, technique, tuple(places), tuple(before), tuple(after))
