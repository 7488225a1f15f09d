"""Rows that the base wrote itself: its own answers to general prompts, made before training and replayed.

What the base would have said is by definition what it must not forget, and it is nearer to the base than any text
somebody else wrote (Yang et al. 2024, "Self-distillation bridges distribution gap in language model fine-tuning",
arXiv:2402.13669). Answers are kept in a file named by all that decides them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from atanor.data import Example, Message, Speaker, prompt_tokens
from atanor.errors import BaseModelError, DataError, Problem
from atanor.inference import Answer, Decoding, generate_answers
from atanor.models import Base
from atanor.progress import Progress
from atanor.store.files import write_text
from atanor.train.remedies.general import INSTRUCTIONS, GeneralRows, GeneralSource, rendered, shipped

_HASH = "sha256"


def self_written_rows(
    base: Base, source: GeneralSource, decoding: Decoding, cache: Path, progress: Progress
) -> GeneralRows:
    """The base's answers to a source's prompts, as rows whose answers are supervised.

    An answer that is empty, or that did not end by itself, is left out and counted.

    Args:
        base: untouched.
        source: where the prompts come from.
        decoding: how the base answers.
        cache: folder that keeps answers.
        progress: shown the answers.

    Raises:
        BaseModelError: the base has no chat template.
        DataError: the source has no prompt that fits, or no answer is left.
    """
    if not base.tokenizer.chat_template:
        problem = Problem("it has no chat template to ask it with", field=source.field, fix="Write `replay` instead")
        raise BaseModelError(f"{base.local.reference} cannot write rows itself", [problem])
    asked, prompts, notes = _prompts(base, source, decoding)
    answers = _answers(base, prompts, decoding, cache, progress)
    finished = [
        replace(example, messages=(*example.prompt, Message(Speaker.ASSISTANT, answer.text)))
        for example, answer in zip(asked, answers, strict=True)
        if answer.finished and answer.text.strip()
    ]
    if left := len(asked) - len(finished):
        notes.append(f"{left} of {len(asked)} answers of the base are left out: empty, or cut at the limit")
    if not finished:
        fix = "Raise `max_new_tokens`, or write `replay` instead"
        problem = Problem(f"all {len(asked)} are empty or cut at the limit", field=source.field, fix=fix)
        raise DataError("no answer of the base can be replayed", [problem])
    return rendered(base, finished, source, base.context, notes)


def _prompts(
    base: Base, source: GeneralSource, decoding: Decoding
) -> tuple[list[Example], list[tuple[int, ...]], list[str]]:
    """Examples to ask, their prompts as tokens, and what was left out in sentences."""
    found, notes = (shipped(INSTRUCTIONS), []) if source.path is None else source.examples()
    conversations = [example for example in found if example.messages]
    room = base.context - decoding.max_new_tokens
    asked, prompts = [], []
    for example in conversations:
        tokens = prompt_tokens(example, base.tokenizer, encoder_decoder=base.encoder_decoder)
        if len(tokens) <= room:
            asked.append(example)
            prompts.append(tokens)
    for count, reason in (
        (len(found) - len(conversations), "plain texts have no prompt"),
        (len(conversations) - len(asked), "prompt and answer do not fit into the context"),
    ):
        if count:
            notes.append(f"{count} rows of {source.name} are left out: {reason}")
    if not asked:
        problem = Problem("; ".join(notes), field=source.field, value=source.path, fix="Give rows with short prompts")
        raise DataError("there is nothing to ask the base", [problem])
    return asked, prompts, notes


def _answers(
    base: Base, prompts: Sequence[tuple[int, ...]], decoding: Decoding, cache: Path, progress: Progress
) -> list[Answer]:
    """The answers, from the file that keeps them or asked now."""
    decides = [base.local.sha, base.template_sha, str(base.model.dtype), asdict(decoding), prompts]
    key = hashlib.sha256(json.dumps(decides).encode()).hexdigest()
    file = cache / f"answers-{key[:16]}.json"
    known = _read(file)
    if known is None or len(known) != len(prompts):
        base.model.eval()
        known = generate_answers(
            base, base.model, prompts, decoding=decoding, progress=progress, name="the base answers general prompts"
        )
        content = [asdict(answer) for answer in known]
        write_text(file, json.dumps({_HASH: _hash(content), "answers": content}, ensure_ascii=False, indent=1))
    return known


def _read(file: Path) -> list[Answer] | None:
    """What a file holds that is there and as it was written."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        content = kept["answers"]
        return [Answer(**entry) for entry in content] if kept[_HASH] == _hash(content) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
