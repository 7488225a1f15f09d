"""A book to instruction rows through a model: it writes the instruction, the answer stays the author's own text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from atanor.data.augmentation.engines import Engine
from atanor.data.corpora.instructions import InstructionResult, row_of
from atanor.data.corpora.lexicon import language_of
from atanor.data.corpora.options import InstructionOptions, Language
from atanor.data.corpora.outline import Outline
from atanor.data.corpora.passages import Passage, passages_of
from atanor.data.corpora.windows import Measure, ruler_of
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Example, Refusal
from atanor.errors import DataError, Problem
from atanor.progress import Progress, Silent

BATCH = 32
"""Passages the engine is given at a time."""
KIND = "model"
"""What the rows have as their kind."""
SHORTEST, LONGEST = 12, 600
"""Characters of an instruction."""
COPIED = 8
"""Words of the passage in a row that an instruction may not hold: it would give the answer away."""


def instructions_by_model(
    book: Outline,
    measure: Measure,
    engine: Engine,
    options: InstructionOptions,
    *,
    source: str,
    progress: Progress | None = None,
) -> InstructionResult:
    """Let a model write for each passage the instruction that the passage answers (Li et al. 2024, arXiv 2308.06259).

    The model has to answer with one JSON object that has the one key `instruction`. Whatever else it answers is
    refused, and so is an instruction that copies the passage; nothing is mended.

    Args:
        book: its outline.
        measure: the base's tokenizer, or a function that says how long a text is.
        engine: the model.
        options: how long, in which language; `kinds` and `per_passage` are of rows by rule.
        source: file of the book, for the rows.
        progress: shown one unit a passage.

    Raises:
        DataError: the engine gave another number of answers than it was asked for.
    """
    language = language_of(book.text) if options.language is Language.AUTO else options.language
    every = list(passages_of(book, ruler_of(measure, options.tokens)))
    passages = [passage for passage in every if len(passage.text) >= options.shortest]
    examples: list[Example] = []
    refusals: list[Refusal] = []
    with (progress or Silent()).start("instructions", len(passages), "passage") as activity:
        for first in range(0, len(passages), BATCH):
            part = passages[first : first + BATCH]
            for passage, answer in zip(part, _answers(engine, book, part, language), strict=True):
                try:
                    asked = parsed(answer, passage.text)
                except DataError as error:
                    line = book.text.count("\n", 0, passage.start) + 1
                    refusals.append(refusal_of(error, source, line, answer or ""))
                else:
                    examples.append(row_of(book, passage, KIND, asked, source))
            activity.advance(len(part))
    kinds = {KIND: len(examples)} if examples else {}
    short = len(every) - len(passages)
    return InstructionResult(tuple(examples), len(every), len(passages), short, 0, kinds, tuple(refusals))


def parsed(answer: str | None, passage: str) -> str:
    """The instruction in a model's answer.

    Args:
        answer: what the model wrote; None where it gave none.
        passage: the passage it was shown.

    Raises:
        DataError: the answer is not the object asked for, or the instruction cannot be used.
    """
    fix = "Use a model that follows the format, or leave the passage out"
    if answer is None:
        raise row_error("the model gave no answer, or one that was cut", fix="Allow longer answers, or ask again")
    try:
        written = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise row_error("the model's answer is not JSON", value=answer, fix=fix) from error
    if not isinstance(written, dict) or set(written) != {"instruction"} or not isinstance(written["instruction"], str):
        reason = "the model's answer is not an object with the one key `instruction` and a text"
        raise row_error(reason, value=answer, fix=fix)
    asked = str(written["instruction"]).strip()
    if not SHORTEST <= len(asked) <= LONGEST:
        reason = f"the instruction has {len(asked)} characters; {SHORTEST} to {LONGEST} are accepted"
        raise row_error(reason, field="instruction", value=asked, fix=fix)
    copied = _copied(asked, passage)
    if copied is not None:
        reason = f"the instruction holds {COPIED} words of the passage in a row, and would give the answer away"
        raise row_error(reason, field="instruction", value=copied, fix="Leave the passage out, or ask again")
    return asked


_WORD = re.compile(r"\w+")
_ASK = {
    Language.ENGLISH: (
        "Below is a passage{by}. Write the one instruction that a person could have given so that exactly this passage "
        "is the answer. Name what the passage is about, in your own words; do not quote it and do not mention that a "
        'passage exists. Answer with JSON only, in this form: {{"instruction": "…"}}\n\nPassage:\n{passage}'
    ),
    Language.SPANISH: (
        "Abajo hay un pasaje{by}. Escribe la única instrucción que alguien pudo dar para que exactamente este pasaje "
        "sea la respuesta. Di de qué trata, con tus propias palabras; no lo cites ni digas que existe un pasaje. "
        'Responde solo con JSON, en esta forma: {{"instruction": "…"}}\n\nPasaje:\n{passage}'
    ),
}
_BY = {Language.ENGLISH: " by {author}", Language.SPANISH: " de {author}"}


def _answers(engine: Engine, book: Outline, passages: Sequence[Passage], language: Language) -> list[str | None]:
    by = _BY[language].format(author=book.author) if book.author else ""
    prompts = [_ASK[language].format(by=by, passage=passage.text) for passage in passages]
    answers = engine.generate(prompts)
    if len(answers) != len(prompts):
        reason = f"{len(prompts)} passages were asked about, and {len(answers)} answers came"
        fix = "Mend the engine: it has to answer each prompt, in order"
        raise DataError("the engine does not answer each prompt", [Problem(reason, fix=fix)])
    return answers


def _copied(asked: str, passage: str) -> str | None:
    """The first run of words that the instruction shares with the passage, where one is too long."""
    words = [word.lower() for word in _WORD.findall(passage)]
    runs = {tuple(words[at : at + COPIED]) for at in range(len(words) - COPIED + 1)}
    own = [word.lower() for word in _WORD.findall(asked)]
    found = next((own[at : at + COPIED] for at in range(len(own)) if tuple(own[at : at + COPIED]) in runs), None)
    return None if found is None else " ".join(found)
