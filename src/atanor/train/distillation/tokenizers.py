"""Whether a teacher reads the student's tokens as they are meant."""

from __future__ import annotations

import json
from typing import Any

from transformers import PreTrainedTokenizerBase

from atanor.errors import ConfigurationError, Problem, shorten

FIELD = "objective.distillation.teacher"


def require_same_tokens(
    student: PreTrainedTokenizerBase, teacher: PreTrainedTokenizerBase, names: tuple[str, str]
) -> None:
    """A divergence compares two distributions over one vocabulary, after one text cut into the same tokens.

    Args:
        student, teacher: their tokenizers.
        names: of student and teacher, for the error.

    Raises:
        ConfigurationError: they differ; names the first difference.
    """
    found = first_difference(student, teacher)
    if found is None:
        return
    reason = f"the tokenizers of {names[0]} (student) and {names[1]} (teacher) differ: {found}"
    fix = "Write `source: teacher` and `share: 0`: answers as text teach across tokenizers"
    raise ConfigurationError(
        "teacher and student do not speak in the same tokens", [Problem(reason, field=FIELD, value=names[1], fix=fix)]
    )


def first_difference(student: PreTrainedTokenizerBase, teacher: PreTrainedTokenizerBase) -> str | None:
    """Where two tokenizers differ first: vocabulary, special tokens, chat template, how text is cut; or None."""
    return (
        _of_vocabularies(student.get_vocab(), teacher.get_vocab())
        or _of_special_tokens(student, teacher)
        or _of_templates(str(student.chat_template or ""), str(teacher.chat_template or ""))
        or _of_cutting(student, teacher)
    )


def _of_vocabularies(ours: dict[str, int], theirs: dict[str, int]) -> str | None:
    if ours == theirs:
        return None
    sizes = f"{len(ours):,} tokens against {len(theirs):,}"
    by_number = {number: token for token, number in ours.items()}
    others = {number: token for token, number in theirs.items()}
    number = min(n for n in by_number.keys() | others.keys() if by_number.get(n) != others.get(n))
    return f"{sizes}; token {number} is {by_number.get(number)!r} and {others.get(number)!r}"


def _of_special_tokens(student: PreTrainedTokenizerBase, teacher: PreTrainedTokenizerBase) -> str | None:
    ours, theirs = student.special_tokens_map, teacher.special_tokens_map
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            return f"the special token {name} is {ours.get(name)!r} and {theirs.get(name)!r}"
    return None


def _of_templates(ours: str, theirs: str) -> str | None:
    if ours == theirs:
        return None
    if not ours or not theirs:
        return f"the {'student' if theirs else 'teacher'} has no chat template"
    lines = zip([*ours.splitlines(), ""], [*theirs.splitlines(), ""], strict=False)
    one, other = next(((one, other) for one, other in lines if one != other), ("", ""))
    return f"the chat templates differ, first in {shorten(one, 60)!r} and {shorten(other, 60)!r}"


def _of_cutting(student: PreTrainedTokenizerBase, teacher: PreTrainedTokenizerBase) -> str | None:
    """The rules by which a fast tokenizer cuts text."""
    ours, theirs = _rules(student), _rules(teacher)
    for part in ("normalizer", "pre_tokenizer", "model"):
        if ours.get(part) != theirs.get(part):
            return f"the rules that cut text into tokens differ in their {part}"
    return None


def _rules(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    rules: dict[str, Any] = {} if backend is None else json.loads(backend.to_str())
    return rules
