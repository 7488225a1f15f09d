"""New examples by a model that is shown a few of the same kind, read strictly and kept only where they are new.

Self-instruct (Wang et al. 2023). A prompt shows rows of one class, or any rows where there are no classes; what a model
writes beyond what was asked for is not read.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from atanor.data.augmentation import prompts
from atanor.data.augmentation.candidates import PLAIN_TEXT, Candidate, Filtered, Reason, filtered
from atanor.data.augmentation.engines import Engine
from atanor.data.augmentation.filters import Filters, Known, Made
from atanor.data.augmentation.novelty import Novelty
from atanor.data.augmentation.options import NewExampleOptions
from atanor.data.rows import Example, Speaker

_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL)
_LONGEST_ANSWER = 200_000


@dataclass(frozen=True)
class Order:
    """One prompt: the rows it shows, and the parent of each example it asks for."""

    shown: tuple[Example, ...]
    parents: tuple[Example, ...]

    @property
    def label(self) -> str | None:
        """The class of the rows."""
        return self.parents[0].label

    @property
    def as_texts(self) -> bool:
        """Whether plain strings are asked for: messages of a class, or plain texts."""
        return self.label is not None or not self.parents[0].messages


@dataclass(frozen=True)
class NewExamples:
    """Asks an engine for new examples and judges them.

    Attributes:
        options: how many are shown and asked for, and what counts as a copy.
        engine: who answers.
        filters: for template tokens, language, label words and the similarity that the report tells.
    """

    options: NewExampleOptions
    engine: Engine
    filters: Filters

    def orders(self, examples: Sequence[Example], asked: Sequence[int], rng: Random) -> list[Order]:
        """The prompts for `asked[i]` new examples of each row; rows that are not suitable are left out."""
        classes: defaultdict[tuple[str | None, bool], list[int]] = defaultdict(list)
        for index, example in enumerate(examples):
            if is_suitable(example):
                classes[example.label, bool(example.messages)].append(index)
        found = []
        for rows in classes.values():
            slots = [index for index in rows for _ in range(asked[index])]
            rng.shuffle(slots)
            for start in range(0, len(slots), self.options.per_prompt):
                parents = slots[start : start + self.options.per_prompt]
                shown = list(dict.fromkeys(parents))[: self.options.shown]
                others = [index for index in rng.sample(rows, min(len(rows), self.options.shown)) if index not in shown]
                shown += others[: self.options.shown - len(shown)]
                found.append(Order(_rows(examples, shown), _rows(examples, parents)))
        return found

    def make(self, orders: Sequence[Order], known: Known, novelty: Novelty) -> list[Made | Filtered]:
        """Ask for all orders at once; one outcome for every example asked for. `known` and `novelty` learn."""
        answers = self.engine.generate([self._prompt(order) for order in orders])
        judged: list[Made | Filtered] = []
        for order, answer in zip(orders, answers, strict=True):
            items = None if answer is None else read_answer(answer, as_texts=order.as_texts)
            for number, parent in enumerate(order.parents):
                if answer is None:
                    judged.append(filtered(parent, self.options.method, Reason.NO_ANSWER))
                elif items is None or number >= len(items):
                    judged.append(filtered(parent, self.options.method, Reason.MALFORMED, text=answer))
                else:
                    judged.append(self._judge(parent, items[number], known, novelty))
        return self._with_similarity(judged)

    def _prompt(self, order: Order) -> str:
        language = "es" if self.filters.identify(_question(order.parents[0])) == "es" else "en"
        count = len(order.parents)
        if order.as_texts:
            label = "text" if order.label is None else order.label.replace("_", " ")
            texts = [_question(example) for example in order.shown]
            return prompts.new_texts(texts, label=label, count=count, language=language)
        pairs = [(_question(example), example.reference) for example in order.shown]
        return prompts.new_pairs(pairs, count=count, language=language)

    def _judge(
        self, parent: Example, item: tuple[str, str | None] | None, known: Known, novelty: Novelty
    ) -> Made | Filtered:
        if item is None:
            return filtered(parent, self.options.method, Reason.MALFORMED)
        candidate = _candidate(parent, item, self.options.method)
        for before, after in zip(candidate.before, candidate.after, strict=True):
            reason = self.filters.reason_in_text(before, after, parent.label)
            if reason is not None:
                return candidate.filtered(*reason)
        score = novelty.copied(item[0])
        if score is not None:
            return candidate.filtered(Reason.COPY, f"ROUGE-L {score:.2f}")
        against = known.reason_against(candidate.example, by_answer=False)
        if against is not None:
            return candidate.filtered(against)
        novelty.add(item[0])
        return Made(candidate, candidate.example, None)

    def _with_similarity(self, judged: Sequence[Made | Filtered]) -> list[Made | Filtered]:
        """The similarity to the parent is told, not judged: a new example is meant to be about something else."""
        measured = iter(self.filters.similarities([one.candidate for one in judged if isinstance(one, Made)]))
        return [replace(one, similarity=next(measured)) if isinstance(one, Made) else one for one in judged]


def is_suitable(example: Example) -> bool:
    """Whether an example is a plain text, or one user turn and one answer, with or without a system turn."""
    if not example.messages:
        return example.text is not None
    speakers = [message.speaker for message in example.messages if message.speaker is not Speaker.SYSTEM]
    plain = all(message.calls is None for message in example.messages) and example.tools is None
    return plain and speakers == [Speaker.USER, Speaker.ASSISTANT] and example.rejected is None


def read_answer(answer: str, *, as_texts: bool) -> list[tuple[str, str | None] | None] | None:
    """A model's answer as items: question and, where pairs were asked for, its answer. None: it is no JSON array.

    An item that is not exactly what was asked for is None. A fence of three backticks around the JSON is let pass.
    """
    if len(answer) > _LONGEST_ANSWER:
        return None
    fenced = _FENCE.match(answer.strip())
    try:
        read = json.loads(fenced[1] if fenced else answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, list):
        return None
    return [_text_item(item) if as_texts else _pair_item(item) for item in read]


def _text_item(item: object) -> tuple[str, str | None] | None:
    return (item.strip(), None) if isinstance(item, str) and item.strip() else None


def _pair_item(item: object) -> tuple[str, str | None] | None:
    if not isinstance(item, dict) or set(item) != {"prompt", "answer"}:
        return None
    texts = [item["prompt"], item["answer"]]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return None
    return texts[0].strip(), texts[1].strip()


def _candidate(parent: Example, item: tuple[str, str | None], technique: str) -> Candidate:
    """The parent with another question and, where there is one, another answer."""
    question, answer = item
    parts = tuple(_parts(parent, with_answer=answer is not None))
    before = tuple((parent.text or "") if part == PLAIN_TEXT else parent.messages[part].content for part in parts)
    after = (question,) if answer is None else (question, answer)
    return Candidate(parent, technique, parts, before, after, same_question=False)


def _parts(example: Example, *, with_answer: bool) -> Iterator[int]:
    if not example.messages:
        yield PLAIN_TEXT
        return
    wanted = (Speaker.USER, Speaker.ASSISTANT) if with_answer else (Speaker.USER,)
    yield from (index for index, message in enumerate(example.messages) if message.speaker in wanted)


def _question(example: Example) -> str:
    return next(
        (message.content for message in example.messages if message.speaker is Speaker.USER), example.text or ""
    )


def _rows(examples: Sequence[Example], indices: Sequence[int]) -> tuple[Example, ...]:
    return tuple(examples[index] for index in indices)
