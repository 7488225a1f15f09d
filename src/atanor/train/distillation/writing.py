"""Answers written for distillation: by the student while it trains, and by a teacher before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from atanor.data.rows import TokenRow
from atanor.errors import ConfigurationError, DataError, Problem
from atanor.inference import Decoding, generate_answers
from atanor.models import Base, Tuned
from atanor.progress import Silent
from atanor.train.distillation.objective import WriteAnswers
from atanor.train.distillation.options import WriteOptions


def student_writer(
    base: Base, tuned: Tuned, options: WriteOptions, rows: Sequence[TokenRow], seed: int
) -> WriteAnswers:
    """Lets the student answer the prompts of a step; what it draws follows from the seed and the step's number.

    Args:
        base: what is tuned.
        tuned: the student.
        options: how it writes.
        rows: the training rows: answers are as long as their longest by default.
        seed: of the sampling.

    Raises:
        ConfigurationError: some rows are plain text and have no prompt.
    """
    for row in rows:
        if answer_start(row) < 2:
            problem = Problem(
                "a row of plain text has no prompt that could be answered",
                field="objective.distillation.source",
                value="student",
                fix="Write `source: rows` for texts",
            )
            raise ConfigurationError("the student has nothing to answer", [problem])
    longest = options.max_new_tokens or longest_answer(rows)
    temperature = 1.0 if options.temperature is None else options.temperature

    def write(window: Sequence[TokenRow], step: int) -> list[TokenRow]:
        prompts = [row.tokens[: answer_start(row)] for row in window]
        decoding = Decoding(longest, temperature, options.top_p, _seed_of(seed, step))
        with _at_rest(tuned):
            answers = generate_answers(base, tuned.model, prompts, decoding=decoding, progress=Silent())
        return [
            TokenRow(row.example_id, prompt + answer.tokens, (0.0,) * len(prompt) + (1.0,) * len(answer.tokens), 0)
            for row, prompt, answer in zip(window, prompts, answers, strict=True)
        ]

    return write


def answer_start(row: TokenRow) -> int:
    """Where the last stretch of supervised tokens begins: what stands before it is the prompt of the last answer."""
    end = max((place for place, weight in enumerate(row.weights) if weight > 0), default=-1) + 1
    start = end
    while start > 0 and row.weights[start - 1] > 0:
        start -= 1
    return start


def longest_answer(rows: Sequence[TokenRow]) -> int:
    """Tokens of the longest last answer."""
    return max(sum(1 for weight in row.weights[answer_start(row) :] if weight > 0) for row in rows)


def require_answers(written: int, asked: int) -> None:
    """Raises:
    DataError: a teacher left more than half of what it was asked without an answer that can be learned.
    """
    if 2 * written >= asked:
        return
    problem = Problem(
        f"of {asked:,} prompts it answered {written:,} so that the answer can be learned",
        field="objective.distillation.write.max_new_tokens",
        fix="Allow longer answers, or take another teacher; `teacher/answers.jsonl` of the training tells each reason",
    )
    raise DataError("the teacher does not answer", [problem])


def _seed_of(seed: int, step: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{step}".encode()).digest()[:6], "big")


@contextmanager
def _at_rest(tuned: Tuned) -> Iterator[None]:
    """Within this context nothing of the student trains, and no random number of the training is drawn."""
    trained = [parameter for parameter in tuned.model.parameters() if parameter.requires_grad]
    before = tuned.model.training
    tuned.model.eval()
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
        tuned.model.train(before)
