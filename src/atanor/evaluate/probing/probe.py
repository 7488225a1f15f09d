"""What a probe is: items, what a model is asked about each, and the metrics that look at the outcome."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedModel

from atanor.data.rows import Example, TokenRow
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics import Metric
from atanor.inference import Answer, Decoding, generate_answers, score_rows
from atanor.models import Base
from atanor.progress import Progress


@dataclass(frozen=True)
class Ground:
    """What probes are made from.

    Attributes:
        base: for tokenizer, template and context.
        training: the rows a candidate learns from.
        test: the role's test examples.
        ask: puts around an example what the candidate adds to every prompt.
        metrics: the role's own.
        root: folder of the project, where relative paths start.
        seed: of everything drawn.
        system: the role's system message.
        max_new_tokens: longest answer to an item of the role.
        room: tokens that a method puts before every prompt.
    """

    base: Base
    training: Sequence[TokenRow]
    test: Sequence[Example]
    ask: Callable[[Example], Example]
    metrics: Sequence[Metric]
    root: Path
    seed: int
    system: str | None = None
    max_new_tokens: int = 128
    room: int = 0


@dataclass(frozen=True)
class Probe:
    """Items and what is asked about them. The first variant of an item is itself; others are compared with it.

    Attributes:
        name: as in the project file.
        section: of the report.
        about: what is measured, in a sentence.
        metrics: what looks at the outcomes.
        items: what is asked about, one outcome each.
        rows: for each item its variants as tokens to be scored; empty when none are.
        prompts: for each item its variants as prompts to be answered; empty when none are.
        max_new_tokens: longest answer.
    """

    name: str
    section: str
    about: str
    metrics: Sequence[Metric]
    items: Sequence[Item]
    rows: Sequence[Sequence[TokenRow]] = ()
    prompts: Sequence[Sequence[tuple[int, ...]]] = ()
    max_new_tokens: int = 0

    @property
    def content(self) -> str:
        """Hash of everything that decides the outcomes, but for the model."""
        told = [
            self.name,
            [item.id for item in self.items],
            [[[list(row.tokens), list(row.weights)] for row in variants] for variants in self.rows],
            [[list(prompt) for prompt in variants] for variants in self.prompts],
            self.max_new_tokens,
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def ask(self, base: Base, model: PreTrainedModel | PeftModel, who: str, progress: Progress) -> list[Outcome]:
        """One outcome an item; what is made of its other variants stands in `Outcome.variants`."""
        name = f"{who} ({self.name.replace('_', ' ')})"
        prompts = [prompt for variants in self.prompts for prompt in variants]
        rows = [row for variants in self.rows for row in variants]
        decoding = Decoding(self.max_new_tokens)
        answers: list[Answer | None] = [None] * len(rows)
        if prompts:
            answers = list(generate_answers(base, model, prompts, decoding=decoding, progress=progress, name=name))
        scores: list[tuple[float, TokenRow | None]] = [(0.0, None)] * len(prompts)
        if rows:
            scores = list(zip(score_rows(model, rows, progress, name), rows, strict=True))
        flat = [_outcome(answer, nll, row) for answer, (nll, row) in zip(answers, scores, strict=True)]
        return _grouped(flat, [len(variants) for variants in (self.rows or self.prompts)])


def _outcome(answer: Answer | None, nll: float, row: TokenRow | None) -> Outcome:
    return Outcome(
        answer=None if answer is None else answer.text,
        finished=answer is not None and answer.finished,
        nll=nll,
        tokens=0 if row is None else row.supervised,
        bytes=0 if row is None else row.supervised_bytes,
        written=() if answer is None else tuple(answer.tokens),
    )


def _grouped(flat: Sequence[Outcome], sizes: Sequence[int]) -> list[Outcome]:
    each = iter(flat)
    groups = [[next(each) for _ in range(size)] for size in sizes]
    return [replace(first, variants=tuple(others)) for first, *others in groups]
