"""Put a candidate before the test items: what it answers, and how likely it finds the references."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from peft import PeftModel
from transformers import PreTrainedModel

from atanor.data.rows import Example, Speaker, TokenRow
from atanor.evaluate.items import Item, Outcome
from atanor.evaluate.options import GenerationOptions
from atanor.inference import Answer, Decoding, generate_answers, score_choices, score_rows
from atanor.models import Base, encode_halves, encode_text
from atanor.progress import Progress


@dataclass(frozen=True)
class TestPaper:
    """The test items as one candidate sees them.

    Attributes:
        rows: prompt and reference as tokens, weights on the reference.
        prompts: the prompt alone as tokens; empty when no metric looks at answers.
        rejected: prompt and worse answer as tokens, None for an item that has none; empty when no metric compares
            answers.
        choices: the only answers allowed, each with its tokens after a prompt; empty where an answer is written freely.
    """

    __test__ = False  # not a test class, whatever pytest makes of the name

    rows: Sequence[TokenRow]
    prompts: Sequence[tuple[int, ...]]
    rejected: Sequence[TokenRow | None] = ()
    choices: Sequence[tuple[str, tuple[int, ...]]] = ()


def sit(
    base: Base,
    model: PreTrainedModel | PeftModel,
    paper: TestPaper,
    *,
    generation: GenerationOptions,
    seed: int,
    who: str,
    progress: Progress,
) -> list[Outcome]:
    """Outcomes of one candidate on every item of the paper, in order.

    Args:
        base: for tokenizer, context and end tokens.
        model: the network with the candidate's adapter active.
        paper: the items as this candidate sees them.
        generation: how answers are produced.
        seed: for sampled answers.
        who: the candidate's name in the progress bar.
        progress: shown answers and scored rows.
    """
    decoding = Decoding(generation.max_new_tokens, generation.temperature, generation.top_p, seed)
    answers: list[Answer | None] = [None] * len(paper.rows)
    confidences: list[float | None] = [None] * len(paper.rows)
    if paper.prompts and paper.choices:
        answers, confidences = _chosen(model, paper, f"{who} chooses among {len(paper.choices)} labels", progress)
    elif paper.prompts:
        answers = list(
            generate_answers(
                base, model, paper.prompts, decoding=decoding, progress=progress, name=f"{who} answers the test items"
            )
        )
    worse = list(paper.rejected) or [None] * len(paper.rows)
    # The two answers of an item stand side by side, so that their prompt is computed once.
    both = [row for pair in zip(paper.rows, worse, strict=True) for row in pair if row is not None]
    scored = iter(score_rows(model, both, progress, name=f"{who} scores the references"))
    scores = [(next(scored), None if row is None else next(scored)) for row in worse]
    return [
        Outcome(
            answer=None if answer is None else answer.text,
            finished=answer is not None and answer.finished,
            nll=nll,
            tokens=row.supervised,
            bytes=row.supervised_bytes,
            rejected_nll=rejected_nll,
            rejected_tokens=0 if rejected is None else rejected.supervised,
            confidence=confidence,
            seconds=None if answer is None else answer.seconds,
            prompt_tokens=None if answer is None else len(prompt),
            answer_tokens=None if answer is None else len(answer.tokens),
        )
        for row, rejected, answer, confidence, prompt, (nll, rejected_nll) in zip(
            paper.rows, worse, answers, confidences, paper.prompts or [()] * len(paper.rows), scores, strict=True
        )
    ]


def _chosen(
    model: PreTrainedModel | PeftModel, paper: TestPaper, name: str, progress: Progress
) -> tuple[list[Answer | None], list[float | None]]:
    """For every prompt the choice that is likeliest after it, its end included, and its probability among them."""
    tokens = [choice for _, choice in paper.choices]
    began = time.perf_counter()
    found = score_choices(model, paper.prompts, [tokens] * len(paper.prompts), progress, name)
    seconds = (time.perf_counter() - began) / len(paper.prompts)
    answers: list[Answer | None] = []
    confidences: list[float | None] = []
    for nll in found:
        best = min(range(len(nll)), key=nll.__getitem__)
        text, written = paper.choices[best]
        answers.append(Answer(text, finished=True, tokens=tuple(written), seconds=seconds))
        confidences.append(1 / sum(math.exp(nll[best] - other) for other in nll))
    return answers, confidences


def general_text(base: Base) -> tuple[list[Item], TestPaper]:
    """The shipped passages of general text: the default probe for forgetting."""
    passages = [
        json.loads(line)
        for line in (files("atanor.evaluate") / "general_text" / "passages.jsonl").read_text("utf-8").splitlines()
    ]
    items = [
        Item(id=passage["id"], cluster=passage["id"], prompt="", reference=passage["text"]) for passage in passages
    ]
    rows = []
    for passage in passages:
        rows.append(_general_row(base, passage["id"], passage["text"]))
    return items, TestPaper(rows, ())


def _general_row(base: Base, name: str, text: str) -> TokenRow:
    """All of a text to predict; by a decoder behind an encoder, its second half from the first."""
    if base.encoder_decoder:
        halves, size = encode_halves(base.tokenizer, text, base.end_ids)
        start = halves.spans[0].start
        return TokenRow(name, halves.tokens, (0.0,) * start + (1.0,) * (len(halves.tokens) - start), size)
    tokens = encode_text(base.tokenizer, text)[: base.context]
    return TokenRow(name, tokens, (1.0,) * len(tokens), len(text.encode()))


OUTCOME_FORMAT = 2
"""Raised when an outcome comes to hold more, so that one that holds less is not taken for it."""


def this_machine() -> str:
    """What tells this machine from others, for what is measured in its time."""
    return f"{platform.node()} {platform.machine()} {platform.processor()} {os.cpu_count()}"


def item_of(example: Example) -> Item:
    """A held-out example as metrics see it."""
    return Item(
        id=example.id,
        cluster=example.group if example.group is not None else example.id,
        prompt="\n\n".join(turn.content for turn in example.prompt if turn.speaker is not Speaker.SYSTEM),
        reference=example.reference,
        fields=example.fields,
        also_right=example.references,
    )


def outcomes_to_json(outcomes: Sequence[Outcome]) -> bytes:
    """For keeping: outcomes as UTF-8 JSON; floats survive exactly."""
    return json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False).encode()


def outcomes_from_json(content: bytes) -> list[Outcome]:
    """The inverse of `outcomes_to_json`."""
    return [_outcome_of(entry) for entry in json.loads(content)]


def _outcome_of(entry: dict[str, Any]) -> Outcome:
    variants = tuple(_outcome_of(below) for below in entry.pop("variants", ()))
    tokens, choices = tuple(entry.pop("written", ())), tuple(entry.pop("choice_nlls", ()))
    return Outcome(**entry, written=tokens, choice_nlls=choices, variants=variants)
