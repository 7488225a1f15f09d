"""The probes: what each asks of a model, and what it is scored by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from peft import PeftModel
from transformers import PreTrainedModel

from atanor.evaluate.ability import metrics
from atanor.evaluate.ability.encoding import (
    ScoredText,
    after_context,
    asked_prompt,
    first_token,
    scored,
    text_tokens,
)
from atanor.evaluate.ability.options import FORMATS, KL, AbilityFile, ProbeKind
from atanor.evaluate.ability.reading import read_probe, shipped
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.metrics.base import Metric
from atanor.evaluate.options import EvaluationOptions
from atanor.inference import Decoding, generate_answers, score_choices, score_rows
from atanor.inference.divergence import divergences_from
from atanor.models import Base
from atanor.progress import Progress

_CONTINUED, _FORMAT, _LAST_WORD = 32, 64, 6
"""Most new tokens: of the base's own answer to a general prompt, of one in a form, of a last word."""


@dataclass(frozen=True)
class Asked:
    """Who is asked.

    Attributes:
        base: for its tokenizer and context.
        model: the network, with the candidate's adapter active.
        who: its name in the progress bar.
        progress: shown what is asked.
        untouched: of a tuned candidate, a context in which `model` answers as the base; None of the base itself.
        before: what the base made of the same items; None of the base itself.
    """

    base: Base
    model: PreTrainedModel | PeftModel
    who: str
    progress: Progress
    untouched: Callable[[], AbstractContextManager[None]] | None = None
    before: Sequence[Outcome] | None = None


@dataclass(frozen=True)
class Task(ABC):
    """Some items and how they are scored.

    Attributes:
        name: of the probe, as in the report.
        items: what is asked.
        metrics: what the outcomes are marked by.
    """

    name: str
    items: Sequence[Item]
    metrics: Sequence[Metric]

    written = 0
    """Most tokens an item's answer has."""

    @abstractmethod
    def ask(self, asked: Asked) -> list[Outcome]:
        """What a model makes of every item, in order."""

    def texts(self, item: Item) -> list[str]:
        """What is read of an item, for telling the cost first."""
        return [item.prompt + item.reference]


class Formats(Task):
    """Answers to prompts that ask for a form."""

    written = _FORMAT

    def ask(self, asked: Asked) -> list[Outcome]:
        prompts = [asked_prompt(asked.base, item.prompt) for item in self.items]
        return _answered(asked, prompts, self.written, "keeps forms")


class LastWords(Task):
    """The word that ends a passage (Paperno et al. 2016, arXiv:1606.06031), written greedily."""

    written = _LAST_WORD

    def ask(self, asked: Asked) -> list[Outcome]:
        tokenizer, room = asked.base.tokenizer, asked.base.context - self.written - 1
        prompts = [(first_token(tokenizer), *text_tokens(tokenizer, item.prompt)[-room:]) for item in self.items]
        return _answered(asked, prompts, self.written, f"writes last words ({self.name})")


class Divergence(Task):
    """How far a candidate's predictions are from the base's, along the base's own greedy answers to general prompts."""

    written = _CONTINUED

    def ask(self, asked: Asked) -> list[Outcome]:
        prompts = [asked_prompt(asked.base, item.prompt) for item in self.items]
        if asked.before is None:
            return _answered(asked, prompts, self.written, "answers general prompts")
        if asked.untouched is None:
            return list(asked.before)
        rows = [
            scored(prompt, outcome.written, asked.base.context)
            for prompt, outcome in zip(prompts, asked.before, strict=True)
        ]
        found = divergences_from(asked.model, asked.untouched, rows)
        return [
            Outcome(None, True, nats, outcome.tokens, outcome.bytes)
            for nats, outcome in zip(found, asked.before, strict=True)
        ]


class MinimalPairs(Task):
    """Two sentences that differ in one thing, one of them wrong (Warstadt et al. 2020, arXiv:1912.00582)."""

    def ask(self, asked: Asked) -> list[Outcome]:
        rows = [_alone(asked.base, text) for item in self.items for text in self.texts(item)]
        nll = score_rows(asked.model, rows, asked.progress, f"{asked.who} weighs sentences ({self.name})")
        return [
            Outcome(None, True, good, 0, len(item.reference.encode()), bad)
            for item, good, bad in zip(self.items, nll[::2], nll[1::2], strict=True)
        ]

    def texts(self, item: Item) -> list[str]:
        return [item.reference, item.fields["worse"]]


