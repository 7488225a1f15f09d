"""What objectives are made of: the rows of each side of the split, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atanor.data.options import RenderOptions
from atanor.data.preferences import PreferencePair
from atanor.data.rows import Example, TokenRow
from atanor.models import Base
from atanor.train.distillation.teacher import Teachers, Teaching
from atanor.train.objectives.base import TrainingItem


@dataclass(frozen=True)
class Supervision:
    """What one side of the split can teach.

    Attributes:
        rows: prompt and answer of every example, or its text, as tokens; the parts of a split example follow one
            another and share its id.
        pairs: the examples that have a worse answer too, with both answers as tokens.
        examples: what the rows were made from, by id.
    """

    rows: Sequence[TokenRow]
    pairs: Sequence[PreferencePair] = ()
    examples: Mapping[str, Example] = field(default_factory=dict)

    @property
    def content(self) -> list[tuple[object, ...]]:
        """Everything that may decide what is learned, for naming a training by it."""
        marks = {name: (example.desirable, example.label) for name, example in self.examples.items()}
        compared = [row for pair in self.pairs for row in (pair.chosen, pair.rejected)]
        return [
            *((row.tokens, row.weights, marks.get(row.example_id)) for row in self.rows),
            *((row.tokens, row.weights) for row in compared),
        ]


@dataclass(frozen=True)
class Material:
    """What lies before an objective when it is made.

    Attributes:
        base: the base that is tuned.
        training: what is learned.
        validation: what chooses the best checkpoint.
        seed: of everything random.
        folder: of the run.
        render: how examples become tokens.
        teachers: whom the project can name as a teacher; None where nobody can be named.
        teaching: what a teacher has said already.
    """

    base: Base
    training: Supervision
    validation: Supervision
    seed: int
    folder: Path
    render: RenderOptions = field(default_factory=RenderOptions)
    teachers: Teachers | None = None
    teaching: Teaching = field(default_factory=Teaching)


@dataclass(frozen=True)
class Items:
    """What an objective learns from.

    Attributes:
        items: in the order of the rows.
        notes: what is left aside, in sentences for the person.
    """

    items: Sequence[TrainingItem]
    notes: tuple[str, ...] = ()