class RunningText(Task):
    """Text that is read as it stands (Merity et al. 2017, arXiv:1609.07843)."""

    def ask(self, asked: Asked) -> list[Outcome]:
        rows = [_alone(asked.base, item.reference) for item in self.items]
        nll = score_rows(asked.model, rows, asked.progress, f"{asked.who} reads ({self.name})")
        return [
            Outcome(None, True, nats, len(row.tokens) - 1, len(item.reference.encode()))
            for item, row, nats in zip(self.items, rows, nll, strict=True)
        ]


class Choices(Task):
    """Questions with several answers, each scored after the question, which is read once."""

    def ask(self, asked: Asked) -> list[Outcome]:
        prompts, choices = choice_tokens(asked.base, self.items)
        name = f"{asked.who} chooses ({self.name})"
        return [
            Outcome(None, True, min(nll), 0, 0, choice_nlls=tuple(nll))
            for nll in score_choices(asked.model, prompts, choices, asked.progress, name)
        ]

    def texts(self, item: Item) -> list[str]:
        return [item.prompt, *item.fields["choices"]]


def choice_tokens(base: Base, items: Sequence[Item]) -> tuple[list[tuple[int, ...]], list[list[tuple[int, ...]]]]:
    """Tokens of every question, and of every choice behind it; a question that is too long loses its beginning."""
    prompts, choices = [], []
    for item in items:
        pairs = [after_context(base.tokenizer, item.prompt, f" {choice}") for choice in item.fields["choices"]]
        room = base.context - max(len(choice) for _, choice in pairs)
        prompts.append(pairs[0][0][-room:])
        choices.append([choice for _, choice in pairs])
    return prompts, choices


def tasks_of(options: EvaluationOptions, root: Path) -> list[Task]:
    """The probes that a role asks.

    Args:
        options: its setting and files.
        root: of the project, where files are relative to.

    Raises:
        DataError: a file cannot be read.
    """
    if options.ability is None:
        return []
    return [
        Divergence(
            KL,
            shipped("generic", options.ability.prompts),
            [metrics.MeanDivergence(KL, "distance from the base (KL)")],
        ),
        Formats(
            FORMATS,
            shipped("formats", options.ability.prompts),
            [metrics.Right(FORMATS, "forms asked for and kept", metrics.format_is_kept, None)],
        ),
        *(_of_file(probe, root, options.ability.items) for probe in options.ability_files),
    ]


def _of_file(probe: AbilityFile, root: Path, most: int | None) -> Task:
    items, name, margin = read_probe(probe, root, most), probe.called, probe.margin
    if probe.kind is ProbeKind.BLIMP:
        return MinimalPairs(name, items, [metrics.Right(name, f"{name} (pairs)", metrics.first_is_likelier, margin)])
    if probe.kind is ProbeKind.LAMBADA:
        last = metrics.Right(name, f"{name} (last words)", metrics.last_word_written, margin)
        return LastWords(name, items, [last])
    bits_or_norm = probe.metrics[-1]
    if probe.kind is ProbeKind.WIKITEXT:
        words = metrics.WordPerplexity(name, f"{name} (word perplexity)", margin)
        return RunningText(name, items, [words, metrics.TextBits(bits_or_norm, f"{name} (bits/byte)")])
    return Choices(
        name,
        items,
        [
            metrics.Right(name, f"{name} (accuracy)", metrics.likeliest_is_right, margin),
            metrics.Right(bits_or_norm, f"{name} (by length)", metrics.likeliest_by_length_is_right, margin),
        ],
    )


def _answered(asked: Asked, prompts: Sequence[tuple[int, ...]], limit: int, doing: str) -> list[Outcome]:
    answers = generate_answers(
        asked.base,
        asked.model,
        prompts,
        decoding=Decoding(limit),
        progress=asked.progress,
        name=f"{asked.who} {doing}",
    )
    return [
        Outcome(answer.text, answer.finished, 0.0, len(answer.tokens), len(answer.text.encode()), written=answer.tokens)
        for answer in answers
    ]


def _alone(base: Base, text: str) -> ScoredText:
    return scored(*after_context(base.tokenizer, "", text), base.context)
